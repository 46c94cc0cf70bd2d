"""`billing doctor`: everything that a console needs is looked at, and what is wrong is said with what to do.

Nothing is changed: no file is made, nothing is migrated, sent or sold.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from billing_app import clock, private_files, schema, setting_names, wiring
from billing_app.clock_watch import ClockWatch
from billing_app.db import Database
from billing_app.domain.common.errors import BillingError, UnavailableError
from billing_app.gateways import surroundings as outside
from billing_app.launcher import guards, server
from billing_app.launcher.guards import LIVE_KEYS, local
from billing_app.launcher.places import LEAST_FREE_MB
from billing_app.locations import started_in
from billing_app.settings import Settings

BACKUP_AGE = timedelta(days=2)
"""An older newest backup is told."""


class State(StrEnum):
    """What was found."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, what was found, and with anything but OK what to do."""

    subject: str
    state: State
    sentence: str


def examine(settings: Settings, folder: Path) -> Iterator[Finding]:
    """Every finding, one after the other; `folder` is where a start keeps its files."""
    yield from _settings(settings)
    yield from _database(settings)
    yield from _files(settings, folder)
    yield _redis(settings)
    yield from _stripe(settings)
    yield _mail(settings)
    yield from _public_address(settings)
    yield _catalogue(settings)
    yield from _backups(settings)


def _settings(settings: Settings) -> Iterator[Finding]:
    told = [*setting_names.misspelt(type(settings).model_fields), *guards.contradictions(settings)]
    yield from (Finding("settings", State.WARNING, sentence) for sentence in told)
    if not told:
        yield Finding("settings", State.OK, "Every setting is known and has its form.")
    yield _asked("web processes", lambda: f"{server.workers(settings)} will be started.")


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        database = wiring.present(settings.database_url)
    except UnavailableError as error:
        absent = error.detail.startswith("There is no database")
        yield Finding("database", State.WARNING if absent else State.PROBLEM, error.detail)
        return
    try:
        yield _asked("database", lambda: _reached(database))
        yield _asked("database's version", lambda: _current(database))
        yield _asked("database's soundness", lambda: _sound(database))
        yield _clock(database)
    finally:
        database.close()


def _reached(database: Database) -> str:
    with database.engine.connect() as connection:
        found = connection.execute(
            text("SELECT sqlite_version()" if database.sqlite else "SHOW server_version")
        ).scalar()
    return f"{'SQLite' if database.sqlite else 'PostgreSQL'} {found} answers."


def _current(database: Database) -> str:
    schema.check(database)
    return f"Its tables are those of this program ({schema.known_revisions()[-1]})."


def _sound(database: Database) -> str:
    schema.require_sound(database)
    return "The file is sound." if database.sqlite else "PostgreSQL looks after its own files."


def _clock(database: Database) -> Finding:
    subject = "clock"
    if database.sqlite:
        return Finding(subject, State.OK, "With SQLite there is one clock, this machine's.")
    try:
        with database.engine.connect() as connection:
            wrong = ClockWatch(clock.now).look(connection)
    except SQLAlchemyError as error:
        wrong = wiring.why(error)
    return _said(subject, wrong, "It is the database's.")


def _files(settings: Settings, folder: Path) -> Iterator[Finding]:
    file = guards.sqlite_file(settings)
    for subject, place in (("disk", folder / "x"), ("database's disk", file)):
        if place is None or (subject != "disk" and place.absolute().parent == folder.absolute()):
            continue
        there = next(each for each in place.absolute().parents if each.exists())
        wrong = outside.disk_problem(there / "x", LEAST_FREE_MB)
        if wrong:
            yield Finding(subject, State.PROBLEM, f"{wrong.capitalize()}: make room, or free the folder for this user.")
        else:
            free = shutil.disk_usage(there).free // 2**20
            yield Finding(subject, State.OK, f"{free} MB are free where {place.parent} lies.")
    exposed = [each for each in sorted(folder.glob("*")) if each.is_file() and private_files.readable_by_others(each)]
    if exposed:
        names = " ".join(map(str, exposed[:5]))
        yield Finding("files", State.WARNING, f"Others than their owner can read data or secrets: chmod 600 {names}")
    else:
        yield Finding("files", State.OK, f"Only their owner reads the files in {folder}.")


