"""What entry points need, made once per process from the settings: the database, and later the outside world."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from billing_app import clock, schema
from billing_app.db import Database
from billing_app.domain.errors import UnavailableError
from billing_app.services import catalog
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
    document = catalog.read_document(settings().catalogue_file)
    schema.upgrade(new)
    with new.writing() as session:
        catalog.load(session, document, clock.now(), settings().catalogue_file.name)


def open_database(url: str) -> Database:
    """Opens the database, or says in a sentence why it cannot be."""
    try:
        database = Database(url)
        database.engine.connect().close()
    except (ArgumentError, NoSuchModuleError):
        raise UnavailableError(
            "BILLING_DATABASE_URL is not an address of a database: sqlite:///FILE or "
            "postgresql+psycopg://user:password@host/database."
        ) from None
    except (SQLAlchemyError, OSError) as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise UnavailableError(f"The database cannot be opened: {cause}") from None
    return database
