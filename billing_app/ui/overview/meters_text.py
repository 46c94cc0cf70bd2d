"""The meter row: the card of a metric. A bar ends at the cut-off: included + burned + credits left."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing_app.services.credits.views_shared import ForecastKind, MeterState
from billing_app.services.overview.views import MeterView, OwnUse
from billing_app.ui.frame.banner_text import unavailable_since
from billing_app.ui.kit.formats import Formats, day, in_days, last_day, long_day, plain_day
from billing_app.ui.kit.records import METER_STATES, MetricLabel, metric_label

SOON = timedelta(days=30)
"""A run-out nearer than this is told in amber."""

OPEN_END = 0.7
"""How far an unlimited meter is drawn at most: it has no cut-off to measure against, so it never looks full."""


@dataclass(frozen=True)
class BarScreen:
    """Widths as CSS percentages of the track; `mark` is where the plan ends, empty when it includes nothing."""

    plan: str = "0%"
    credits: str = "0%"
    unpaid: str = "0%"
    mark: str = ""
    stop: bool = False
    unlimited: bool = False
    label: str = ""


@dataclass(frozen=True)
class MeterScreen:
    """One row. Tones are "", "soon", "blocked" and "quiet"."""

    metric: MetricLabel = field(default_factory=MetricLabel)
    bar: BarScreen = field(default_factory=BarScreen)
    used: str = ""
    used_exact: str = ""
    included: str = ""
    own: str = ""
    """ "yours 37", where all that one plan pays for use it together."""
    left: str = ""
    left_exact: str = ""
    left_tone: str = ""
    left_note: str = ""
    left_note_tone: str = ""
    until: str = ""
    until_dated: bool = False
    until_note: str = ""
    until_tone: str = ""
    state: str = ""
    state_tone: str = ""
    href: str = ""


def meter_screen(
    meter: MeterView,
    period_end: datetime,
    now: datetime,
    href: str,
    formats: Formats,
    own: OwnUse | None = None,
    plan_ends: datetime | None = None,
) -> MeterScreen:
    """The row of one metric; `own` where another pays, and so only a part of what is used is the reader's.

    `plan_ends` is when the plan ends that the meter is within now, if that is known.
    """
    metric = meter.metric
    until, until_note, until_tone = _until(meter, period_end, now, formats)
    if meter.state is MeterState.OK and meter.forecast.kind is ForecastKind.RUNS_OUT:
        until_note = _why_it_ends(meter, period_end, plan_ends, formats)
    left_note, left_note_tone = _left_note(meter, period_end, now, formats)
    state, state_tone = METER_STATES[meter.state]
    dated = meter.forecast.kind in (ForecastKind.RUNS_OUT, ForecastKind.LASTS)
    return MeterScreen(
        metric=metric_label(metric),
        bar=bar_screen(meter, formats),
        used=formats.quantity(metric, meter.used),
        used_exact=formats.exact(metric, meter.used),
        included=_included(meter, formats),
        left=formats.quantity(metric, meter.left),
        left_exact=formats.exact(metric, meter.left),
        left_tone="" if meter.left else "quiet",
        own=f"yours {formats.quantity(metric, own.used)}" if own else "",
        left_note=left_note,
        left_note_tone=left_note_tone,
        until=until,
        until_dated=dated,
        until_note=until_note,
        until_tone=until_tone,
        state=state,
        state_tone=state_tone,
        href=href,
    )


def bar_screen(meter: MeterView, formats: Formats) -> BarScreen:
    """The bar of a meter, and its sentence for those who cannot see it."""
    metric = meter.metric
    used = formats.quantity(metric, meter.used)
    if meter.allowance is None:
        reach = max(meter.used, meter.forecast.period_end_use or 0, 1)
        return BarScreen(
            plan=_percent(meter.used * OPEN_END, reach),
            unlimited=True,
            label=f"{metric.name}: {used} used, unlimited in the plan.",
        )
    whole = max(meter.allowance + meter.burned + meter.left + meter.deficit, 1)
    stopped = meter.state is MeterState.BLOCKED
    label = (
        f"{metric.name}: {used} used of {formats.size(metric, meter.allowance)} included, "
        f"{formats.quantity(metric, meter.burned)} of it paid by credits, {formats.quantity(metric, meter.left)} left."
    )
    return BarScreen(
        plan=_percent(meter.covered, whole),
        credits=_percent(meter.burned, whole),
        unpaid=_percent(meter.deficit, whole),
        mark=_percent(meter.allowance, whole) if meter.allowance else "",
        stop=stopped,
        label=label + (" Blocked." if stopped else ""),
    )


def _percent(part: float, whole: int) -> str:
    return f"{min(100 * part / whole, 100):.2f}%"


def _included(meter: MeterView, formats: Formats) -> str:
    if meter.allowance is None:
        return "unlimited"
    return f"of {formats.size(meter.metric, meter.allowance)}" if meter.allowance else "none included"


def _left_note(meter: MeterView, period_end: datetime, now: datetime, formats: Formats) -> tuple[str, str]:
    """What is to be said under "credits left", and its tone."""
    metric = meter.metric
    if meter.debt:
        return f"{formats.quantity(metric, meter.debt)} owed", "blocked"
    if meter.held:
        return f"{formats.quantity(metric, meter.held)} on hold", "soon"
    end = meter.next_end
    if end is not None and meter.left:
        when = long_day(end.at) if end.at - now > SOON else day(end.at, now)
        subject = "all" if end.all_of_it else formats.quantity(metric, end.quantity)
        verb = "end" if end.all_of_it or metric.counts else "ends"
        return f"{subject} {verb} {when}", "soon" if end.soon else ""
    if meter.left:
        return "without an end", ""
    if meter.burned:
        return f"{formats.quantity(metric, meter.burned)} burned in {last_day(period_end):%b}", ""
    return ("all used up" if meter.ever_granted else "none bought"), ""


def _why_it_ends(meter: MeterView, period_end: datetime, plan_ends: datetime | None, formats: Formats) -> str:
    """Why something within its plan runs out all the same: "ends in 21 days" beside "Within plan" is a riddle."""
    forecast, at = meter.forecast, meter.forecast.runs_out_at
    if at is not None and plan_ends is not None and plan_ends < at:
        return f"the plan ends {plain_day(plan_ends)}"
    if at is not None and at >= period_end and forecast.burn_per_period:
        return f"{formats.quantity(meter.metric, forecast.burn_per_period)} a month"
    if meter.allowance is not None and (forecast.period_end_use or 0) > meter.allowance:
        return f"use passes {formats.size(meter.metric, meter.allowance)}"
    return "in a later month" if at is not None and at >= period_end else "at this pace"


def _until(meter: MeterView, period_end: datetime, now: datetime, formats: Formats) -> tuple[str, str, str]:
    """Until when it lasts, what is said under it, and the tone."""
    forecast, metric = meter.forecast, meter.metric
    at = forecast.runs_out_at
    end_use = ""
    if forecast.period_end_use is not None:
        end_use = f"{formats.quantity(metric, forecast.period_end_use)} by {plain_day(last_day(period_end))}"
    each = f"{formats.quantity(metric, forecast.burn_per_period)} a month" if forecast.burn_per_period else ""
    if forecast.kind is ForecastKind.USED_UP:
        return "Used up", unavailable_since(at, now) if at else "", "blocked"
    if forecast.kind is ForecastKind.RUNS_OUT and at is not None:
        return day(at, now), each or in_days(at, now), "soon" if at - now <= SOON else ""
    if forecast.kind is ForecastKind.LASTS and at is not None:
        return f"After {day(at, now)}", each or "longer than looked ahead", ""
    if forecast.kind is ForecastKind.PLAN_COVERS:
        return "Plan covers it", end_use, "quiet"
    if forecast.kind is ForecastKind.UNLIMITED:
        return "Unlimited", end_use, "quiet"
    return "Not known yet", "after 3 days of use", "quiet"
