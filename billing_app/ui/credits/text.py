"""The credits page: from the view to what the screen shows, and grants as rows of any page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing_app.domain.catalogue import TOKEN_ID
from billing_app.domain.catalogue.model import Metric
from billing_app.services.credits.views import CreditsView, GrantStatus, GrantView
from billing_app.services.credits.views_shared import ForecastKind
from billing_app.services.overview.views_frame import FrameView
from billing_app.ui import routes
from billing_app.ui.kit.charts.balance import balance_figure
from billing_app.ui.kit.charts.base import scale_for
from billing_app.ui.kit.formats import Formats, clock, day, in_days, long_day, month
from billing_app.ui.kit.records import (
    Chart,
    Choice,
    Field,
    MetricLabel,
    Table,
    both,
    grant_name,
    grant_note,
    metric_choices,
    metric_label,
)
from billing_app.ui.kit.timeline import points_frame, stamp, ticks
from billing_app.ui.overview.meters_text import SOON

ENDS_SOON = timedelta(days=30)
BURNS = 4
"""How many months a row names; older ones are summed up."""

BADGES = {
    GrantStatus.BURNING: ("Burning now", "credits"),
    GrantStatus.NEXT: ("Next", "quiet"),
    GrantStatus.PENDING: ("Not yet valid", "quiet"),
    GrantStatus.HELD: ("On hold", "soon"),
    GrantStatus.EXPIRED: ("Ended", "quiet"),
    GrantStatus.VOIDED: ("Voided", "quiet"),
    GrantStatus.REFUNDED: ("Refunded", "quiet"),
}
"""What is waiting or used up needs no badge: its figures say so."""


@dataclass(frozen=True)
class GrantRow:
    """One grant."""

    name: str = ""
    note: str = ""
    badge: str = ""
    badge_tone: str = ""
    left: str = ""
    quantity: str = ""
    burned_share: str = "0%"
    gone_share: str = "0%"
    bar_label: str = ""
    start: str = ""
    end: str = ""
    end_note: str = ""
    end_tone: str = ""
    burns: list[str] = field(default_factory=list)
    dim: bool = False
    href: str = ""


def grant_row(grant: GrantView, metric: Metric, now: datetime, href: str, formats: Formats) -> GrantRow:
    """The row of one grant."""
    badge, tone = BADGES.get(grant.status, ("", ""))
    gone = grant.expired + grant.voided + grant.clawed_back
    spendable = grant.left > 0 or grant.held > 0 or grant.status is GrantStatus.PENDING
    end_note, end_tone = _end_note(grant, metric, now, formats)
    return GrantRow(
        name=grant_name(grant.label, metric, formats),
        note=", ".join([grant_note(grant.label, formats), *_went_back(grant, metric, formats)]),
        badge=badge,
        badge_tone=tone,
        left=formats.quantity(metric, grant.left) if grant.left else "0",
        quantity=formats.size(metric, grant.quantity),
        burned_share=_share(grant.burned, grant.quantity),
        gone_share=_share(gone, grant.quantity),
        bar_label=f"{formats.quantity(metric, grant.burned)} of {formats.size(metric, grant.quantity)} burned",
        start=long_day(grant.effective_at),
        end=long_day(grant.expires_at) if grant.expires_at else "never",
        end_note=end_note,
        end_tone=end_tone,
        burns=_burns(grant, metric, formats),
        dim=not spendable,
        href=href,
    )


def _went_back(grant: GrantView, metric: Metric, formats: Formats) -> list[str]:
    """What a refund or a dispute did to it, beyond what its badge says: "400 taken back", "80 owed"."""
    words = []
    if grant.clawed_back and grant.status is not GrantStatus.REFUNDED:
        words.append(f"{formats.quantity(metric, grant.clawed_back)} taken back")
    if grant.debt:
        words.append(f"{formats.quantity(metric, grant.debt)} owed")
    if grant.held:
        words.append("payment disputed")
    return words


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "0%"


def _end_note(grant: GrantView, metric: Metric, now: datetime, formats: Formats) -> tuple[str, str]:
    if grant.held:
        return f"{formats.quantity(metric, grant.held)} on hold", "soon"
    if grant.expired:
        return f"{formats.quantity(metric, grant.expired)} ended unused", ""
    if grant.expires_at is None or not grant.left:
        return "", ""
    return in_days(grant.expires_at, now), "soon" if grant.expires_at - now <= ENDS_SOON else ""


def _burns(grant: GrantView, metric: Metric, formats: Formats) -> list[str]:
    """ "Sep 10,720", "Oct 4,870"; the oldest ones as "earlier 9,490"."""
    if not grant.burns:
        return ["not yet valid"] if grant.status is GrantStatus.PENDING else ["not yet used"]
    older, newer = grant.burns[:-BURNS], grant.burns[-BURNS:]
    if len(older) == 1:
        older, newer = (), grant.burns[-BURNS - 1 :]
    words = [f"{month(burn.period)} {formats.quantity(metric, burn.quantity)}" for burn in newer]
    total = sum(burn.quantity for burn in older)
    return [f"earlier {formats.quantity(metric, total)}", *words] if older else words


RANGES = (6, 12)
DEFAULT_RANGE = 6
LOOK_AHEAD = 0.18
"""How much of the picture's width is kept for what comes, at least and, unless the run-out is near, at most."""


