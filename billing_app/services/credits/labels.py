"""Parts that several pages show: what a grant is called, when ledgers come up to date, months as views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog, Metric
from billing_app.domain.credits.forecast import TICK, MetricForecast
from billing_app.services.common.context import Context
from billing_app.services.credits import forecasts
from billing_app.services.credits.history import PAST_PERIODS, month_of
from billing_app.services.credits.views import GrantLabel, GrantSource
from billing_app.services.credits.views_shared import RecountView, UnpostedView
from billing_app.services.usage import meters, recounts, sources
from billing_app.services.usage.plans_in_force import Plans
from billing_app.services.usage.views import MonthView
from billing_app.store.common import runs
from billing_app.store.credits import grants as credit_store
from billing_app.store.credits import ledger as ledger_store
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters as meter_store

SOURCES = {
    "purchase": GrantSource.PACK,
    "recurring": GrantSource.RECURRING,
    "top_up": GrantSource.TOP_UP,
    "gift_card": GrantSource.GIFT_CARD,
    "operator": GrantSource.OPERATOR,
    "conversion": GrantSource.CONVERTED,
}
"""How pages name the sources of grants."""


def metric_with_credits(context: Context, current: Catalog, metric_id: str) -> Metric:
    """The metric that is asked for; without one, what is blocked or runs out first, as on the overview.

    Where nothing runs out it is that of the newest grant, or the catalogue's first. Raises NotFoundError
    `metric_not_found`.
    """
    session, organization = context.session, context.organization
    if metric_id:
        return current.metric(metric_id)
    looks = forecasts.shared(context, current.metric_ids)
    pressing = [(forecasts.cut_off(looks[metric.id]), metric) for metric in current.metrics]
    dated = [(at, metric) for at, metric in pressing if at is not None]
    if dated:
        return min(dated, key=lambda found: found[0])[1]
    rows = credit_store.grants(session, organization.pk)
    known = [row for row in rows if row.metric in current.metric_ids]
    return current.metric(max(known, key=lambda row: row.created_at).metric) if known else current.metrics[0]


def grant_label(row: GrantRow) -> GrantLabel:
    """Enough to name a grant; the reason is shown only where a person wrote it."""
    source = SOURCES.get(row.source, GrantSource.IMPORTED)
    written = source in (GrantSource.OPERATOR, GrantSource.GIFT_CARD)
    return GrantLabel(source, row.quantity, row.reason if written else "", row.paid_cents, row.currency.upper())


def recount_view(context: Context) -> RecountView:
    """When this organization's ledger was brought up to date, and when it will be."""
    session, organization, now = context.session, context.organization, context.now
    last_run = runs.recent(session, 1)
    failed = bool(last_run and last_run[0].error)
    return RecountView(_last_recount(session, organization), recounts.next_scheduled(now), failed)


def _last_recount(session: Session, organization: Organization) -> datetime | None:
    """The last run that looked at every organization, or a later one of this organization alone."""
    finished = runs.last_finished(session)
    moments = [organization.recounted_at, finished.as_of if finished else None]
    return max((moment for moment in moments if moment is not None), default=None)


def unposted(
    context: Context, metrics: Iterable[Metric], looks: Mapping[str, MetricForecast] | None = None
) -> list[UnpostedView]:
    """The computed line that ends every view of the ledger, for each metric where something waits to be posted.

    What the next recount would pass by has nothing to post, and a meter that may be used says what the engine says.
    `looks` saves running the engine again for metrics that a page has looked at already.
    """
    session, organization, now = context.session, context.organization, context.now
    rows = {row.metric: row for row in meter_store.of_organization(session, organization.pk)}
    due = [metric for metric in metrics if metric.id in rows and recounts.is_due(rows[metric.id], now)]
    if not due:
        return []
    since, posted = _last_recount(session, organization), ledger_store.balances(session, organization.pk)
    found = []
    for metric in due:
        meter = rows[metric.id]
        if looks is None and meters.usable(meter, now) and meter.valid_from <= now:
            pending = meter.left - meter.debt - posted.get(metric.id, 0)
        else:
            known = looks if looks is not None and metric.id in looks else forecasts.shared(context, [metric.id])
            look = known[metric.id]
            _, pending = recounts.balance_of(session, organization, metric.id, look.facts, look.state)
        if pending:
            found.append(UnpostedView(metric, pending, since, recounts.next_scheduled(now)))
    return found


def month_views(metric: str, look: MetricForecast, held: Plans, past: int = PAST_PERIODS) -> tuple[MonthView, ...]:
    """The months of a metric as pages draw them, oldest first, the last one running: it and the `past` before it."""
    first = look.period.number - past
    ends = {point.number: point.at for point in reversed(list(look.timeline.used_up()))}
    return tuple(
        _month(metric, look, held, number, ends.get(number)) for number in range(first, look.period.number + 1)
    )


def with_own(
    session: Session,
    payer: Organization,
    part: Organization,
    metric: Metric,
    look: MetricForecast,
    views: Iterable[MonthView],
) -> tuple[MonthView, ...]:
    """The payer's months, each with what the part used of it."""

    def own(number: int) -> int:
        month = month_of(look.facts, look.account, number)
        return sources.own(session, payer, part, metric, look, month)

    return tuple(replace(view, own=own(view.period.number)) for view in views)


def _month(metric: str, look: MetricForecast, held: Plans, number: int, used_up_at: datetime | None) -> MonthView:
    month = month_of(look.facts, look.account, number)
    running = number == look.period.number
    return MonthView(
        period=month.period,
        used=month.used,
        allowance=month.allowance,
        plan_name=held.largest(metric, month.period.start, min(look.now, month.period.end - TICK)).name,
        covered=month.covered if month.used else 0,
        burned=month.burned,
        uncovered=month.uncovered,
        deficit=month.deficit,
        running=running,
        projected=look.projected_use() if running else None,
        used_up_at=used_up_at,
    )
