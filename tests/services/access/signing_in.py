"""Signing in as the route does it: the three steps of services.access.sign_in_throttle."""

from __future__ import annotations

from datetime import datetime

from billing_app.db import Database
from billing_app.services.access import sessions, sign_in_throttle
from billing_app.services.access.sessions import SignedIn
from tests.support.builders import NOON


def sign_in(
    database: Database, email: str, password: str, client: str = "192.0.2.1", now: datetime = NOON, device: str = ""
) -> SignedIn:
    """One attempt, whatever comes of it."""
    with database.writing() as session:
        attempt = sign_in_throttle.begin(session, email, client, now, device=device)
    if not sign_in_throttle.proves(attempt, password):
        raise sign_in_throttle.wrong_password()
    with database.writing() as session:
        return sessions.sign_in(session, attempt, now)


def fail(
    database: Database, times: int, email: str, client: str = "192.0.2.1", now: datetime = NOON, device: str = ""
) -> None:
    """Attempts that are never proved."""
    for _ in range(times):
        with database.writing() as session:
            sign_in_throttle.begin(session, email, client, now, device=device)
