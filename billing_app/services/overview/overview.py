"""The overview: every metric at a glance, what is wrong first, with the banners over it.

Reads only. One engine run per metric; usage comes from roll-ups, so an organization with two million events loads like
one with two thousand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog, Metric
from billing_app.domain.common.periods import period_containing
from billing_app.domain.credits.entitlements import Reading
from billing_app.domain.credits.facts import NEVER, Aggregation
from billing_app.domain.credits.forecast import MetricForecast
from billing_app.domain.organizations.limits import NOUNS, LimitUse
from billing_app.domain.purchases.subscriptions import PastDue
from billing_app.services.catalogue import versions
from billing_app.services.common import kept, payers
from billing_app.services.common.context import Context
from billing_app.services.credits import forecasts, labels
from billing_app.services.credits.history import month_of
from billing_app.services.credits.views_shared import ForecastKind, MeterState
from billing_app.services.limits import limits
from billing_app.services.overview.views import (
    ActionView,
    BannerKind,
    BannerView,
    EndingLine,
    MeterView,
    NextEnd,
    OverviewView,
    OwnUse,
    SpentLine,
    TakesView,
)
from billing_app.services.usage import plans_in_force, sources
from billing_app.store.credits import grants as credit_store
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters as meter_store

"""A run-out further away is no news yet."""

RANK = (
    BannerKind.BLOCKED,
    BannerKind.DEBT,
    BannerKind.PAST_DUE,
    BannerKind.RUNS_OUT,
    BannerKind.OVER_LIMIT,
    BannerKind.ENDS_UNUSED,
)


def banners_of(
    current: Catalog,
    meters: Sequence[MeterView],
    looks: Mapping[str, MetricForecast],
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


SOON = timedelta(days=30)
"""What ends or runs out within this is told."""

SHARED = (BannerKind.BLOCKED, BannerKind.RUNS_OUT, BannerKind.OVER_LIMIT)
"""What a sub-organization is told of the plan that pays for it: what stops, and not what the payer owes."""


def overview(context: Context, metric: str = "") -> OverviewView:
    """The first page. `metric` is the one whose months are drawn, empty for the one that is cut off soonest.

    Of a sub-organization that another pays for (rule 14) the meters are the payer's, with its own part beside them;
    what the payer bought is left out (docs/decisions/0016). Raises NotFoundError `metric_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    payer = payers.payer(session, organization, now)
    asked = ("overview", metric)
    return kept.get(session, (organization, payer), now, asked, lambda: _read(context, payer, metric))


def _read(context: Context, payer: Organization, metric: str) -> kept.Fresh[OverviewView]:
    session, organization, now = context.session, context.organization, context.now
    paying = replace(context, organization=payer)
    current = versions.current(session, now)
    if metric:
        current.metric(metric)
    held, looks = forecasts.plans(paying), forecasts.shared(paying, current.metric_ids)
    reserved, changes = meter_store.reserved_by_metric(session, payer.pk, now)
    view = _overview(paying, metric, current, held, looks, reserved)
    if payer.id != organization.id:
        view = _of_child(session, organization, payer, looks, view)
    return kept.Fresh(view, changes or NEVER)


def _overview(
    context: Context,
    metric: str,
    current: Catalog,
    held: plans_in_force.Plans,
    looks: Mapping[str, MetricForecast],
    reserved: Mapping[str, int],
) -> OverviewView:
    """The overview of one that pays for itself."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    rows = {row.id: row for row in credit_store.grants(session, owner)}
    meters = sorted((_meter(each, looks[each.id], reserved.get(each.id, 0)) for each in current.metrics), key=_urgency)
    blocked = {meter.metric.id for meter in meters if meter.state is MeterState.BLOCKED}
    actions = _actions(current, blocked)
    plan = held.held_at(now)
    chart = metric or (meters[0].metric.id if meters else "")
    return OverviewView(
        now=now,
        plan_name=plan.name,
        period=looks[chart].period if chart else period_containing(organization.anchor, now),
        recount=labels.recount_view(context),
        banners=banners_of(current, meters, looks, actions, held.past_due, limits.exceeded(context, plan)),
        meters=tuple(meters),
        metrics=current.metrics,
        actions=actions,
        chart=current.metric(chart) if chart else None,
        months=labels.month_views(chart, looks[chart], held) if chart else (),
        spent=_spent(current, looks, rows),
        ending=_ending(current, looks, rows, now),
        unposted=tuple(labels.unposted(context, current.metrics, looks)),
        takes=_takes(current, meters, looks, plan.name),
        ever_used=any(look.facts.usage for look in looks.values()),
    )


def _of_child(
    session: Session, child: Organization, payer: Organization, looks: Mapping[str, MetricForecast], view: OverviewView
) -> OverviewView:
    """The payer's overview as somebody of the part may see it."""

    def used(metric: Metric) -> OwnUse:
        look = looks[metric.id]
        month = month_of(look.facts, look.account, look.period.number)
        return OwnUse(metric, sources.own(session, payer, child, metric, look, month), month.used)

    months = view.months
    if view.chart:
        months = labels.with_own(session, payer, child, view.chart, looks[view.chart.id], view.months)
    own = tuple(used(meter.metric) for meter in view.meters)
    return replace(
        view,
        payer_name=payer.name,
        banners=tuple(banner for banner in view.banners if banner.kind in SHARED),
        months=months,
        own=own,
        spent=(),
        ending=(),
        unposted=(),
        ever_used=any(each.used for each in own) or any(month.own for month in months),
    )


def meter_state(reading: Reading) -> MeterState:
    """The state of a reading as pages name it."""
    return MeterState(reading.state.value)


def _meter(metric: Metric, look: MetricForecast, reserved: int) -> MeterView:
    account = look.account
    reading = Reading(look.facts.aggregation, account.allowance, account.used, account.left, reserved, account.level)
    month = account.month(look.period)
    return MeterView(
        metric=metric,
        allowance=account.allowance,
        used=account.used,
        level=account.level if look.facts.aggregation is Aggregation.LEVEL else account.used,
        covered=month.covered if month.used else 0,
        burned=month.burned,
        deficit=month.deficit,
        left=account.left,
        held=account.held,
        debt=account.debt,
        reserved=reserved,
        state=meter_state(reading),
        blocked_since=look.blocked_since() if reading.state.value == "blocked" else None,
        forecast=forecasts.forecast(look),
        next_end=_next_end(look),
        ever_granted=bool(look.facts.grants),
    )


def _next_end(look: MetricForecast) -> NextEnd | None:
    """The credits that end soonest."""
    left = [(each.expires_at, look.account.grants[each.id].left) for each in look.facts.grants]
    ends = sorted((ends_at, quantity) for ends_at, quantity in left if quantity and ends_at is not None)
    if not ends:
        return None
    at = ends[0][0]
    quantity = sum(each for ends_at, each in ends if ends_at == at)
    soon = at - look.now <= SOON and _ends_unused(look, at)
    return NextEnd(at, quantity, all_of_it=quantity == look.account.left, soon=soon)


def _ends_unused(look: MetricForecast, at: datetime) -> bool:
    """Whether credits that end at `at` are still there then, at this pace."""
    found = look.run_out()
    return found.at is None or found.at >= at


def _urgency(meter: MeterView) -> tuple[int, float]:
    """Blocked first, then the soonest cut-off."""
    if meter.state is MeterState.BLOCKED:
        return (0, 0)
    at = meter.forecast.runs_out_at
    if meter.forecast.kind is ForecastKind.RUNS_OUT and at is not None:
        return (1, at.timestamp())
    if meter.forecast.kind is ForecastKind.LASTS:
        return (2, 0)
    return (3, 0)


def _actions(current: Catalog, blocked: set[str]) -> tuple[ActionView, ...]:
    """Each action and whether it works; refused ones first."""
    views = [
        ActionView(
            rule.id,
            rule.name,
            needs=tuple(current.metric(metric) for metric in rule.metrics),
            blocking=tuple(current.metric(metric) for metric in rule.metrics if metric in blocked),
        )
        for rule in current.actions
    ]
    return tuple(sorted(views, key=lambda view: not view.blocking))


def _spent(current: Catalog, looks: Mapping[str, MetricForecast], rows: dict[str, GrantRow]) -> tuple[SpentLine, ...]:
    """What each metric burned in the running period, and of which grant most of it came."""
    lines = []
    for metric in current.metrics:
        look = looks[metric.id]
        burns = look.account.month(look.period).burns
        if not burns:
            continue
        most = rows[max(burns, key=lambda grant_id: (burns[grant_id], grant_id))]
        lines.append(
            SpentLine(metric, sum(burns.values()), labels.grant_label(most), most.effective_at, others=len(burns) - 1)
        )
    return tuple(lines)


def _ending(
    current: Catalog, looks: Mapping[str, MetricForecast], rows: dict[str, GrantRow], now: datetime
) -> tuple[EndingLine, ...]:
    """Credits that end within 30 days, the soonest first."""
    lines = []
    for metric in current.metrics:
        look = looks[metric.id]
        for fact in look.facts.grants:
            left = look.account.grants[fact.id].left
            if left and fact.expires_at is not None and fact.expires_at - now <= SOON:
                unused = _ends_unused(look, fact.expires_at)
                lines.append(EndingLine(metric, left, labels.grant_label(rows[fact.id]), fact.expires_at, unused))
    return tuple(sorted(lines, key=lambda line: line.ends_at))


def _takes(
    current: Catalog, meters: list[MeterView], looks: Mapping[str, MetricForecast], plan_name: str
) -> TakesView | None:
    """Why the first blocked metric is blocked and what it takes."""
    meter = next((each for each in meters if each.state is MeterState.BLOCKED and each.allowance is not None), None)
    if meter is None or meter.allowance is None:
        return None
    look = looks[meter.metric.id]
    level = look.facts.aggregation is Aggregation.LEVEL
    found = forecasts.suggestion(current, meter.metric, look)
    return TakesView(
        metric=meter.metric,
        used=meter.used,
        level=meter.level,
        allowance=meter.allowance,
        plan_name=plan_name,
        overage=max(0, (meter.level if level else meter.used) - meter.allowance),
        burned_again_at=look.period.end if level else None,
        resets_at=None if level else look.period.end,
        offer=found,
        pays_for_past=min(found.quantity, look.owed()) if found else 0,
    )
