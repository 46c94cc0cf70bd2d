"""The overview: from the view to what the screen shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.credits.facts import Aggregation
from billing_app.services.credits.views_shared import RecountView
from billing_app.services.overview.views import ActionView, BannerKind, OverviewView, TakesView
from billing_app.services.overview.views_frame import FrameView
from billing_app.ui import routes
from billing_app.ui.frame.banner_text import BannerScreen, banner_line, banner_screen
from billing_app.ui.kit.formats import (
    Formats,
    clock,
    day,
    days_left,
    is_calendar_month,
    month,
    month_in_words,
    plain_day,
    possessive_month,
)
from billing_app.ui.kit.records import (
    Chart,
    Choice,
    Field,
    MetricLabel,
    grant_name,
    in_a_sentence,
    metric_choices,
    metric_label,
    offer_basket,
)
from billing_app.ui.overview.meters_text import MeterScreen, meter_screen
from billing_app.ui.usage.months import months_chart, own_chart, share_text

DOT = "\N{MIDDLE DOT}"
LINES = 3
"""How many lines a list beside the chart has: as many as fit the first screen."""


@dataclass(frozen=True)
class ActionRow:
    """One action of the strip."""

    name: str = ""
    note: str = ""
    works: bool = True


@dataclass(frozen=True)
class CreditLine:
    """A metric with a line under it and a figure: what was burned, what ends."""

    metric: MetricLabel = field(default_factory=MetricLabel)
    note: str = ""
    figure: str = ""
    hint: str = ""


@dataclass(frozen=True)
class TakesScreen:
    """Why the first blocked metric is blocked, as a sum, and what it takes."""

    lines: list[Field] = field(default_factory=list)
    result: Field = field(default_factory=Field)
    text: str = ""
    href: str = ""


@dataclass(frozen=True)
class OverviewScreen:
    """Everything the overview shows."""

    ready: bool = False
    period: str = ""
    period_short: str = ""
    used_head: str = ""
    recount: str = ""
    recount_failed: bool = False
    banner: BannerScreen = field(default_factory=BannerScreen)
    others: list[str] = field(default_factory=list)
    actions: list[ActionRow] = field(default_factory=list)
    meters: list[MeterScreen] = field(default_factory=list)
    metric: MetricLabel = field(default_factory=MetricLabel)
    choices: list[Choice] = field(default_factory=list)
    metric_base: str = ""
    chart: Chart = field(default_factory=Chart)
    own: list[CreditLine] = field(default_factory=list)
    """Where another pays: the organization's own part of each metric."""
    spent_title: str = ""
    spent: list[CreditLine] = field(default_factory=list)
    ending: list[CreditLine] = field(default_factory=list)
    unposted: str = ""
    blocked: bool = False
    takes: TakesScreen = field(default_factory=TakesScreen)
    empty: bool = False


def recount_text(recount: RecountView) -> str:
    """ "Counted at 12:00 · next recount 18:00 UTC"."""
    if recount.failed:
        return f"The last recount failed {DOT} figures are exact {DOT} next {clock(recount.next_at)} UTC"
    counted = f"Counted at {clock(recount.last_at)}" if recount.last_at else "Not counted yet"
    return f"{counted} {DOT} next recount {clock(recount.next_at)} UTC"


def overview_screen(view: OverviewView, frame: FrameView, formats: Formats) -> OverviewScreen:
    """The screen of an organization's overview."""
    address, now, end = frame.organization.address, view.now, view.period.end
    return OverviewScreen(
        ready=True,
        period=f"{month_in_words(view.period)}, {days_left(end, now)}",
        period_short=f"{days_left(end, now)} {DOT} recount {clock(view.recount.next_at)} UTC",
        used_head=f"Used in {month(view.period)}"
        if is_calendar_month(view.period)
        else f"Since {plain_day(view.period.start)}",
        recount=recount_text(view.recount),
        recount_failed=view.recount.failed,
        banner=banner_screen(view.banners, view.actions, frame, end, now, formats),
        others=[banner_line(one, formats, now, view.payer_name) for one in view.banners[1:]],
        actions=[_action(one) for one in view.actions] if any(one.blocking for one in view.actions) else [],
        meters=[
            meter_screen(meter, end, now, routes.usage(address, metric=meter.metric.id), formats, own, _plan_ends(view))
            for meter, own in zip_longest(view.meters, view.own)
        ],
        metric=metric_label(view.chart) if view.chart else MetricLabel(),
        choices=metric_choices(view.metrics),
        metric_base=f"{routes.overview(address)}?metric=",
        chart=_chart(view, formats),
        own=_own(view, formats),
        spent_title=f"Your part in {month_in_words(view.period)}"
        if view.payer_name
        else f"Where {possessive_month(view.period)} credits went",
        spent=_spent(view, formats),
        ending=_ending(view, formats),
        unposted=_unposted(view, formats),
        blocked=view.takes is not None and not view.payer_name,
        takes=_takes(view.takes, view, address, formats) if view.takes else TakesScreen(),
        empty=not view.ever_used,
    )


