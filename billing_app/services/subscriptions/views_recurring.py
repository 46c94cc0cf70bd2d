"""What is bought again by itself: packs that renew, and the auto top-up of a metric."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing_app.domain.catalogue.model import Metric


@dataclass(frozen=True, slots=True)
class RenewingPackView:
    """A pack that renews every month, or was cancelled and is paid until `renews_at`."""

    id: str
    metric: Metric
    quantity: int
    """Of one."""
    count: int
    next_count: int
    """From `renews_at` on; 0: it ends then."""
    price_cents: int
    """Of one, before tax."""
    currency: str
    past_due: bool
    renews_at: datetime
    failure: str
    pay_url: str
    not_collected: bool = False
    """Stripe collects nothing for it, until `collection_resumes_at` if that is known: no credits come of it."""
    collection_resumes_at: datetime | None = None
    given_up: str = ""
    """What Stripe calls its latest invoice if nobody is asked for it any more: void or uncollectible."""
    lost: bool = False
    """A payment for it was disputed and lost, and it goes on."""


@dataclass(frozen=True, slots=True)
class CardView:
    """The saved card."""

    brand: str
    last4: str


@dataclass(frozen=True, slots=True)
class TopUpPack:
    """A pack that an auto top-up may buy."""

    id: str
    quantity: int
    price_cents: int


@dataclass(frozen=True, slots=True)
class TopUpView:
    """The auto top-up of a metric. What was never set is proposed."""

    metric: Metric
    state: str
    """off, on, waiting_for_card, resting, capped or turned_off."""
    was_set: bool
    threshold: int
    pack: TopUpPack
    count: int
    cap_cents: int
    currency: str
    paid_cents: int
    """Paid for it in the running calendar month."""
    card: CardView | None
    failure: str
    until: datetime | None
    """When it goes on, while it rests or the cap is reached."""
    consent_by: str
    consent_at: datetime | None
    packs: tuple[TopUpPack, ...]
    """To choose from, smallest first."""
    left: int | None
    """What can be spent now; None where no credits are ever spent, because the plan is without limit."""


@dataclass(frozen=True, slots=True)
class RenewalsView:
    """Everything that is bought again. `top_up` is None for a metric without one-time packs."""

    now: datetime
    packs: tuple[RenewingPackView, ...]
    top_up: TopUpView | None
