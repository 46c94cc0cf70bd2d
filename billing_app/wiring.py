"""What entry points need, made once per process from the settings: the database, and later the outside world."""

from __future__ import annotations

from functools import lru_cache

from billing_app import schema
from billing_app.db import Database
from billing_app.settings import settings


@lru_cache
def opened() -> Database:
    """The database of the settings as it is: for the served app, whose start has migrated it."""
    return Database(settings().database_url)


@lru_cache
def database() -> Database:
    """The database of the settings, refused when it is not of this program's version."""
    schema.check(opened())
    return opened()
