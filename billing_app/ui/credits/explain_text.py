"""A balance explained: the sum, its picture, every step, where the rest is, and what was learnt later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pandas as pd

from billing_app.services.credits.views import ExplainStep, ExplainView, LaterAnswer
from billing_app.services.overview.views_frame import FrameView
from billing_app.ui import routes
from billing_app.ui.credits.text import GrantRow, grant_row
from billing_app.ui.kit.charts.base import Scale, scale_for
from billing_app.ui.kit.charts.explain import COLUMNS, explain_figure
from billing_app.ui.kit.formats import (
    Formats,
    clock,
    is_calendar_month,
    last_day,
    long_day,
    moment_text,
    month,
    month_with_year,
    plain_day,
)
from billing_app.ui.kit.records import (
    Chart,
    Choice,
    Field,
    MetricLabel,
    both,
    chart_caption,
    grant_name,
    metric_choices,
    metric_label,
)

WORDS = {
    "burn": "Use above the plan",
    "release": "Given back by a correction",
    "expire": "Ended unused",
    "void": "Voided",
    "refund": "Taken back by a refund",
    "hold": "On hold: disputed",
    "unhold": "Dispute won: given back",
    "debt": "Owed after a refund",
    "settle": "Paid what was owed",
    "convert": "Converted",
    "unposted": "Not yet posted",
    "earlier": "Everything before",
}
"""What a step of each kind is called; grants are called by their own name."""


@dataclass(frozen=True)
class StepRow:
    """One step of the sum."""

    when: str = ""
    what: str = ""
    note: str = ""
    change: str = ""
    balance: str = ""
    grew: bool = False
    href: str = ""


@dataclass(frozen=True)
class RestatedScreen:
    """A balance as it was shown then, and as it is known now."""

    visible: bool = False
    lines: list[Field] = field(default_factory=list)
    result: Field = field(default_factory=Field)


@dataclass(frozen=True)
class ExplainScreen:
    """Everything the explanation shows."""

    ready: bool = False
    empty: bool = False
    metric: MetricLabel = field(default_factory=MetricLabel)
    choices: list[Choice] = field(default_factory=list)
    metric_base: str = ""
    at: str = ""
    at_input: str = ""
    at_max: str = ""
    terms: list[Field] = field(default_factory=list)
    left: str = ""
    left_name: str = ""
    owes: bool = False
    """Nothing is left, and what comes next pays what is owed first."""
    chart: Chart = field(default_factory=Chart)
    steps: list[StepRow] = field(default_factory=list)
    left_out: str = ""
    where_title: str = ""
    where: list[GrantRow] = field(default_factory=list)
    later: RestatedScreen = field(default_factory=RestatedScreen)
    credits_href: str = ""
    csv_href: str = ""


def explain_screen(view: ExplainView, frame: FrameView, formats: Formats) -> ExplainScreen:
    """The screen of one balance."""
    address, metric = frame.organization.address, view.metric
    at = "" if view.at >= view.now else f"{view.at:%Y-%m-%dT%H:%M}"
    return ExplainScreen(
        ready=True,
        empty=not view.steps,
        metric=metric_label(metric),
        choices=metric_choices(view.metrics),
        metric_base=routes.explain(address, at=at) + ("&" if at else "?") + "metric=",
        at=moment_text(view.at),
        at_input=f"{view.at:%Y-%m-%dT%H:%M}",
        at_max=f"{view.now:%Y-%m-%dT%H:%M}",
        terms=_terms(view, formats),
        left=formats.change(metric, -view.debt) if view.debt else formats.quantity(metric, view.left),
        left_name=f"{metric.name} credits: the next ones pay what is owed"
        if view.debt
        else f"{metric.name} credits left",
        owes=bool(view.debt),
        chart=_chart(view, formats),
        steps=[_row(step, view, address, formats) for step in reversed(view.steps)],
        left_out=f"{view.steps_left_out} older steps are summed up in the first one" if view.steps_left_out else "",
        where_title=f"Where the {formats.quantity(metric, view.left)} are",
        where=[grant_row(one, metric, view.at, routes.ledger(address, grant=one.id), formats) for one in view.where],
        later=_later(view.later, view, formats),
        credits_href=routes.credits(address, metric=metric.id),
        csv_href=routes.api(address, "ledger.csv", metric=metric.id, to=f"{view.at:%Y-%m-%dT%H:%M:%SZ}"),
    )


def _terms(view: ExplainView, formats: Formats) -> list[Field]:
    """The equation's terms: what was granted, then what went, and what is owed beyond that."""
    metric = view.metric
    terms = [
        Field("granted", formats.quantity(metric, view.granted)),
        Field("burned", formats.quantity(metric, view.burned)),
        Field("expired", formats.quantity(metric, view.expired) if view.expired else "0"),
    ]
    others = (("voided", view.voided), ("taken back", view.clawed_back), ("on hold", view.held), ("owed", view.debt))
    for label, figure in others:
        if figure:
            terms.append(Field(label, formats.quantity(metric, figure)))
    return terms


