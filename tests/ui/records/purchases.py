"""Packs, the basket and what a payment brought."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from billing_app.services.credits.views import PointAnswer
from billing_app.services.credits.views_shared import OfferItemAnswer, OfferView
from billing_app.services.purchases.views_buying import (
    BasketLine,
    BuyView,
    CheckoutView,
    MetricPacks,
    NeedView,
    PackView,
    ReceivedGrant,
)
from tests.ui.records import overview as overviews
from tests.ui.records.facts import BANDWIDTH, EMAILS, GB, MAU, NOW, RECOUNT, SMS, STORAGE, TB, at, pack

PACKS = {
    MAU: (("mau-10k", 10_000, 1400, 0, "2025-12-19"), ("mau-50k", 50_000, 4900, 30, "2026-01-18"),
          ("mau-250k", 250_000, 19_900, 43, "2026-06-18")),
    SMS: (("sms-500", 500, 3000, 0, "2026-01-30"), ("sms-1k", 1000, 5500, 8, "2026-03-14"),
          ("sms-5k", 5000, 24_000, 20, "2026-11-21")),
    STORAGE: (("storage-50", 50 * GB, 600, 0, "2025-12-01"), ("storage-200", 200 * GB, 2100, 12, "2026-04-01")),
    BANDWIDTH: (("bandwidth-1t", TB, 2000, 0, ""), ("bandwidth-10t", 10 * TB, 15_000, 25, "")),
    EMAILS: (("emails-10k", 10_000, 500, 0, ""), ("emails-100k", 100_000, 4000, 20, "")),
}  # fmt: skip
AS_IT_IS = (("2025-11-21T14:10", 25_120), ("2025-12-01", 5_100), ("2025-12-12", 5_100), ("2025-12-14", 0))
WITH = (
    ("2025-11-21T14:10", 75_120), ("2025-12-01", 55_000), ("2025-12-12", 55_000), ("2026-01-01", 13_200),
    ("2026-01-12", 13_200), ("2026-01-18", 0),
)  # fmt: skip
CHOICES = (at("2026-01-01"), at("2026-02-01"), at("2026-04-01"))


def _view(one, wanted) -> PackView:
    name, quantity, cents, saving, until = one
    return PackView(name, wanted, quantity, cents, "USD", False, saving, at(until) if until else None)


def buy(address: str, metric: str, until: datetime | None, basket: Mapping[str, int]) -> BuyView:
    """The shop of the picture; only MAU has a forecast that ends."""
    meters = {one.metric: one for one in overviews.meridian().meters}
    groups = tuple(
        MetricPacks(wanted, meters[wanted].left, 0, meters[wanted].forecast, tuple(_view(one, wanted) for one in packs))
        for wanted, packs in PACKS.items()
    )
    lines = tuple(
        BasketLine(one, basket[one.id], one.price_cents * basket[one.id], one.lasts_until, 0, 0)
        for group in groups
        for one in group.packs
        if basket.get(one.id)
    )
    chosen = next((group for group in groups if group.metric.id == metric), groups[0])
    has = any(line.pack.metric is MAU for line in lines)
    drawn = chosen.metric is MAU
    offer = OfferView((OfferItemAnswer("mau-50k", MAU, 50_000, 1),), 50_000, 4900, "USD", at("2026-01-18"))
    return BuyView(
        now=NOW,
        metrics=groups,
        need=NeedView(
            metric=chosen.metric,
            forecast=chosen.forecast,
            choices=CHOICES,
            until=until if until in CHOICES else CHOICES[0],
            shortfall=36_761 if drawn else 0,
            offer=offer if drawn else None,
            as_it_is=tuple(PointAnswer(at(day), left) for day, left in AS_IT_IS)
            if drawn
            else (PointAnswer(NOW, chosen.left), PointAnswer(NOW + timedelta(days=90), chosen.left)),
            with_basket=tuple(
                PointAnswer(at(day), left, 50_000 if place == 0 else 0) for place, (day, left) in enumerate(WITH)
            )
            if drawn and has
            else (),
        ),
        basket=lines,
        total_cents=sum(line.price_cents for line in lines),
        currency="USD",
        valid_until=at("2026-11-21"),
        recount=RECOUNT,
    )


def checkout(session_id: str) -> CheckoutView:
    """Paid, unless the id says otherwise."""
    if session_id in ("open", "failed", "expired"):
        failure = "Your card was declined." if session_id == "failed" else ""
        return CheckoutView(session_id, 4900, "USD", (), failure)
    return CheckoutView(
        "paid",
        7900,
        "USD",
        (
            ReceivedGrant(MAU, pack(50_000, 4900), 50_000, 75_120, at("2026-11-21"), at("2026-01-18")),
            ReceivedGrant(SMS, pack(500, 3000), 500, 1069, at("2026-11-21"), at("2026-01-30")),
        ),
    )
