"""What entry points need, made once per process from the settings: the database, and later the outside world."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError

from billing_app import clock, schema, setting_forms
from billing_app.db import IN_MEMORY, Database
from billing_app.domain.common.errors import UnavailableError
from billing_app.services.catalogue import versions
from billing_app.settings import settings


@lru_cache
def opened() -> Database:
    """The database of the settings as it is: for the served app, whose start has migrated it."""
    return Database(settings().database_url).ticking(clock.now).watched()


@lru_cache
def database() -> Database:
    """The database of the settings, refused when it cannot be reached or is not of this program's version.

    One without any tables is made ready, so that the first command on a machine works like the second.
    """
    found = open_database(settings().database_url).ticking(clock.now).watched()
    if schema.is_new(found):
        _make_ready(found)
    schema.check(found)
    return found


def _make_ready(new: Database) -> None:
    """Tables and the catalogue, as the first start makes them."""
    document = versions.read_document(settings().catalogue_file)
    schema.upgrade(new)
    with new.writing() as session:
        versions.load(session, document, clock.now(), settings().catalogue_file.name)


def open_database(url: str) -> Database:
    """Opens the database, or says in a sentence why it cannot be."""
    database = named(url)
    try:
        database.engine.connect().close()
    except (SQLAlchemyError, OSError) as error:
        raise UnavailableError(why(error)) from None
    return database


def named(url: str) -> Database:
    """The database of an address, which is not asked for anything yet: it may be damaged."""
    try:
        setting_forms.database_url(url)
        return Database(url)
    except (ValueError, ArgumentError, ImportError) as error:
        problem = str(error) if type(error) is ValueError else "is not the address of a database"
        raise UnavailableError(f"BILLING_DATABASE_URL {problem.partition(': write')[0]}: {_LIKE}") from None
    except OSError as error:
        raise UnavailableError(f"The folder of the database cannot be made: {error.strerror}.") from None


def existing(url: str) -> Database:
    """A database that is there and of this program's version; nothing is made. For commands that only read it."""
    database = present(url)
    try:
        schema.check(database)
    except DatabaseError as error:
        raise UnavailableError(why(error)) from None
    return database


def present(url: str) -> Database:
    """A database that is there, of whatever version: opening one of SQLite would make an empty file."""
    _, separator, file = url.partition("sqlite:///")
    if separator and file not in IN_MEMORY and not Path(file.partition("?")[0]).exists():
        raise UnavailableError(
            f"There is no database {file} yet: `billing db upgrade` makes it, and so does the first `billing serve`. "
            "BILLING_DATABASE_URL names another."
        )
    return open_database(url)


def why(error: Exception) -> str:
    """What a database that failed means, and what to do, as one sentence without parameters or secrets."""
    cause = next(iter(str(getattr(error, "orig", None) or error).strip().splitlines()), type(error).__name__)
    for sign, sentence in SIGNS.items():
        if sign in cause:
            return f"{sentence} ({cause})."
    cause = cause.rstrip(".")
    return f"The database (BILLING_DATABASE_URL) failed or cannot be opened: {cause}. Start it or correct that."


SIGNS = {
    "file is not a database": "The database file is damaged or is not a SQLite database: put a backup back with "
    "`billing db restore FILE --replace`, or name another in BILLING_DATABASE_URL",
    "malformed": f"The database file is damaged: {schema.RESTORE}",
    "no such table": "The database has no tables yet: run `billing db upgrade`",
    "disk is full": "The disk of the database is full: make room, then do it again",
    "unable to open database file": "The database file cannot be opened: its folder must exist, and file and folder be "
    "writable for this user, or name another in BILLING_DATABASE_URL",
    "readonly database": "The database file cannot be written: make file and folder writable for this user",
    "database is locked": "The database was in use for longer than this waited: do it again",
    "password authentication failed": "PostgreSQL refuses the user or password in BILLING_DATABASE_URL: correct it",
}
"""What the drivers say, and what it means."""

_LIKE = f"write {setting_forms.ADDRESS_OF_DATABASE}."