def _redis(settings: Settings) -> Finding:
    if not settings.redis_url:
        return Finding("redis", State.OK, "None is set, and one web process needs none.")
    return _said("redis", guards.redis_problem(settings), "Redis answers.")


def _stripe(settings: Settings) -> Iterator[Finding]:
    key = settings.stripe_api_secret.get_secret_value()
    if not settings.selling:
        yield Finding(
            "stripe", State.OK if not key else State.WARNING, "Nothing is sold: it takes both secrets of Stripe."
        )
        return
    mode = "live" if key.startswith(LIVE_KEYS) else "test"
    yield Finding("webhook secret", State.OK, "It has the form of one; `billing stripe sync` compares what arrived.")
    yield _asked("stripe", lambda: f"Stripe answers for account {_account(settings)}, in {mode} mode.")


def _account(settings: Settings) -> str:
    # Stripe's SDK takes a second to import.
    from billing_app.gateways.stripe.payments import payments_of

    return payments_of(settings).account().id


def _mail(settings: Settings) -> Finding:
    if not settings.mailing:
        return Finding("mail", State.OK, "None is set up: invitations and new passwords are links to hand over.")
    return _said("mail", guards.mail_problem(settings), "The mail server answers and takes the password.")


def _public_address(settings: Settings) -> Iterator[Finding]:
    subject, url = "public address", settings.public_url
    port = guards.port_of(url)
    if local(url) and port != settings.port and not settings.secure:
        sentence = f"{url} is another port than {settings.port}: BILLING_PUBLIC_URL and BILLING_PORT have to agree."
        yield Finding(subject, State.PROBLEM, sentence)
    elif local(url):
        yield Finding(subject, State.OK, f"{url}, which only this machine reaches.")
    else:
        proxy = f"a proxy there has to pass everything, websockets too, on to port {settings.port}"
        yield Finding(subject, State.OK, f"{url}: {proxy}.")


def _catalogue(settings: Settings) -> Finding:
    # Everything that a catalogue needs is imported where it is needed.
    from billing_app.domain.catalogue import CatalogInvalidError, parse_catalog
    from billing_app.services.catalogue.versions import read_document

    file = settings.catalogue_file
    try:
        found = parse_catalog(read_document(file), file.name)
    except CatalogInvalidError as error:
        sentence = f"{file} has {len(error.mistakes)} mistakes (BILLING_CATALOGUE_FILE): `billing catalogue check`."
        return Finding("catalogue", State.PROBLEM, sentence)
    except (BillingError, OSError) as error:
        return Finding("catalogue", State.PROBLEM, f"{getattr(error, 'detail', error)} (BILLING_CATALOGUE_FILE)")
    return Finding("catalogue", State.OK, f"{file.name} is sound: {len(found.plans)} plans, {len(found.packs)} packs.")


def _backups(settings: Settings) -> Iterator[Finding]:
    file = guards.sqlite_file(settings)
    if file is not None and not file.exists():
        return
    folder = (started_in() if file is None else file.absolute().parent) / "backups"
    newest = max((each.stat().st_mtime for each in folder.glob("billing-*")), default=None)
    age = None if newest is None else timedelta(seconds=clock.now().timestamp() - newest)
    if age is None or age > BACKUP_AGE:
        found = "There is none" if age is None else f"The newest is {age.days} days old"
        sentence = f"{found} in {folder}: `billing db backup` writes one, unless yours are elsewhere."
        yield Finding("backup", State.WARNING, sentence)
    else:
        yield Finding("backup", State.OK, f"The newest in {folder} is {age.total_seconds() / 3600:.0f} hours old.")


def _asked(subject: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, State.OK, ask())
    except BillingError as error:
        return Finding(subject, State.PROBLEM, error.detail)
    except SQLAlchemyError as error:
        return Finding(subject, State.PROBLEM, wiring.why(error))


def _said(subject: str, wrong: str, otherwise: str) -> Finding:
    return Finding(subject, State.PROBLEM, wrong) if wrong else Finding(subject, State.OK, otherwise)
