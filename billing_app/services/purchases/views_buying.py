"""Packs, the basket, the calculator, and the way back from the payment page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing_app.domain.catalogue.model import Metric
from billing_app.services.credits.views import GrantLabel, PointAnswer
from billing_app.services.credits.views_shared import Forecast, OfferView, RecountView


@dataclass(frozen=True, slots=True)
class PackView:
    """One pack on offer to this organization."""

    id: str
    metric: Metric
    quantity: int
    price_cents: int
    currency: str
    recurring: bool
    """Every month, one grant per paid invoice; else one-time."""
    saving_percent: int
    """Against the dearest unit price of the same metric and kind; 0 for that one."""
    lasts_until: datetime | None
    """The metric's run-out with one of these and nothing else of the basket; None if unknown or never."""
    outlasts: bool = False
    """True when `lasts_until` is the end of the horizon or of the pack's year, not a run-out."""


@dataclass(frozen=True, slots=True)
class MetricPacks:
    """A group of the packs table."""

    metric: Metric
    left: int
    owed: int
    """Deficit and debt that the next credits pay first."""
    forecast: Forecast
    packs: tuple[PackView, ...]
    """One-time and recurring, by quantity."""


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One pack of the basket."""

    pack: PackView
    count: int
    price_cents: int
    lasts_until: datetime | None
    """Of its metric with the whole basket."""
    pays_for_past: int
    """Of all its credits, what pays deficit and debt at once."""
    burned_each_period: int
    """For `level`: what the overage burns again every period; else 0."""


@dataclass(frozen=True, slots=True)
class NeedView:
    """The calculator: what covers one metric until a date."""

    metric: Metric
    forecast: Forecast
    choices: tuple[datetime, ...]
    """Ends of coming periods to choose from, as the first instant after them."""
    until: datetime | None
    """The chosen one of them."""
    shortfall: int
    """Credits missing until then; 0: nothing is needed."""
    offer: OfferView | None
    """None when nothing is needed, nothing fits, or the pace is unknown."""
    as_it_is: tuple[PointAnswer, ...]
    """From now on without the basket."""
    with_basket: tuple[PointAnswer, ...]
    """From now on with it; empty if the basket has nothing of this metric."""


@dataclass(frozen=True, slots=True)
class BuyView:
    """The buy page."""

    now: datetime
    metrics: tuple[MetricPacks, ...]
    """Those with packs; what runs out soonest first."""
    need: NeedView | None
    basket: tuple[BasketLine, ...]
    total_cents: int
    """Before tax."""
    currency: str
    valid_until: datetime
    """When credits bought now end."""
    recount: RecountView
    choices: tuple[Metric, ...] = ()
    """The same metrics in the catalogue's order, so that a switch keeps its places."""
    monthly_cents: int = 0
    """Of the total, what is charged again every month."""


@dataclass(frozen=True, slots=True)
class ReceivedGrant:
    """What a payment brought."""

    metric: Metric
    label: GrantLabel
    quantity: int
    left_now: int
    """Of the metric, all grants."""
    expires_at: datetime | None
    lasts_until: datetime | None


@dataclass(frozen=True, slots=True)
class CheckoutView:
    """Where a payment stands, for the page that Checkout returns to."""

    status: str
    """open, paid, expired or failed."""
    total_cents: int
    currency: str
    grants: tuple[ReceivedGrant, ...]
    """Once paid and fulfilled."""
    failure: str = ""
    """A sentence for the payer when the payment failed."""
