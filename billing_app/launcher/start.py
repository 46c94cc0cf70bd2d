"""What happens between the command and the served console: every step in order, each refusal a sentence."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from billing_app import clock, schema, wiring
from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError, UnavailableError
from billing_app.launcher import frontend, guards, metrics_port, reloading, server
from billing_app.launcher.fake_stripe import MISSING, FakeStripe, installed
from billing_app.launcher.guards import require_surroundings
from billing_app.launcher.keys import demo_keys
from billing_app.launcher.places import Places
from billing_app.launcher.single import only_console
from billing_app.locations import FAKE_STRIPE
from billing_app.services.access import one_time_links
from billing_app.services.catalogue import versions
from billing_app.settings import Settings


@dataclass(frozen=True)
class Start:
    """What the command line decides."""

    settings: Settings
    places: Places
    host: str = "127.0.0.1"
    reload: bool = False


def say(line: str) -> None:
    """Tells the person at the terminal."""
    print(line, file=sys.stderr, flush=True)


def run_empty(start: Start) -> None:
    """The console without the demo's data: with a fake Stripe unless something is set about Stripe.

    Never at an address for others: nobody sells credits for money that is none.
    """
    told = start.settings
    secrets = (told.stripe_api_secret, told.stripe_webhook_secret)
    if any(each.get_secret_value() for each in secrets) or told.stripe_api_base or not guards.local(told.public_url):
        serve_real(start)
        return
    if not installed():
        say(f"Nothing can be bought: {MISSING}.")
        serve_real(start)
        return
    fake, settings = with_fake_stripe(start.places.without_demo, told)
    serve_real(replace(start, settings=settings), fake)


def serve_real(start: Start, fake: FakeStripe | None = None) -> None:
    """The console for real use: everything from the settings, no demo; a fake Stripe only from `run_empty`."""
    settings = start.settings.model_copy(update={"demo": False})
    if fake is None:
        os.environ.pop(FAKE_STRIPE, None)
    with stopping() as stack:
        require_surroundings(settings, say)
        server.workers(settings)
        database = wiring.open_database(settings.database_url)
        file = schema.database_file(database)
        if file is None and database.sqlite:
            raise UnavailableError("BILLING_DATABASE_URL is in memory and would be lost: write sqlite:///FILE.")
        if file is not None:
            stack.enter_context(only_console(file))
        database.close()
        if fake is not None:
            stack.callback(fake.stop)
            fake.start()
        # First what may be refused, in a moment; pages take long when they are built for the first time.
        database = prepared(settings)
        built = stack.enter_context(building(start))
        if fake is not None:
            fake.require(say)
        guards.refuse_demo_in_public(database, settings)
        guards.refuse_another_account(database, settings, say)
        lines = _set_up_lines(database, settings)
        database.close()
        serve(start, settings, built.result(), lambda: announce(settings, lines))


def with_fake_stripe(places: Places, settings: Settings) -> tuple[FakeStripe, Settings]:
    """A fake Stripe, not started yet, and the settings by which the console speaks to it."""
    keys = demo_keys(places.demo_keys)
    fake = FakeStripe(places, keys, settings.public_url)
    os.environ[FAKE_STRIPE] = "true"
    told = {
        "stripe_api_secret": SecretStr(keys.api_secret),
        "stripe_webhook_secret": SecretStr(keys.webhook_secret),
        "stripe_api_base": fake.address,
    }
    return fake, settings.model_copy(update=told)


@contextmanager
def stopping() -> Generator[ExitStack]:
    """Undoes every step when the start ends, also when it is asked to end before the server listens to signals."""
    before = signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        with ExitStack() as stack:
            yield stack
    finally:
        signal.signal(signal.SIGTERM, before)


def prepared(settings: Settings) -> Database:
    """The database at the code's version, with the catalogue of plans.json loaded.

    A changed file that would undo what was edited on the pages is not loaded: the catalogue in force stays, and a
    console that was running goes on running (decision 12).
    """
    document = versions.read_document(settings.catalogue_file)
    database = wiring.open_database(settings.database_url).ticking(clock.now).watched()
    try:
        schema.require_sound(database, quick=True)
        schema.upgrade(database)
        _load(database, document, settings.catalogue_file.name)
    except BaseException:
        database.close()
        raise
    return database


def _load(database: Database, document: Mapping[str, Any], name: str) -> None:
    if problem := database.clock_problem():
        say(f"{name} was not loaded. {problem}")
        return
    with database.writing() as session:
        try:
            versions.load(session, document, clock.now(), name)
        except ConflictError as conflict:
            say(f"{name} was not loaded, the catalogue in force stays. {conflict.detail}")


@contextmanager
def building(start: Start) -> Generator[Future[Path | None]]:
    """Builds the pages beside the other steps: both take long only the first time."""
    if start.reload:
        done: Future[Path | None] = Future()
        done.set_result(None)  # the reloading server builds its own
        yield done
        return
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(frontend.ensure_built, start.places.log("pages-build"))


def serve(start: Start, settings: Settings, pages: Path | None, when_ready: Callable[[], None]) -> None:
    with metrics_port.answering(settings, say):
        if pages is None:
            reloading.serve(start.host, settings, when_ready)
        else:
            server.serve(start.host, settings, pages, when_ready)


def _set_up_lines(database: Database, settings: Settings) -> list[str]:
    if database.clock_problem():
        return []  # a link that lasts until another moment than it says; the start has told why
    with database.writing() as session:
        token = one_time_links.set_up_link(session, clock.now())
    if token is None:
        return []
    address = settings.public_url + one_time_links.path(one_time_links.Kind.SET_UP, token)
    return ["Nobody can sign in yet. Make yourself the operator (this link works once, for 24 hours):", f"  {address}"]


def announce(settings: Settings, lines: list[str]) -> None:
    print(f"\nThe billing console is ready: {settings.public_url}\n", flush=True)
    for line in lines:
        print(line, flush=True)
    print("\nCtrl-C stops it.", flush=True)
