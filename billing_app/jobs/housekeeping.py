"""Throws away what has ended: sessions, links, failed sign-ins that no longer count, old deliveries."""

from __future__ import annotations

from billing_app import clock
from billing_app.db import Database
from billing_app.jobs import notifications
from billing_app.services import links, sessions

EVERY_SECONDS = 3600
"""What has ended is refused anyway; this only keeps the tables small."""


def sweep(database: Database) -> None:
    """One transaction each, because they have nothing to do with each other."""
    with database.writing() as session:
        sessions.sweep(session, clock.now())
    with database.writing() as session:
        links.sweep(session, clock.now())
    notifications.sweep(database)
