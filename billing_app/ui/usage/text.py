"""The usage page: from the view to what the screen shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.domain.credits.facts import Aggregation
from billing_app.services.overview.views import UsageView
from billing_app.services.overview.views_frame import FrameView
from billing_app.services.usage.views import MonthView
from billing_app.ui import routes
from billing_app.ui.kit.formats import Formats, month_in_words, month_with_year, possessive_month
from billing_app.ui.kit.records import Chart, Choice, Field, MetricLabel, metric_choices, metric_label
from billing_app.ui.usage.days import days_chart, days_note
from billing_app.ui.usage.months import (
    DEFICIT,
    UNCOVERED,
    month_cells,
    months_chart,
    own_cells,
    own_chart,
    unpaid_figures,
    unpaid_heads,
)

RANGES = (3, 13)
DEFAULT_RANGE = 13


@dataclass(frozen=True)
class MonthRow:
    """One line of the table; it leads to the month's days."""

    name: str = ""
    cells: list[str] = field(default_factory=list)
    unpaid: list[Field] = field(default_factory=list)
    href: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class SourceRow:
    """One organization whose use counts here."""

    name: str = ""
    used: str = ""
    share: str = ""
    others: bool = False
    """All others that the same plan pays for."""


@dataclass(frozen=True)
class UsageScreen:
    """Everything the usage page shows."""

    ready: bool = False
    empty: bool = False
    metric: MetricLabel = field(default_factory=MetricLabel)
    choices: list[Choice] = field(default_factory=list)
    metric_base: str = ""
    ranges: list[Choice] = field(default_factory=list)
    span: str = ""
    span_base: str = ""
    csv_href: str = ""
    stats: list[Field] = field(default_factory=list)
    chart: Chart = field(default_factory=Chart)
    month_hrefs: list[str] = field(default_factory=list)
    days: Chart = field(default_factory=Chart)
    days_note: str = ""
    earlier_href: str = ""
    later_href: str = ""
    rows: list[MonthRow] = field(default_factory=list)
    sources: list[SourceRow] = field(default_factory=list)
    sources_title: str = ""


def usage_screen(view: UsageView, frame: FrameView, formats: Formats, months: int = DEFAULT_RANGE) -> UsageScreen:
    """The screen of one metric's use."""
    address, metric, shared = frame.organization.address, view.metric, view.payer_name != ""
    kept = months if months != DEFAULT_RANGE else ""
    place = next((i for i, one in enumerate(view.months) if one.period.number == view.chosen), len(view.months) - 1)
    hrefs = [
        routes.usage(
            address, metric=metric.id, months=kept, month="" if one.running else f"{one.period.start:%Y-%m-%d}"
        )
        for one in view.months
    ]
    return UsageScreen(
        ready=True,
        empty=not view.ever_used,
        metric=metric_label(metric),
        choices=metric_choices(view.metrics),
        metric_base=routes.usage(address, months=kept) + ("&" if kept else "?") + "metric=",
        ranges=[Choice(str(count), f"{count} months") for count in RANGES],
        span=str(months),
        span_base=routes.usage(address, metric=metric.id) + "&months=",
        csv_href=routes.api(address, "history.csv", metric=metric.id),
        stats=(_own_stats if shared else _stats)(view, view.months[place], formats) if view.months else [],
        chart=(own_chart if shared else months_chart)(view.months, metric, formats, chosen=place),
        month_hrefs=hrefs,
        days=Chart() if shared else days_chart(view.days, formats),
        days_note="" if shared else days_note(view.days),
        earlier_href=hrefs[place - 1] if place > 0 else "",
        later_href=hrefs[place + 1] if place + 1 < len(hrefs) else "",
        rows=[
            _row(one, view, formats, hrefs[index], index == place)
            for index, one in reversed(list(enumerate(view.months)))
        ],
        sources=_sources(view, formats) if shared or len(view.sources) > 1 else [],
        sources_title=f"Where {possessive_month(view.days.period)} use came from",
    )


def _stats(view: UsageView, one: MonthView, formats: Formats) -> list[Field]:
    """The chosen month's four figures."""
    metric = view.metric
    name = f"{month_in_words(one.period)} so far" if one.running else month_with_year(one.period)
    figures = [
        Field(name, formats.quantity(metric, one.used), hint=formats.exact(metric, one.used)),
        Field("Covered by plan", formats.quantity(metric, one.covered), hint=formats.exact(metric, one.covered)),
        Field("Covered by credits", formats.quantity(metric, one.burned), hint=formats.exact(metric, one.burned)),
    ]
    if one.unpaid or not one.running:
        name = DEFICIT if one.running else UNCOVERED
        hint = formats.exact(metric, one.unpaid)
        return [*figures, Field(name, formats.quantity(metric, one.unpaid), _tone(one.unpaid), hint=hint)]
    return [*figures, _pace(view, formats)]


def _own_stats(view: UsageView, one: MonthView, formats: Formats) -> list[Field]:
    """The same where another pays: its own part, all of it, and what they share."""
    metric, own = view.metric, one.own or 0
    name = f"Yours in {month_in_words(one.period)}" if one.running else f"Yours in {month_with_year(one.period)}"
    included = "unlimited" if one.allowance is None else formats.size(metric, one.allowance)
    return [
        Field(name, formats.quantity(metric, own), hint=formats.exact(metric, own)),
        Field("All together", formats.quantity(metric, one.used), hint=formats.exact(metric, one.used)),
        Field("Included for all", included),
    ]


def _pace(view: UsageView, formats: Formats) -> Field:
    forecast, metric = view.forecast, view.metric
    if metric.aggregation is Aggregation.LEVEL:
        return Field("Held now", formats.quantity(metric, forecast.pace))
    if forecast.pace_days == 0:
        return Field("Pace", "not known yet", "quiet")
    return Field(f"Pace, last {forecast.pace_days} days", f"{formats.quantity(metric, forecast.pace)} a day")


def _row(one: MonthView, view: UsageView, formats: Formats, href: str, chosen: bool) -> MonthRow:
    if view.payer_name:
        name, *figures = own_cells(one, view.metric, formats)
        return MonthRow(name, figures, href=href, chosen=chosen)
    heads, figures = unpaid_heads(view.months), unpaid_figures(one, view.months)
    name, *cells = month_cells(one, view.months, view.metric, formats)
    unpaid = zip(heads, cells[-len(heads) :], map(_tone, figures), strict=True)
    return MonthRow(
        name=name,
        cells=cells[: -len(heads)],
        unpaid=[Field(*each) for each in unpaid],
        href=href,
        chosen=chosen,
    )


def _tone(unpaid: int) -> str:
    return "blocked" if unpaid else "quiet"


def _sources(view: UsageView, formats: Formats) -> list[SourceRow]:
    whole = sum(one.used for one in view.sources) or 1
    return [
        SourceRow(
            one.name or f"Others that {view.payer_name} pays for",
            formats.quantity(view.metric, one.used),
            f"{100 * one.used / whole:.1f}%",
            others=not one.name,
        )
        for one in view.sources
    ]
