"""What handling an event of Stripe's comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from billing_app.gateways.payments import Payments
from billing_app.store.tables.stripe import InboxEvent


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whose event it was; `ours` is False for an object that another product of the same Stripe account made."""

    ours: bool
    organization_id: int | None = None


Write = Callable[[Session, datetime], Outcome]
"""Writes, in one transaction, what was read."""

Handler = Callable[[Payments, InboxEvent], Write]
