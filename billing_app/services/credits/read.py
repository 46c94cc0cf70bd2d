"""The credits page: what is left of what, the balance over time, and which month burned which grant. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from billing_app.domain.common.periods import add_months
from billing_app.domain.credits.forecast import MetricForecast
from billing_app.domain.credits.timeline import Timeline
from billing_app.services.catalogue import versions
from billing_app.services.common.context import Context
from billing_app.services.credits import forecasts, labels
from billing_app.services.credits.read_grants import grant_views, totals, with_tokens
from billing_app.services.credits.views import CreditsView, PointAnswer
from billing_app.services.credits.views_shared import Forecast, ForecastKind
from billing_app.store.credits import grants as credit_store

MAX_MONTHS = 24
"""Of a balance line: at most two points a day, which a browser still draws at once."""

DAY = timedelta(days=1)

BY_USE = ("burn", "release")
"""What use does, a little at a time; everything else happens to the balance at one moment."""


def credits(context: Context, metric_id: str, *, months: int = 6) -> CreditsView:
    """The credits of one metric, with the balance over so many months.

    `metric_id` empty is what is blocked or runs out first. Raises NotFoundError `metric_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    current = versions.current(session, now)
    metric = labels.metric_with_credits(context, current, metric_id)
    look = forecasts.shared(context, [metric.id])[metric.id]
    rows = credit_store.grants(session, owner)
    forecast, sums = forecasts.forecast(look), totals(look)
    waiting = labels.unposted(context, [metric], {metric.id: look})
    return CreditsView(
        now=now,
        metric=metric,
        metrics=with_tokens(current, rows),
        allowance=look.account.allowance,
        left=look.account.left,
        granted=sums.granted,
        burned=sums.burned,
        expired=sums.expired,
        voided=sums.voided,
        clawed_back=sums.clawed_back,
        held=sums.held,
        debt=look.account.debt,
        forecast=forecast,
        recount=labels.recount_view(context),
        unposted=waiting[0] if waiting else None,
        balance=balance_line(look.timeline, add_months(now, -min(max(months, 1), MAX_MONTHS)), now),
        ahead=tuple(_ahead(look, forecast)),
        grants=grant_views(look, [row for row in rows if row.metric == metric.id]),
    )


def balance_line(timeline: Timeline, since: datetime, now: datetime) -> tuple[PointAnswer, ...]:
    """The balance from `since` to now as a line that is straight between two points.

    Use is told once a day, and not before the day on which it began to burn; where a grant came, or credits went at one
    moment, two points of the same moment stand for before and after.
    """
    sudden = {step.at for step in timeline.state.trace or () if step.grant_id is not None and step.kind not in BY_USE}
    granted: dict[datetime, int] = {}
    for step in timeline.state.trace or ():
        if step.kind == "grant":
            granted[step.at] = granted.get(step.at, 0) + step.quantity
    left = timeline.left_at(since)
    points, by_use = [PointAnswer(since, left)], False
    for point in timeline.points:
        added = granted.get(point.at, 0)
        if not since < point.at <= now or (point.left == left and not added):
            continue
        if point.at in sudden:
            points.append(PointAnswer(point.at, left))
            by_use = False
        else:
            midnight = _midnight(point.at)
            if points[-1].at < midnight - DAY:
                points.append(PointAnswer(midnight, left))
            elif by_use and points[-1].at >= midnight:
                points.pop()
            by_use = True
        left = point.left
        points.append(PointAnswer(point.at, left, added))
    return (*points, PointAnswer(now, left))


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _ahead(look: MetricForecast, forecast: Forecast) -> Iterator[PointAnswer]:
    """The line from now to the run-out that the forecast tells, or to the end of its horizon."""
    if look.pace is None or forecast.kind in (ForecastKind.UNKNOWN, ForecastKind.USED_UP):
        return
    ends = forecast.runs_out_at if forecast.kind is ForecastKind.RUNS_OUT else None
    left = look.account.left
    for point in look.points(ends or look.horizon):
        if point.granted or (look.pace_is_level and point.left != left):
            yield PointAnswer(point.at, left)  # a level burns when a period turns, not day by day
        yield PointAnswer(point.at, point.left, point.granted)
        left = point.left
    if ends is not None:
        yield PointAnswer(ends, 0)
