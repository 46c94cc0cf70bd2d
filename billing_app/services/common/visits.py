"""How somebody comes into an organization: one transaction each time, of a person, a program or a job."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from billing_app.store.tables.orgs import Organization


class Visit(Protocol):
    """One transaction of somebody who was let in. The API's doors give these."""

    @property
    def session(self) -> Session:
        """The transaction."""

    @property
    def organization(self) -> Organization:
        """For which they may buy."""

    @property
    def now(self) -> datetime:
        """The moment of the request."""

    @property
    def actor(self) -> str:
        """Who it is, for the record."""


Enter = Callable[[], AbstractContextManager[Visit]]
"""Lets somebody in, anew for each transaction; it is committed at the end of the block."""