def _plan_ends(view: OverviewView) -> datetime | None:
    """When a plan whose payment failed ends."""
    return next((one.at for one in view.banners if one.kind is BannerKind.PAST_DUE), None)


def _chart(view: OverviewView, formats: Formats) -> Chart:
    if view.chart is None:
        return Chart()
    return (own_chart if view.payer_name else months_chart)(view.months, view.chart, formats)


def _own(view: OverviewView, formats: Formats) -> list[CreditLine]:
    return [
        CreditLine(
            metric_label(one.metric),
            share_text(one.used, one.whole),
            formats.quantity(one.metric, one.used),
            formats.exact(one.metric, one.used),
        )
        for one in view.own
    ]


def _action(action: ActionView) -> ActionRow:
    if action.blocking:
        return ActionRow(f"{action.name} blocked", f"needs {_names(action.blocking)}", works=False)
    return ActionRow(action.name, f"works, {_names(action.needs)}")


def _names(metrics: tuple[Metric, ...]) -> str:
    return " + ".join(in_a_sentence(metric) for metric in metrics)


def _spent(view: OverviewView, formats: Formats) -> list[CreditLine]:
    return [
        CreditLine(
            metric_label(line.metric),
            f"{grant_name(line.label, line.metric, formats)}, {plain_day(line.granted_at)}"
            + (f" and {line.others} more" if line.others else ""),
            formats.change(line.metric, -abs(line.quantity)),
            formats.exact(line.metric, abs(line.quantity)),
        )
        for line in view.spent[:LINES]
    ]


def _ending(view: OverviewView, formats: Formats) -> list[CreditLine]:
    room = max(LINES - len(view.spent[:LINES]) + 1, 1)
    return [
        CreditLine(
            metric_label(line.metric),
            f"{'unused, ' if line.unused else ''}ends {day(line.ends_at, view.now)}",
            formats.quantity(line.metric, line.quantity),
            formats.exact(line.metric, line.quantity),
        )
        for line in view.ending[:room]
    ]


def _unposted(view: OverviewView, formats: Formats) -> str:
    """ "Not yet posted: −194 MAU, −2 SMS"."""
    if not view.unposted:
        return "Everything is posted."
    lines = [
        f"{formats.change(line.metric, line.quantity)} {line.metric.name}"
        if line.metric.counts
        else f"{formats.change(line.metric, line.quantity)} {in_a_sentence(line.metric)}"
        for line in view.unposted
    ]
    return f"Not yet posted: {', '.join(lines)}"


def _takes(takes: TakesView, view: OverviewView, address: str, formats: Formats) -> TakesScreen:
    """ "Held now 250 GB, included in Pro −100 GB: above the plan 150 GB", and what a pack would pay for."""
    metric = takes.metric
    level = metric.aggregation is Aggregation.LEVEL
    again = f", burned again on {day(takes.burned_again_at, view.now)}" if takes.burned_again_at else ""
    amount = takes.level if level else takes.used
    text = _offer_text(takes, formats)
    if level:
        text += " Deleting frees room at once."
    elif takes.resets_at is not None:
        text += f" On {day(takes.resets_at, view.now)} the plan's share starts anew."
    return TakesScreen(
        lines=[
            Field("Held now" if level else f"Used in {month_in_words(view.period)}", formats.quantity(metric, amount)),
            Field(f"Included in {takes.plan_name}", formats.change(metric, -takes.allowance)),
        ],
        result=Field(f"Above the plan{again}", formats.quantity(metric, takes.overage)),
        text=text.strip(),
        href=routes.buy(address, metric=metric.id, basket=offer_basket(takes.offer) if takes.offer else ""),
    )


def _offer_text(takes: TakesView, formats: Formats) -> str:
    """What the offered credits are for: what is already used, what the next period burns again, and room to grow."""
    if takes.offer is None:
        return ""
    metric, quantity = takes.metric, takes.offer.quantity
    past = min(takes.pays_for_past, quantity)
    again = min(takes.overage, quantity - past) if takes.burned_again_at else 0
    room = quantity - past - again
    parts = [f"{formats.quantity(metric, past)} pay for what is already used"] if past else []
    if again and takes.burned_again_at:
        verb = "" if past else "pay "
        parts.append(f"{formats.quantity(metric, again)} {verb}for {takes.burned_again_at:%B} at this level")
    if room and parts:
        parts.append(f"{formats.quantity(metric, room)} are room to grow")
    return f"Buy {formats.named(metric, quantity)}" + (f": {', '.join(parts)}." if parts else ".")
