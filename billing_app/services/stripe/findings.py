"""What a comparison with Stripe is made of: stages that look at pages, suspects among what they see, and findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from billing_app.gateways.payments import Payments
from billing_app.services.common.context import Transaction


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `repaired` ones follow Stripe by now (in a dry run: would); the others need a person.

    `detail` is a sentence for an operator.
    """

    code: str
    object_id: str
    detail: str
    repaired: bool
    organization_id: int | None = None


@dataclass(frozen=True, slots=True)
class Suspect:
    """Something that looks different. `read` asks Stripe, outside of any transaction; `write` is given what it answers.

    `write` does the repair inside one transaction, and says what it found; None: it was nothing after all. A dry run
    undoes what it wrote.
    """

    object_id: str
    write: Callable[[Session, datetime, Any], Finding | None]
    read: Callable[[], Any] = lambda: None
    customer: str = ""
    """Whose it is at Stripe: what is read of a customer and written here is done in that customer's turn."""


@dataclass(frozen=True, slots=True)
class Look:
    """A page that was looked at. `next_cursor` is the place of the one after it; empty at the stage's end."""

    compared: int
    suspects: tuple[Suspect, ...]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class Sync:
    """What a comparison needs. Events younger than `grace` may still be on their way, and are left to the webhook."""

    transaction: Transaction
    payments: Payments
    now: Callable[[], datetime]
    since: datetime
    dry: bool = False
    grace: timedelta = field(default=timedelta())


Stage = Callable[[Sync, str], Look]
"""Looks at the page at a cursor (empty: the first one). Asks Stripe outside of transactions."""
