"""What happens between the command and the served console: every step in order, each refusal a sentence."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from billing_app import clock, schema, wiring
from billing_app.db import Database
from billing_app.demo import seed, stand_in
from billing_app.domain.errors import ConflictError
from billing_app.launcher import frontend, guards, metrics_port, reloading, server
from billing_app.launcher.keys import demo_keys
from billing_app.launcher.logs import FILE_VARIABLE
from billing_app.launcher.places import Places
from billing_app.launcher.sandbox import Sandbox
from billing_app.launcher.single import only_console
from billing_app.services import catalog, links
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


def run_demo(start: Start) -> None:
    """The console with its demo: own database, own Stripe stand-in, three organizations with a history."""
    keys = demo_keys(start.places.demo_keys)
    sandbox = Sandbox(start.places, keys, start.settings.public_url)
    settings = start.settings.model_copy(
        update={
            "demo": True,
            "database_url": f"sqlite:///{start.places.demo_database}",
            "stripe_api_secret": SecretStr(keys.api_secret),
            "stripe_webhook_secret": SecretStr(keys.webhook_secret),
            "stripe_api_base": sandbox.address,
        }
    )
    with _stopping() as stack:
        stack.enter_context(only_console(start.places.demo_database))
        built = stack.enter_context(_building(start))
        stack.callback(sandbox.stop)
        sandbox.start()
        database = _prepared(settings)
        sandbox.require(say)
        seed.seed(database, settings, say)
        stand_in.stage(database, settings, clock.now())
        os.environ[FILE_VARIABLE] = str(start.places.log("console"))
        database.close()
        _serve(start, settings, built.result(), lambda: _announce(settings, seed.sign_ins()))


def serve_real(start: Start) -> None:
    """The console for real use: everything from the settings, no demo, no stand-in."""
    settings = start.settings.model_copy(update={"demo": False})
    with _stopping() as stack:
        built = stack.enter_context(_building(start))
        database = wiring.open_database(settings.database_url)
        file = schema.database_file(database)
        if file is not None:
            stack.enter_context(only_console(file))
        database.close()
        database = _prepared(settings)
        guards.refuse_demo_in_public(database, settings)
        guards.refuse_another_account(database, settings, say)
        lines = _set_up_lines(database, settings)
        database.close()
        _serve(start, settings, built.result(), lambda: _announce(settings, lines))


@contextmanager
def _stopping() -> Generator[ExitStack]:
    """Undoes every step when the start ends, also when it is asked to end before the server listens to signals."""
    before = signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        with ExitStack() as stack:
            yield stack
    finally:
        signal.signal(signal.SIGTERM, before)


def _prepared(settings: Settings) -> Database:
    """The database at the code's version, with the catalogue of plans.json loaded.

    A changed file that would undo what was edited on the pages is not loaded: the catalogue in force stays, and a
    console that was running goes on running (decision 12).
    """
    document = catalog.read_document(settings.catalogue_file)
    database = wiring.open_database(settings.database_url)
    try:
        schema.upgrade(database)
        _load(database, document, settings.catalogue_file.name)
    except BaseException:
        database.close()
        raise
    return database


def _load(database: Database, document: Mapping[str, Any], name: str) -> None:
    with database.writing() as session:
        try:
            catalog.load(session, document, clock.now(), name)
        except ConflictError as conflict:
            say(f"{name} was not loaded, the catalogue in force stays. {conflict.detail}")


@contextmanager
def _building(start: Start) -> Generator[Future[Path | None]]:
    """Builds the pages beside the other steps: both take long only the first time."""
    if start.reload:
        done: Future[Path | None] = Future()
        done.set_result(None)  # the reloading server builds its own
        yield done
        return
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(frontend.ensure_built, start.places.log("pages-build"))


def _serve(start: Start, settings: Settings, pages: Path | None, when_ready: Callable[[], None]) -> None:
    with metrics_port.answering(settings, say):
        if pages is None:
            reloading.serve(start.host, settings, when_ready)
        else:
            server.serve(start.host, settings, pages, when_ready)


def _set_up_lines(database: Database, settings: Settings) -> list[str]:
    with database.writing() as session:
        token = links.set_up_link(session, clock.now())
    if token is None:
        return []
    address = settings.public_url + links.path(links.Kind.SET_UP, token)
    return ["Nobody can sign in yet. Make yourself the operator (this link works once, for 24 hours):", f"  {address}"]


def _announce(settings: Settings, lines: list[str]) -> None:
    print(f"\nThe billing console is ready: {settings.public_url}\n", flush=True)
    for line in lines:
        print(line, flush=True)
    print("\nCtrl-C stops it.", flush=True)
