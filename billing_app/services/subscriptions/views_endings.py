"""What an organization pays for, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing_app.services.common.answers import Internal


@dataclass(frozen=True, slots=True)
class PaidThingAnswer:
    """One thing that is paid for. `kind` is plan, pack, top_up (its monthly cap) or order (a page that may be paid).

    `price_cents` per `interval`; empty where it is not a subscription. `until` is when what is paid runs out; `state`
    says whether it is "paid", on "trial" until then, or "owed".
    """

    kind: str
    name: str
    price_cents: int
    currency: str
    interval: str
    until: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class EndingPartAnswer:
    """A sub-organization that ends with it, and what it pays for by itself."""

    address: str
    name: str
    pays: tuple[PaidThingAnswer, ...]


@dataclass(frozen=True, slots=True)
class EndingAnswer:
    """What an organization pays for, and how it ends. `decided_at` is null while nobody has decided that it does.

    `ends_at` is when it is over, or would be if it ended with what is paid. `told`: Stripe knows. `done`: it is over.
    `error` is why Stripe could not be told yet; that is tried again. `scope` "payments": it was deactivated, and only
    what it pays for ends.
    """

    address: Internal[str]
    name: Internal[str]
    pays: tuple[PaidThingAnswer, ...]
    parts: tuple[EndingPartAnswer, ...]
    ends_at: datetime
    scope: str
    """Else "organization"; empty while nothing is decided."""
    at_period_end: bool
    decided_at: datetime | None
    actor: Internal[str]
    reason: str
    told: bool
    done: bool
    error: str