def _when(step: ExplainStep, now: datetime) -> str:
    if step.kind == "unposted":
        return "today"
    if step.period is not None:
        far = now - step.period.end > timedelta(days=300)
        return month_with_year(step.period) if far else month(step.period)
    return plain_day(step.at) if step.at.year == now.year else long_day(step.at)


def _what(step: ExplainStep, view: ExplainView, formats: Formats) -> str:
    if step.kind == "grant" and step.label is not None:
        name = grant_name(step.label, view.metric, formats)
        return f"{name} “{step.label.note}”" if step.label.note else name
    return WORDS.get(step.kind, step.kind.capitalize())


def _row(step: ExplainStep, view: ExplainView, address: str, formats: Formats) -> StepRow:
    metric = view.metric
    note = ""
    if step.late_quantity and step.late_recorded_at is not None:
        late = formats.quantity(metric, abs(step.late_quantity))
        note = f"{late} reported late, on {plain_day(step.late_recorded_at)}"
    if step.kind == "unposted":
        note = "posts with the next recount"
    return StepRow(
        when=_when(step, view.now),
        what=_what(step, view, formats),
        note=note,
        change=formats.change(metric, step.quantity),
        balance=formats.quantity(metric, step.balance),
        grew=step.quantity > 0,
        href=routes.ledger(address, entry=step.entry) if step.entry and step.kind != "unposted" else "",
    )


def _chart(view: ExplainView, formats: Formats) -> Chart:
    metric = view.metric
    scale = scale_for(metric, max((abs(one.balance) for one in view.steps), default=0))
    rows = []
    for step in view.steps:
        low, high = sorted((step.balance - step.quantity, step.balance))
        change = formats.change(metric, step.quantity)
        rows.append(
            {
                "label": _axis(step, view.now),
                "base": scale.height(low),
                "height": scale.height(high - low),
                "kind": "granted" if step.quantity > 0 else "burned",
                "text": change,
                "hover": f"<b>{_what(step, view, formats)}</b><br>{change}<br>"
                f"{formats.quantity(metric, step.balance)} after it",
            }
        )
    rows.append(_result(view, scale, formats))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return Chart(
        both(lambda dark: explain_figure(frame, str(metric.hue), dark=dark)),
        title="The sum as a picture",
        caption=chart_caption(metric, scale.unit),
        alt=f"Waterfall of {len(view.steps)} steps that end at {rows[-1]['text']} {metric.name} credits. "
        "Each step is a row of the table below it.",
    )


def _result(view: ExplainView, scale: Scale, formats: Formats) -> dict[str, object]:
    """The last bar: what is left, or below zero what is owed."""
    if view.debt:
        height, text = scale.height(view.debt), formats.change(view.metric, -view.debt)
        owed = formats.quantity(view.metric, view.debt)
        return {
            "label": "Owed", "base": -height, "height": height, "kind": "owed", "text": text,
            "hover": f"<b>{owed} owed</b>",
        }  # fmt: skip
    left = formats.quantity(view.metric, view.left)
    return {
        "label": "Left", "base": 0.0, "height": scale.height(view.left), "kind": "left", "text": left,
        "hover": f"<b>{left} left</b>",
    }  # fmt: skip


def _axis(step: ExplainStep, now: datetime) -> str:
    """Short: a month's name, or the last day of a period that has none."""
    if step.kind == "earlier":
        return "before"
    if step.period is None or step.kind == "unposted":
        return _when(step, now)
    if is_calendar_month(step.period):
        return month(step.period)
    return f"to {plain_day(last_day(step.period.end))}"


def _later(later: LaterAnswer | None, view: ExplainView, formats: Formats) -> RestatedScreen:
    if later is None:
        return RestatedScreen()
    metric, when = view.metric, plain_day(later.at)
    names = {"burn": "Late use", "release": "A correction", "grant": "A grant", "refund": "A refund"}
    return RestatedScreen(
        visible=True,
        lines=[
            Field(f"{when}, as shown that day", formats.quantity(metric, later.shown_then)),
            *(
                Field(
                    f"{names.get(line.kind, WORDS.get(line.kind, line.kind))}, recorded {plain_day(line.recorded_at)}",
                    formats.change(metric, line.quantity),
                    hint=f"{long_day(line.recorded_at)}, {clock(line.recorded_at)} UTC",
                )
                for line in later.lines
            ),
        ],
        result=Field(f"{when}, as known now", formats.quantity(metric, later.known_now)),
    )
