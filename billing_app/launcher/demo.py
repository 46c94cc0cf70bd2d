"""The demo's files: found by commands in another terminal, forgotten on request."""

from __future__ import annotations

import os

from billing_app.domain.errors import NotFoundError
from billing_app.launcher.places import Places
from billing_app.launcher.single import only_console
from billing_app.settings import ROOT, settings


def act_on_it() -> None:
    """Points this process at the demo's database, for commands in another terminal."""
    database = Places(ROOT / "var").demo_database
    if not database.exists():
        raise NotFoundError("There is no demo data yet: `make run` loads it.")
    os.environ["BILLING_DATABASE_URL"] = f"sqlite:///{database}"
    settings.cache_clear()


def reset(places: Places) -> bool:
    """Removes the demo's files, unless a console runs with them; says whether there were any."""
    with only_console(places.demo_database):
        files = [places.demo_keys]
        for database in (places.demo_database, places.sandbox_database):
            files += [database, database.with_name(f"{database.name}-wal"), database.with_name(f"{database.name}-shm")]
        found = [file for file in files if file.exists()]
        for file in found:
            file.unlink()
    return bool(found)