@dataclass(frozen=True)
class CreditsScreen:
    """Everything the credits page shows."""

    ready: bool = False
    empty: bool = False
    metric: MetricLabel = field(default_factory=MetricLabel)
    choices: list[Choice] = field(default_factory=list)
    metric_base: str = ""
    ranges: list[Choice] = field(default_factory=list)
    span: str = ""
    span_base: str = ""
    left: str = ""
    left_exact: str = ""
    until: str = ""
    until_note: str = ""
    until_tone: str = ""
    sums: list[Field] = field(default_factory=list)
    explain_href: str = ""
    chart: Chart = field(default_factory=Chart)
    ahead: bool = False
    filters: list[Choice] = field(default_factory=list)
    kept: str = ""
    kept_base: str = ""
    grants: list[GrantRow] = field(default_factory=list)
    total_left: str = ""
    total_granted: str = ""
    total_burned: str = ""
    csv_href: str = ""
    tokens: bool = False
    buy_href: str = ""


def credits_screen(
    view: CreditsView, frame: FrameView, formats: Formats, months: int = DEFAULT_RANGE, only_left: bool = False
) -> CreditsScreen:
    """The screen of one metric's credits."""
    address, metric = frame.organization.address, view.metric
    kept = months if months != DEFAULT_RANGE else ""
    until, until_note, until_tone = _until(view)
    spendable = [one for one in view.grants if one.left or one.held]
    listed = spendable if only_left else view.grants
    return CreditsScreen(
        ready=True,
        empty=not view.grants,
        metric=metric_label(metric),
        choices=metric_choices(view.metrics),
        metric_base=routes.credits(address, months=kept) + ("&" if kept else "?") + "metric=",
        ranges=[Choice(str(count), f"{count} months") for count in RANGES],
        span=str(months),
        span_base=routes.credits(address, metric=metric.id, show="left" if only_left else "") + "&months=",
        left=formats.quantity(metric, view.left),
        left_exact=formats.exact(metric, view.left),
        until=until,
        until_note=until_note,
        until_tone=until_tone,
        sums=_sums(view, formats),
        explain_href=routes.explain(address, metric=metric.id),
        chart=_chart(view, formats),
        ahead=bool(view.ahead),
        filters=[Choice("all", f"All {len(view.grants)}"), Choice("left", f"With credits left {len(spendable)}")],
        kept="left" if only_left else "all",
        kept_base=routes.credits(address, metric=metric.id, months=kept) + "&show=",
        grants=[grant_row(one, metric, view.now, routes.ledger(address, grant=one.id), formats) for one in listed],
        total_left=formats.quantity(metric, sum(one.left for one in listed)),
        total_granted=formats.quantity(metric, sum(one.quantity for one in listed)),
        total_burned=f"{formats.quantity(metric, sum(one.burned for one in listed))} burned",
        csv_href=routes.api(address, "grants.csv", metric=metric.id),
        tokens=any(one.id == TOKEN_ID for one in view.metrics),
        buy_href=routes.buy(address, metric=metric.id),
    )


