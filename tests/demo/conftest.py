"""A told demo: the story takes many seconds, so it is told once per test run and copied for each test."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing_app.db import Database
from billing_app.demo import seed
from tests.conftest import SHARED
from tests.demo.databases import with_catalogue
from tests.support import databases

NOW = datetime(2026, 11, 22, 14, 10, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """When the story of these tests ends: an afternoon late in a month, and two days into Marlow's period."""
    return NOW


@pytest.fixture(scope="session")
def told_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the whole story; of several test processes the first one tells it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / "told-demo"
    folder.mkdir(exist_ok=True)
    done = folder / "done"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            template = request.config.stash[SHARED].sqlite_template
            database = with_catalogue(databases.sqlite_database(template, folder), NOW)
            seed.seed_at(database, NOW)
            database.close()
            done.touch()
    return folder / "billing.db"


@pytest.fixture
def demo(told_file: Path, tmp_path: Path) -> Iterator[Database]:
    """The told story in a database of the test's own."""
    database = databases.opened(databases.sqlite_database(told_file, tmp_path))
    yield database
    database.close()


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """What a first start finds: a migrated file with the catalogue."""
    url = databases.sqlite_database(request.config.stash[SHARED].sqlite_template, tmp_path)
    database = with_catalogue(url, NOW)
    yield database
    database.close()
