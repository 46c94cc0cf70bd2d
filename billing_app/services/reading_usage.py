"""Use by month and by day, as the usage page shows it. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from billing_app.domain import engine
from billing_app.domain.allowances import largest_held
from billing_app.domain.catalog import Metric
from billing_app.domain.credits import Aggregation, History
from billing_app.domain.forecast import Outlook
from billing_app.domain.periods import Period, period_at
from billing_app.domain.running import RunningMonth
from billing_app.services import accounts, catalog, labels, outlooks
from billing_app.services.views import DaysView, DayView, SourceView, UsageView
from billing_app.store.tables.orgs import Organization

DAY = timedelta(days=1)
MONTHS = 13
"""The running period and the twelve before it (credits.md, History)."""


def usage(
    session: Session,
    organization: Organization,
    metric_id: str,
    now: datetime,
    *,
    months: int = MONTHS,
    chosen: int | None = None,
) -> UsageView:
    """So many months of a metric and the days of the chosen one (a period's number; default: the running one).

    `metric_id` empty is the catalogue's first. Raises NotFoundError `metric_not_found`.
    """
    current = catalog.current(session, now)
    metric = current.metric(metric_id) if metric_id else current.metrics[0]
    held = accounts.plans(session, accounts.organization_id(organization))
    look = outlooks.outlook(session, organization, metric.id, now, held)
    shown = labels.month_views(look.facts, held, now, past=min(max(months, 1), MONTHS) - 1, pace=look)
    numbers = [month.period.number for month in shown]
    number = chosen if chosen in numbers else look.period.number
    used = next((month.used for month in shown if month.period.number == number), 0)
    return UsageView(
        now=now,
        metric=metric,
        metrics=current.metrics,
        months=shown,
        forecast=outlooks.forecast(look),
        recount=labels.recount_view(session, organization, now),
        chosen=number,
        days=days(metric, look, number, numbers),
        sources=(SourceView(organization.address, organization.name, used),),
        ever_used=bool(look.facts.usage),
    )


def days(metric: Metric, look: Outlook, number: int, numbers: list[int]) -> DaysView:
    """The days of a period, split by who paid as the engine went through them; days to come are left out.

    What a later day or grant paid is shown on the day whose use it was.
    """
    facts, now = look.facts, look.now
    period = period_at(facts.anchor, number)
    found = list(_days(facts, period, min(now, period.end - timedelta(microseconds=1))))
    allowance = largest_held(facts, period.start, min(now, period.end))
    return DaysView(
        metric=metric,
        period=period,
        allowance=allowance,
        days=tuple(found),
        running=period.contains(now),
        reached_at=_reached_at(facts, period, allowance, now),
        has_earlier=number > numbers[0],
        has_later=number < numbers[-1],
    )


def _days(facts: History, period: Period, until: datetime) -> Iterator[DayView]:
    """One view per UTC day from the period's start to `until`."""
    state = engine.start(facts)
    engine.advance(state, facts, period.start - timedelta(microseconds=1))
    level = facts.aggregation in (Aggregation.LEVEL, Aggregation.MAX)
    before, month = (0, 0, 0), RunningMonth(period, 0)
    start = period.start
    while start <= until:
        end = min(_midnight_after(start), period.end)
        peak = state.level if facts.aggregation is Aggregation.LEVEL else 0
        for _instant in engine.steps(state, facts, min(end - timedelta(microseconds=1), until)):
            if state.begun and state.month.period == period:
                month = state.month
            peak = max(peak, _level_now(facts, state.level, month))
        after = (month.used - month.overage, month.burned, month.unpaid)
        if level:
            yield _level_day(start, peak, month)
        else:
            yield _grown_day(start, before, after)
        before, start = after, end


def _grown_day(start: datetime, before: tuple[int, int, int], after: tuple[int, int, int]) -> DayView:
    """What a day added; a correction may take back more than it added, which is shown as nothing."""
    covered, burned, unpaid = (new - old for new, old in zip(after, before, strict=True))
    # a grant that paid an older deficit moves it from unpaid to burned: on the day of the grant nobody used it
    paid_later = min(max(0, -unpaid), max(0, burned))
    parts = (max(0, covered), max(0, burned - paid_later), max(0, unpaid))
    return DayView(start, sum(parts), *parts)


def _level_day(start: datetime, peak: int, month: RunningMonth) -> DayView:
    """The highest level of a day; what is above the allowance is paid as the period's peak was."""
    allowance = peak if month.allowance is None else month.allowance
    covered = min(peak, allowance)
    burned = min(peak - covered, month.burned)
    return DayView(start, peak, covered, burned, peak - covered - burned)


def _level_now(facts: History, level: int, month: RunningMonth) -> int:
    return level if facts.aggregation is Aggregation.LEVEL else month.used


def _midnight_after(moment: datetime) -> datetime:
    return (moment + DAY).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _reached_at(facts: History, period: Period, allowance: int | None, now: datetime) -> datetime | None:
    """When the period's use first reached its allowance."""
    if not allowance:
        return None
    reached = (point.at for point in facts.usage if period.contains(point.at) and point.used >= allowance)
    return next((at for at in sorted(reached) if at <= now), None)
