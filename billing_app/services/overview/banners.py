"""What is wrong, the worst first: blocked, in debt, running out, ending unused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from billing_app.domain.catalogue import Catalog
from billing_app.domain.credits.forecast import MetricForecast
from billing_app.domain.organizations.limits import NOUNS, LimitUse
from billing_app.domain.purchases.subscriptions import PastDue
from billing_app.services.credits import forecasts
from billing_app.services.credits.views_shared import ForecastKind, MeterState
from billing_app.services.overview.views import ActionView, BannerKind, BannerView, MeterView

SOON = timedelta(days=30)
"""A run-out further away is no news yet."""

RANK = (
    BannerKind.BLOCKED,
    BannerKind.DEBT,
    BannerKind.PAST_DUE,
    BannerKind.RUNS_OUT,
    BannerKind.OVER_LIMIT,
    BannerKind.ENDS_UNUSED,
)


def banners(
    current: Catalog,
    meters: Sequence[MeterView],
    looks: dict[str, MetricForecast],
    actions: Sequence[ActionView],
    past_due: Sequence[PastDue] = (),
    exceeded: Sequence[LimitUse] = (),
) -> tuple[BannerView, ...]:
    """Every banner of an organization; pages show the first and say how many more there are."""
    found = [BannerView(BannerKind.PAST_DUE, at=each.grace_ends_at) for each in past_due if each.until is None]
    found += [BannerView(BannerKind.OVER_LIMIT, limit_name=NOUNS[use.limit][1]) for use in exceeded]
    for meter in meters:
        look = looks[meter.metric.id]
        if meter.state is MeterState.BLOCKED:
            found.append(_blocked(current, meter, look, actions))
        elif meter.forecast.kind is ForecastKind.RUNS_OUT and _soon(meter, look):
            at = meter.forecast.runs_out_at
            offer = forecasts.suggestion(current, meter.metric, look)
            found.append(BannerView(BannerKind.RUNS_OUT, meter.metric, at, offer=offer))
        if meter.debt:
            found.append(_debt(current, meter, look))
        if meter.next_end is not None and meter.next_end.soon:
            end = meter.next_end
            found.append(BannerView(BannerKind.ENDS_UNUSED, meter.metric, end.at, end.quantity))
    return tuple(sorted(found, key=lambda banner: RANK.index(banner.kind)))


def _soon(meter: MeterView, look: MetricForecast) -> bool:
    at = meter.forecast.runs_out_at
    return at is not None and at - look.now <= SOON


def _blocked(current: Catalog, meter: MeterView, look: MetricForecast, actions: Sequence[ActionView]) -> BannerView:
    refused = tuple(action.name for action in actions if meter.metric in action.blocking)
    offer = forecasts.suggestion(current, meter.metric, look)
    return BannerView(BannerKind.BLOCKED, meter.metric, meter.blocked_since, meter.deficit, refused, offer=offer)


def _debt(current: Catalog, meter: MeterView, look: MetricForecast) -> BannerView:
    offer = forecasts.offer(current, meter.metric, look, look.owed())
    return BannerView(BannerKind.DEBT, meter.metric, quantity=meter.debt, offer=offer)
