"""Signing in as the route does it: the three steps of services.attempts."""

from __future__ import annotations

from datetime import datetime

from billing_app.db import Database
from billing_app.services import attempts, sessions
from billing_app.services.sessions import SignedIn
from tests.builders import NOON


def sign_in(
    database: Database, email: str, password: str, client: str = "192.0.2.1", now: datetime = NOON, device: str = ""
) -> SignedIn:
    """One attempt, whatever comes of it."""
    with database.writing() as session:
        attempt = attempts.begin(session, email, client, now, device=device)
    if not attempts.proves(attempt, password):
        raise attempts.wrong_password()
    with database.writing() as session:
        return sessions.sign_in(session, attempt, now)


def fail(
    database: Database, times: int, email: str, client: str = "192.0.2.1", now: datetime = NOON, device: str = ""
) -> None:
    """Attempts that are never proved."""
    for _ in range(times):
        with database.writing() as session:
            attempts.begin(session, email, client, now, device=device)
