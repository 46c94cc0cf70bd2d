"""Runs the schedule as long as a web process lives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from billing_app.db import Database
from billing_app.jobs import endings, housekeeping, inbox, notifications, reconciliation, schedule, top_ups
from billing_app.settings import Settings


@asynccontextmanager
async def running(database: Database, settings: Settings) -> AsyncGenerator[None]:
    """The scheduler, started and stopped with the process. What was missed is caught up at once."""
    sweeps: dict[str, tuple[Callable[[], object], int]] = {
        "housekeeping": (lambda: housekeeping.sweep(database), housekeeping.EVERY_SECONDS),
        "endings": (lambda: endings.sweep(database, settings), endings.EVERY_SECONDS),
        "notifications": (lambda: notifications.run(database, settings), notifications.EVERY_SECONDS),
    }
    if settings.selling:
        sweeps["inbox"] = (lambda: inbox.sweep(database, settings), inbox.EVERY_SECONDS)
        sweeps["top_ups"] = (lambda: top_ups.sweep(database, settings), top_ups.EVERY_SECONDS)
        sweeps["reconciliation"] = (lambda: reconciliation.catch_up(database, settings), reconciliation.EVERY_SECONDS)
    jobs = schedule.scheduler(database, sweeps)
    jobs.start()
    try:
        yield
    finally:
        jobs.shutdown(wait=False)
