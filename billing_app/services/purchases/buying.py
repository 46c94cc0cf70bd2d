"""The buy page: packs with what they would last, the calculator, and the basket."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from billing_app.domain.catalogue import Catalog, Interval, Metric, Pack
from billing_app.domain.common.errors import InvalidError, NotFoundError
from billing_app.domain.credits.facts import Aggregation, default_expiry
from billing_app.domain.credits.forecast import MetricForecast, Outcome
from billing_app.domain.purchases.offers import MAX_PACKS, by_saving
from billing_app.gateways.payments import Payments
from billing_app.services.catalogue import versions
from billing_app.services.common import payers
from billing_app.services.common.context import Context, Enter
from billing_app.services.credits import forecasts, labels
from billing_app.services.credits.views_shared import ForecastKind
from billing_app.services.purchases import status
from billing_app.services.purchases.status import PurchaseStatus
from billing_app.services.purchases.views_buying import (
    BasketLine,
    BuyView,
    CheckoutView,
    MetricPacks,
    NeedView,
    PackView,
    ReceivedGrant,
)

MAX_LINES = 20
"""Different packs in one basket: what one checkout takes."""

CHOICES = 3
"""Ends of periods that the calculator offers: this one, the next, and the one after."""

Basket = tuple[tuple[Pack, int], ...]

Lasting = tuple[datetime | None, bool]
"""Until when, and whether that is only the end of what is looked at."""

ENDS = (Outcome.RUNS_OUT, Outcome.USED_UP)
"""Outlooks that more credits may change."""


def forecast(context: Context, *, metric: str = "", until: datetime | None = None) -> tuple[BuyView, NeedView]:
    """The calculator of the buy page, without a basket, and what it says of one metric.

    Raises NotFoundError `pack_not_found`, `metric_not_found`; ConflictError `no_own_plan` for a sub-organization that
    has no pace of its own because somebody above pays.
    """
    session, organization, now = context.session, context.organization, context.now
    payers.require_same(organization, payers.payer(session, organization, now))
    view = buy(context, metric=metric, until=until)
    if view.need is None:
        raise NotFoundError("No packs of this metric are sold.", code="pack_not_found")
    return view, view.need


def buy(
    context: Context, *, metric: str = "", until: datetime | None = None, basket: Mapping[str, int] | None = None
) -> BuyView:
    """The buy page for a basket of pack ids and counts. `metric` and `until` are what the calculator is asked.

    Raises NotFoundError `pack_not_found`, `metric_not_found`, InvalidError `invalid_basket`.
    """
    session, now = context.session, context.now
    current = versions.current(session, now)
    chosen = validated_basket(current, basket or {})
    sold = [each for each in current.metrics if _packs(current, each)]
    looks = forecasts.shared(context, (each.id for each in sold))
    groups = sorted((_group(current, each, looks[each.id]) for each in sold), key=_urgency)
    asked = current.metric(metric) if metric else groups[0].metric if groups else None
    return BuyView(
        now=now,
        metrics=tuple(groups),
        need=_need(current, asked, looks[asked.id], until, chosen) if asked and asked.id in looks else None,
        basket=tuple(_line(groups, looks[pack.metric], pack, count, chosen) for pack, count in chosen),
        total_cents=sum(pack.price_cents * count for pack, count in chosen),
        currency=current.currency.upper(),
        valid_until=default_expiry(now),
        recount=labels.recount_view(context),
        choices=tuple(sold),
        monthly_cents=sum(pack.price_cents * count for pack, count in chosen if pack.recurring),
    )


def returned(enter: Enter, look: Enter, payments: Payments, session_id: str) -> CheckoutView:
    """What became of a payment that a browser comes back from; what is paid is granted, if it was not yet.

    Raises as `status.status` does. Talks to Stripe.
    """
    found = status.status(enter, payments, session_id)
    with look() as at:
        return checkout(at, found)


def checkout(context: Context, found: PurchaseStatus) -> CheckoutView:
    """What the page shows that a payment returns to."""
    session, now = context.session, context.now
    current = versions.current(session, now)
    looks: dict[str, MetricForecast] = {}
    for row in found.grants:
        looks[row.metric] = looks.get(row.metric) or forecasts.of_metric(context, row.metric)
    received = tuple(
        ReceivedGrant(
            metric=current.metric(row.metric),
            label=labels.grant_label(row),
            quantity=row.quantity,
            left_now=looks[row.metric].account.left,
            expires_at=row.expires_at,
            lasts_until=forecasts.lasts_until(looks[row.metric], ())[0],
        )
        for row in found.grants
    )
    return CheckoutView(found.state.value, found.total_cents, found.currency.upper(), received, found.failure)


def validated_basket(current: Catalog, basket: Mapping[str, int]) -> Basket:
    """The packs of a basket in the order given, counts of 0 left out.

    Raises NotFoundError `pack_not_found` for a pack that is not offered, InvalidError `invalid_basket`.
    """
    if len(basket) > MAX_LINES:
        raise InvalidError(f"A basket holds at most {MAX_LINES} different packs.", code="invalid_basket")
    found: list[tuple[Pack, int]] = []
    for pack_id, count in basket.items():
        pack = current.pack(pack_id)
        if not pack.offered:
            raise InvalidError(f"The pack {pack_id!r} is not sold any more.", code="invalid_basket")
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MAX_PACKS:
            raise InvalidError(f"Of one pack you can buy 1 to {MAX_PACKS} at once.", code="invalid_basket")
        if count:
            found.append((pack, count))
    return tuple(found)


def _packs(current: Catalog, metric: Metric) -> tuple[Pack, ...]:
    return (
        *current.offered_packs(metric.id, Interval.ONCE),
        *current.offered_packs(metric.id, Interval.MONTH),
    )


def _group(current: Catalog, metric: Metric, look: MetricForecast) -> MetricPacks:
    once = current.offered_packs(metric.id, Interval.ONCE)
    monthly = current.offered_packs(metric.id, Interval.MONTH)
    saving = by_saving(once) | by_saving(monthly)
    lasting = _lasting(look, metric, once) | _lasting(look, metric, monthly)
    return MetricPacks(
        metric=metric,
        left=look.account.left,
        owed=look.owed(),
        forecast=forecasts.forecast(look),
        packs=tuple(_pack(current, metric, pack, lasting[pack.id], saving[pack.id]) for pack in (*once, *monthly)),
    )


def _lasting(look: MetricForecast, metric: Metric, packs: tuple[Pack, ...]) -> dict[str, Lasting]:
    """Until when the metric lasts with one of each pack, smallest first, and whether that is only the end of the look.

    More credits never end earlier: where one pack outlasts what is looked at, or nothing runs out at all, the larger
    ones do too and need no run of the engine.
    """
    found: dict[str, Lasting] = {}
    known = None if look.run_out().outcome in ENDS else forecasts.lasts_until(look, ())
    for pack in packs:
        if known is None:
            found[pack.id] = forecasts.lasts_until(look, forecasts.bought([(pack, 1)], metric.id, look.now))
            known = found[pack.id] if found[pack.id][1] else None
        else:
            found[pack.id] = known
    return found


def _pack(current: Catalog, metric: Metric, pack: Pack, lasting: Lasting, saving_percent: int) -> PackView:
    until, outlasts = lasting
    return PackView(
        id=pack.id,
        metric=metric,
        quantity=pack.quantity,
        price_cents=pack.price_cents,
        currency=current.currency.upper(),
        recurring=pack.recurring,
        saving_percent=saving_percent,
        lasts_until=until,
        outlasts=outlasts,
    )


def _urgency(group: MetricPacks) -> tuple[int, float]:
    """What is cut off, or soonest will be, comes first."""
    if group.forecast.kind is ForecastKind.USED_UP:
        return (0, 0)
    if group.forecast.kind is ForecastKind.RUNS_OUT and group.forecast.runs_out_at is not None:
        return (1, group.forecast.runs_out_at.timestamp())
    return (2, 0)


def _need(current: Catalog, metric: Metric, look: MetricForecast, until: datetime | None, basket: Basket) -> NeedView:
    """The calculator: what is missing until a date, the cheapest packs for it, and both balances."""
    choices = forecasts.ends_of_periods(look, CHOICES)
    end = until if until is not None and until in choices else choices[min(1, len(choices) - 1)]
    missing = look.shortfall(end) if look.pace is not None or look.owed() else 0
    extra = forecasts.bought(basket, metric.id, look.now)
    drawn = choices[-1]
    return NeedView(
        metric=metric,
        forecast=forecasts.forecast(look),
        choices=choices,
        until=end,
        shortfall=missing,
        offer=forecasts.offer(current, metric, look, missing),
        as_it_is=forecasts.balance_points(look.points(drawn)),
        with_basket=forecasts.balance_points(look.points(drawn, extra)) if extra else (),
    )


def _line(groups: list[MetricPacks], look: MetricForecast, pack: Pack, count: int, basket: Basket) -> BasketLine:
    view = next(each for group in groups for each in group.packs if each.id == pack.id)
    until, _ = forecasts.lasts_until(look, forecasts.bought(basket, pack.metric, look.now))
    allowance = look.account.allowance
    level = look.facts.aggregation is Aggregation.LEVEL and allowance is not None
    return BasketLine(
        pack=view,
        count=count,
        price_cents=pack.price_cents * count,
        lasts_until=until,
        pays_for_past=min(pack.quantity * count, look.owed()),
        burned_each_period=max(0, look.account.level - (allowance or 0)) if level else 0,
    )
