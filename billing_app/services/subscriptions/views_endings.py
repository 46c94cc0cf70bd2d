"""What an organization pays for, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PaidThing:
    """One thing that an organization pays for. `kind` is plan, pack, top_up or order.

    `price_cents` per `interval` (empty: once, or whenever it is charged); `until` is when what is paid runs out.
    """

    kind: str
    name: str
    price_cents: int
    currency: str
    interval: str
    until: datetime | None
    state: str = "paid"
    """paid; "trial": nothing is charged before `until`; "owed": its last invoice is not paid."""


@dataclass(frozen=True, slots=True)
class EndingPart:
    """An organization below that ends with it. `pays` is what it pays for by itself."""

    address: str
    name: str
    pays: tuple[PaidThing, ...]


@dataclass(frozen=True, slots=True)
class EndingView:
    """`ends_at` is when it is over, should it end with what is paid. `decided_at` is set once somebody has decided.

    `told` says that Stripe knows; `done` that it is over; `error` is why Stripe could not be told yet. `scope` is
    "organization", or "payments" where only those end: of an organization that was deactivated.
    """

    address: str
    name: str
    pays: tuple[PaidThing, ...]
    parts: tuple[EndingPart, ...]
    ends_at: datetime
    scope: str = ""
    at_period_end: bool = True
    decided_at: datetime | None = None
    actor: str = ""
    reason: str = ""
    told: bool = False
    done: bool = False
    error: str = ""