def _until(view: CreditsView) -> tuple[str, str, str]:
    """Until when the credits last: a day and words beside it, and the day's tone."""
    forecast = view.forecast
    at = forecast.runs_out_at
    if view.debt:
        return "", "The next credits pay what is owed first.", "blocked"
    if forecast.kind is ForecastKind.RUNS_OUT and at is not None:
        return day(at, view.now), "runs out at this pace", "soon" if at - view.now <= SOON else ""
    if forecast.kind is ForecastKind.USED_UP and at is not None:
        return "Used up", f"since {day(at, view.now)}, {clock(at)} UTC", "blocked"
    if forecast.kind is ForecastKind.LASTS and at is not None:
        return long_day(at), "or later, at this pace", ""
    words = {
        ForecastKind.PLAN_COVERS: "The plan is enough at this pace.",
        ForecastKind.UNLIMITED: "The plan is unlimited.",
    }
    return "", words.get(forecast.kind, "Not enough days of use to say until when."), "quiet"


def _sums(view: CreditsView, formats: Formats) -> list[Field]:
    """Granted minus everything that went: what is left."""
    metric = view.metric
    lines = [Field("Granted", formats.quantity(metric, view.granted))]
    lines.append(Field("Burned", formats.change(metric, -view.burned)))
    if view.unposted is not None and view.unposted.quantity:
        lines.append(Field("not yet posted", formats.change(metric, view.unposted.quantity), "inner"))
    lines.append(Field("Expired", formats.change(metric, -view.expired)))
    for label, figure in (("Voided", view.voided), ("Taken back", view.clawed_back), ("On hold", view.held)):
        if figure:
            lines.append(Field(label, formats.change(metric, -figure)))
    if view.debt:
        lines.append(Field("Owed", formats.quantity(metric, view.debt), "blocked"))
    return lines


def _chart(view: CreditsView, formats: Formats) -> Chart:
    metric = view.metric
    scale = scale_for(metric, max((one.left for one in (*view.balance, *view.ahead)), default=0))
    past = points_frame(view.balance, metric, scale, formats)
    start = view.balance[0].at if view.balance else view.now
    run_out = view.forecast.runs_out_at if view.forecast.kind is ForecastKind.RUNS_OUT else None
    room = (view.now - start) * LOOK_AHEAD
    end = view.now + max(room, timedelta(days=7))
    if run_out is not None and run_out - view.now < (view.now - start) * 0.75:
        end = max(end, run_out + (view.now - start) * 0.12)
    ahead = points_frame([one for one in view.ahead if one.at <= end], metric, scale, formats)
    visible_run_out = day(run_out, view.now) if run_out is not None and run_out <= end else ""
    axis = ticks(start, end)
    return Chart(
        both(
            lambda dark: balance_figure(
                past, ahead, str(metric.hue), axis, stamp(end), now=stamp(view.now), run_out=visible_run_out, dark=dark
            )
        ),
        title="Balance",
        caption=f"{metric.name} credits" + (f", {scale.unit}" if scale.unit else ""),
        alt=_alt(view, formats),
        table=_table(view, formats),
    )


def _table(view: CreditsView, formats: Formats) -> Table:
    metric = view.metric
    return Table(
        caption=f"Balance of {metric.name} credits",
        heads=["When", "Granted", "Left"],
        rows=[
            [
                long_day(one.at),
                formats.change(metric, one.granted) if one.granted else "",
                formats.quantity(metric, one.left),
            ]
            for one in reversed(view.balance)
        ],
    )


def _alt(view: CreditsView, formats: Formats) -> str:
    metric = view.metric
    grants = sum(1 for one in view.balance if one.granted)
    text = (
        f"Line chart of {metric.name} credits left: {formats.quantity(metric, view.left)} now, "
        f"{grants} grant{'' if grants == 1 else 's'} in the time shown."
    )
    if view.forecast.kind is ForecastKind.RUNS_OUT and view.forecast.runs_out_at is not None:
        text += f" At this pace they run out on {long_day(view.forecast.runs_out_at)}."
    return text + " The numbers are in the table below it."
