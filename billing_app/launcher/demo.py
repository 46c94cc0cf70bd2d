"""The demo's data: told at first start, forgotten on request."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable

from billing_app.db import Database
from billing_app.domain.errors import NotFoundError
from billing_app.launcher.places import Places
from billing_app.launcher.single import only_console
from billing_app.settings import ROOT, Settings, settings


def tell(database: Database, settings: Settings, say: Callable[[str], None]) -> list[str]:
    """Loads the demo's story if it is missing; gives the lines that say who can sign in."""
    if importlib.util.find_spec("billing_app.demo.seed") is None:
        return ["There is no demo data yet."]
    seed = importlib.import_module("billing_app.demo.seed")
    seed.seed(database, settings, say)
    return list(seed.sign_ins())


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
