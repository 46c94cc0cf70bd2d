"""What all tests share: a database of their own, on SQLite and on a real PostgreSQL, made by the real migrations.

A test asks for `database` and runs once on each. There is no clock to freeze: tests pass `now`.
"""

from __future__ import annotations

import gc
import inspect
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, Page, sync_playwright

from billing_app.db import Database
from billing_app.launcher.logs import PLAIN
from tests.support import databases, servers
from tests.support.console import Console, launch_chromium, running_console, told_demo

# Consoles that tests start must not meet at one port; tests of the port choose their own.
os.environ["BILLING_METRICS_PORT"] = "0"

structlog.configure(processors=[*PLAIN])

hypothesis_settings.register_profile("default", deadline=None, max_examples=50, derandomize=True, database=None)
hypothesis_settings.register_profile("long", deadline=None, max_examples=2_000)

KINDS = ("sqlite", "postgresql")
CHOICES = (*KINDS, "both", "either")
HERE = Path(__file__).parent

ABOUT_DATABASES = ("house", "jobs", "laws", "platform", "store", "stories")
"""Folders whose subject is what the databases themselves do, or parallel clients: always on both (decision 14)."""

WITH_BROWSER = ("browser", "platform", "fake_stripe")
"""Folders in which `make test` looks for tests that drive a browser."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--database`."""
    told = "run tests on one kind of database, on both, or most of them on either, a fixed one for each test"
    parser.addoption("--database", choices=CHOICES, default="both", help=told)


class SharedServers:
    """Starts what tests need once per run: in the process that starts the workers, or in the only one."""

    def __init__(self) -> None:
        """Starts nothing yet."""
        self.folder = Path(tempfile.mkdtemp(prefix="billing-tests-"))
        self._sqlite: Path | None = None
        self._postgres: servers.Postgres | None = None

    @property
    def demo(self) -> Path:
        """Where the first console that wants a demo tells it for all."""
        return self.folder / "demo"

    @property
    def sqlite_template(self) -> Path:
        """A migrated SQLite file."""
        if self._sqlite is None:
            self._sqlite = self.folder / "template.db"
            databases.make_sqlite_template(self._sqlite)
        return self._sqlite

    @property
    def postgres_uri(self) -> str:
        """A running PostgreSQL with the migrated template database."""
        if self._postgres is None:
            self._postgres = servers.Postgres(self.folder / "postgres")
            databases.make_postgres_template(self._postgres.uri)
        return self._postgres.uri

    def stop(self) -> None:
        """Stops everything and removes its files."""
        if self._postgres is not None:
            self._postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class ServersOfTheRun:
    """What a pytest-xdist worker was told by the process that started it."""

    def __init__(self, told: dict[str, str]) -> None:
        """Takes the addresses from the run's first process."""
        self.sqlite_template = Path(told["sqlite_template"])
        self.postgres_uri = told["postgres_uri"]
        self.demo = Path(told["demo"])

    def stop(self) -> None:
        """Leaves the servers to the process that started them."""


SHARED = pytest.StashKey[SharedServers | ServersOfTheRun]()


def pytest_configure(config: pytest.Config) -> None:
    """Prepares the shared servers; each starts when it is first needed."""
    told = getattr(config, "workerinput", None)
    config.stash[SHARED] = SharedServers() if told is None else ServersOfTheRun(told)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a pytest-xdist worker where the servers are."""
    shared = node.config.stash[SHARED]
    node.workerinput["sqlite_template"] = str(shared.sqlite_template)
    node.workerinput["postgres_uri"] = shared.postgres_uri
    node.workerinput["demo"] = str(shared.demo)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops the shared servers."""
    config.stash[SHARED].stop()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs whatever uses a database once on each kind."""
    if "database_kind" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database")
        metafunc.parametrize("database_kind", [chosen] if chosen in KINDS else KINDS, scope="session")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--database either` a test that is not about databases meets one of them: half of them each.

    Raises UsageError for a browser test where `make test` does not look for one.
    """
    for item in items:
        if item.get_closest_marker("browser") and item.path.relative_to(HERE).parts[0] not in WITH_BROWSER:
            raise pytest.UsageError(f"{item.nodeid} drives a browser outside of {', '.join(WITH_BROWSER)}")
    if config.getoption("--database") != "either":
        return
    left_out = [item for item in items if isinstance(item, pytest.Function) and not meets(item)]
    config.hook.pytest_deselected(items=left_out)
    gone = set(left_out)
    items[:] = [item for item in items if item not in gone]


def pytest_collection_finish() -> None:
    """Spares the tests a search for garbage among what importing the product left, which stays to the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def meets(item: pytest.Function) -> bool:
    """Whether a test meets the database it would be run on. The same test always meets the same one."""
    kind = item.callspec.params.get("database_kind") if hasattr(item, "callspec") else None
    opens_itself = {"database_url", "empty_database_url"} & {*inspect.signature(item.function).parameters}
    if kind is None or opens_itself or item.get_closest_marker("both_databases") is not None:
        return True
    if item.path.relative_to(HERE).parts[0] in ABOUT_DATABASES:
        return True
    name = item.nodeid.replace(str(kind), "")
    return KINDS[zlib.crc32(name.encode()) % len(KINDS)] == kind


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated, empty database of the test's own; nothing has it open."""
    shared = request.config.stash[SHARED]
    if database_kind == "sqlite":
        yield databases.sqlite_database(shared.sqlite_template, tmp_path)
    else:
        with databases.postgres_database(shared.postgres_uri) as url:
            yield url


@pytest.fixture
def empty_database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        with databases.bare_postgres_database(request.config.stash[SHARED].postgres_uri) as url:
            yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database of the test's own."""
    opened = databases.opened(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis, one per test process."""
    with servers.redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def console(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """The served product with its demo, one for all browser tests of a process."""
    folder = tmp_path_factory.mktemp("console")
    told_demo(request.config.stash[SHARED].demo, folder)
    with running_console(folder) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real Chromium, one for all browser tests of a process."""
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A tab of its own, with its own cookies, on a laptop's screen. A script error on a page fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="UTC")
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []
