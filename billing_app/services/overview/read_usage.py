"""Use by month and by day, as the usage page shows it. Reads only, and reads roll-ups: never all events."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from billing_app.domain.catalogue import Metric
from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.common.periods import Period
from billing_app.domain.credits.accounts import Month
from billing_app.domain.credits.facts import Aggregation
from billing_app.domain.credits.forecast import TICK, MetricForecast
from billing_app.services.catalogue import versions
from billing_app.services.common import payers
from billing_app.services.common.context import Context
from billing_app.services.credits import forecasts, labels
from billing_app.services.credits.history import PAST_PERIODS, month_of
from billing_app.services.overview.views import UsageView
from billing_app.services.usage import sources as source_use
from billing_app.services.usage.views import DayAnswer, DaysView
from billing_app.store.organizations import tree
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import reported_levels

DAY = timedelta(days=1)

MONTHS = PAST_PERIODS + 1
"""The running period and the twelve before it (credits.md, History)."""

MAX_PAST = 1_200
"""Periods back that days are told of: a hundred years, long before any use."""


def usage(context: Context, metric_id: str, *, months: int = MONTHS, within: datetime | None = None) -> UsageView:
    """So many months of a metric, and the days of the one that `within` falls in (default: the running one).

    `metric_id` empty is the catalogue's first. Of a sub-organization that another pays for these are the payer's months
    with its own part in each, and its days are not told. Raises NotFoundError `metric_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    payer = payers.payer(session, organization, now)
    current = versions.current(session, now)
    metric = current.metric(metric_id) if metric_id else current.metrics[0]
    paying = replace(context, organization=payer)
    held = forecasts.plans(paying)
    look = forecasts.shared(paying, [metric.id])[metric.id]
    shown = labels.month_views(metric.id, look, held, past=min(max(months, 1), MONTHS) - 1)
    chosen = [view.period.number for view in shown if within is not None and view.period.contains(within)]
    number = chosen[0] if chosen else look.period.number
    month = month_of(look.facts, look.account, number)
    if payer.id == organization.id:
        sources = source_use.shares(session, organization, metric, look, month)
        ever_used = bool(look.facts.usage) or reported_levels.ever_reported(session, organization.pk)
    else:
        shown = labels.with_own(session, payer, organization, metric, look, shown)
        sources = source_use.own_shares(session, payer, organization, metric, look, month)
        ever_used = any(view.own for view in shown)
    return UsageView(
        now=now,
        metric=metric,
        metrics=current.metrics,
        months=shown,
        forecast=forecasts.forecast(look),
        recount=labels.recount_view(paying),
        chosen=number,
        days=_days_of(session, payer, metric, look, month),
        sources=sources,
        ever_used=ever_used,
        payer_name="" if payer.id == organization.id else payer.name,
    )


def days(context: Context, metric_id: str, period_number: int) -> DaysView:
    """The days of one period up to now.

    Raises NotFoundError `metric_not_found`, and `period_not_found` for a period to come.
    """
    session, organization, now = context.session, context.organization, context.now
    metric = versions.current(session, now).metric(metric_id)
    look = forecasts.shared(context, [metric.id])[metric.id]
    if not look.period.number - MAX_PAST <= period_number <= look.period.number:
        raise NotFoundError(f"Nothing is known of period {period_number}.", code="period_not_found")
    month = month_of(look.facts, look.account, period_number)
    return _days_of(session, organization, metric, look, month)


def _days_of(
    session: Session, organization: Organization, metric: Metric, look: MetricForecast, month: Month
) -> DaysView:
    """The days of `month`; their parts say who paid for each unit of use in the end."""
    period = month.period
    end = min(period.end, look.now + TICK)
    if metric.aggregation in (Aggregation.SUM, Aggregation.UNIQUE):
        found = _added(look, month, end)
    else:
        found = _levels(session, organization, metric, look, month, end)
    first_known = look.timeline.points[0].number if look.timeline.points else period.number
    return DaysView(
        metric=metric,
        period=period,
        allowance=month.allowance,
        days=tuple(found),
        running=period.contains(look.now),
        reached_at=_reached_at(look, month),
        has_earlier=first_known < period.number,
        has_later=period.number < look.period.number,
    )


def _added(look: MetricForecast, month: Month, end: datetime) -> Iterator[DayAnswer]:
    """What each day added: the days sum to the month. A correction that outweighs the day's use makes it negative."""
    points = look.timeline.of_period(month.period.number)
    moments = [point.at for point in points]
    before = 0
    for start, stop in _spans(month.period, end):
        place = bisect_right(moments, stop - TICK)
        used = points[place - 1].used if place else 0
        yield _day(month, start, before, used)
        before = used


def _levels(
    session: Session, organization: Organization, metric: Metric, look: MetricForecast, month: Month, end: datetime
) -> Iterator[DayAnswer]:
    """The highest level of each day. A `level` stands until the next report; a `max` is only what was reported."""
    owner = organization.pk
    reported = list(reported_levels.levels(session, owner, metric.id, month.period.start, end))
    moments = [at for at, _ in reported]
    points = [point.at for point in look.timeline.points]
    # of levels that several organizations hold, each report is only a part
    together = metric.aggregation is Aggregation.LEVEL and tree.has_children(session, owner)
    for start, stop in _spans(month.period, end):
        heard = reported[bisect_right(moments, start - TICK) : bisect_right(moments, stop - TICK)]
        highest = [level for _, level in heard]
        if together:
            place = slice(bisect_right(points, start - TICK), bisect_right(points, stop - TICK))
            highest = [point.level for point in look.timeline.points[place]]
        before = bisect_right(points, start - TICK)
        if metric.aggregation is Aggregation.LEVEL and before:
            highest.append(look.timeline.points[before - 1].level)
        yield _day(month, start, 0, max(highest, default=0))


def _spans(period: Period, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The UTC days of a period up to `end`, as `[start, stop)`; where periods turn inside a day it is cut there."""
    start = period.start
    while start < end:
        midnight = (start.astimezone(UTC) + DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        yield start, min(midnight, period.end)
        start = midnight


def _day(month: Month, start: datetime, before: int, after: int) -> DayAnswer:
    """What use from `before` to `after` of the month was, by who paid for it in the end.

    The plan pays first, credits next, and what nobody paid comes last: a deficit is settled oldest first (rule 4), so
    what is unpaid is always the newest use.
    """
    covered = _paid(month, after)[0] - _paid(month, before)[0]
    burned = _paid(month, after)[1] - _paid(month, before)[1]
    unpaid = after - before - covered - burned
    uncovered, deficit = (0, unpaid) if month.deficit else (unpaid, 0)
    return DayAnswer(start, after - before, covered, burned, uncovered, deficit)


def _paid(month: Month, used: int) -> tuple[int, int]:
    """Of the first `used` units of a month what the plan and what credits paid."""
    covered = used if month.allowance is None else min(used, month.allowance)
    unpaid = month.uncovered + month.deficit
    # where nothing is unpaid, use that was taken back later had been paid by credits as well
    return covered, min(used - covered, month.burned) if unpaid else used - covered


def _reached_at(look: MetricForecast, month: Month) -> datetime | None:
    """Since when the month's use is at its allowance or above; None where it is not, or where nothing is included."""
    if not month.allowance:
        return None
    since: datetime | None = None
    for point in reversed(look.timeline.of_period(month.period.number)):
        if point.used < month.allowance:
            break
        since = point.at
    return since
