"""The demo's files: found by commands in another terminal, forgotten on request."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from billing_app.domain.common.errors import NotFoundError
from billing_app.launcher.fake_stripe import MISSING, installed
from billing_app.launcher.keys import demo_keys
from billing_app.launcher.places import Places
from billing_app.launcher.single import only_console
from billing_app.locations import VAR
from billing_app.settings import settings


def lacking() -> str:
    """Why the demo cannot be told here, as the rest of a sentence; empty where it can."""
    if importlib.util.find_spec("billing_app.demo") is None:
        return "this installation is without billing_app/demo"
    return "" if installed() else MISSING


def act_on_it(folder: Path = VAR) -> None:
    """Points this process at the demo's database and fake Stripe, for commands in another terminal."""
    demo = Places(folder)
    if not demo.demo_database.exists():
        raise NotFoundError("There is no demo data yet: `make run` loads it.")
    keys = demo_keys(demo.demo_keys)
    os.environ["BILLING_DEMO"] = "true"
    os.environ["BILLING_DATABASE_URL"] = f"sqlite:///{demo.demo_database}"
    if demo.console_address.exists():
        os.environ["BILLING_PUBLIC_URL"] = demo.console_address.read_text(encoding="utf-8")
    os.environ["BILLING_STRIPE_API_SECRET"] = keys.api_secret
    os.environ["BILLING_STRIPE_WEBHOOK_SECRET"] = keys.webhook_secret
    os.environ["BILLING_STRIPE_API_BASE"] = _stripe(demo.fake_stripe_address)
    settings.cache_clear()


def _stripe(address: Path) -> str:
    """Where the fake Stripe listens; while the demo is not running, where nothing does: the real one is never asked."""
    return address.read_text(encoding="utf-8") if address.exists() else "http://127.0.0.1:1"


def reset(places: Places) -> bool:
    """Removes the demo's files, unless a console runs with them; says whether there were any."""
    with only_console(places.demo_database):
        files = [places.demo_keys, places.fake_stripe_address, places.console_address]
        for database in (places.demo_database, places.fake_stripe_database):
            files += [database, database.with_name(f"{database.name}-wal"), database.with_name(f"{database.name}-shm")]
        found = [file for file in files if file.exists()]
        for file in found:
            file.unlink()
    return bool(found)
