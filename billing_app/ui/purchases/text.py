"""The buy page: from the view to what the screen shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from billing_app.services.credits.views_shared import Forecast, ForecastKind
from billing_app.services.overview.views_frame import FrameView
from billing_app.services.purchases.views_buying import BasketLine, BuyView, MetricPacks, PackView
from billing_app.ui import routes
from billing_app.ui.frame.text import why_not_buying
from billing_app.ui.kit.chart_text import Chart
from billing_app.ui.kit.formats import Formats, day, long_day
from billing_app.ui.kit.records import Choice, MetricLabel, in_a_sentence, metric_choices, metric_label
from billing_app.ui.overview.text import recount_text
from billing_app.ui.purchases.needs import NeedScreen, need_chart, need_screen

MAX_COUNT = 99
"""Of one pack; more is a typing mistake."""


@dataclass(frozen=True)
class PackRow:
    """One line of the packs table: the head of a metric's group, or a pack."""

    head: bool = False
    metric: MetricLabel = field(default_factory=MetricLabel)
    note: str = ""
    href: str = ""
    id: str = ""
    quantity: str = ""
    unit_price: str = ""
    saving: str = ""
    until: str = ""
    price: str = ""
    count: int = 0
    refusal: str = ""
    """Why its count cannot be raised."""


@dataclass(frozen=True)
class BasketRow:
    """One line of the basket."""

    id: str = ""
    metric: MetricLabel = field(default_factory=MetricLabel)
    name: str = ""
    note: str = ""
    price: str = ""


@dataclass(frozen=True)
class BuyScreen:
    """Everything the buy page shows."""

    ready: bool = False
    credits_href: str = ""
    recount: str = ""
    recount_failed: bool = False
    metric: MetricLabel = field(default_factory=MetricLabel)
    choices: list[Choice] = field(default_factory=list)
    metric_base: str = ""
    need: NeedScreen = field(default_factory=NeedScreen)
    chart: Chart = field(default_factory=Chart)
    with_basket: bool = False
    kinds: list[Choice] = field(default_factory=list)
    kind: str = ""
    kind_base: str = ""
    kind_note: str = ""
    rows: list[PackRow] = field(default_factory=list)
    basket: list[BasketRow] = field(default_factory=list)
    count: str = ""
    total: str = ""
    total_label: str = "Total, before tax"
    monthly: str = ""
    notes: list[Choice] = field(default_factory=list)
    refusal: str = ""
    """Why payment cannot begin; empty when it can."""


def buy_screen(view: BuyView, frame: FrameView, formats: Formats, kind: str = "once") -> BuyScreen:
    """The screen of packs and basket; `kind` is "once" or "month"."""
    address = frame.organization.address
    metric = view.need.metric if view.need else None
    counts = {line.pack.id: line.count for line in view.basket}
    has_recurring = any(pack.recurring for group in view.metrics for pack in group.packs)
    recurring = kind == "month" and has_recurring
    query = {"kind": "month" if recurring else ""}
    total = sum(counts.values())
    return BuyScreen(
        ready=True,
        credits_href=routes.credits(address, metric=metric.id if metric else ""),
        recount=recount_text(view.recount),
        recount_failed=view.recount.failed,
        metric=metric_label(metric) if metric else MetricLabel(),
        choices=metric_choices(view.choices or tuple(group.metric for group in view.metrics)),
        metric_base=routes.buy(address, **query) + ("&" if recurring else "?") + "metric=",
        need=need_screen(view.need, view, counts, formats) if view.need else NeedScreen(),
        chart=need_chart(view.need, view, formats) if view.need else Chart(),
        with_basket=bool(view.need and view.need.with_basket),
        kinds=[Choice("once", "One-time"), Choice("month", "Every month")] if has_recurring else [],
        kind="month" if recurring else "once",
        kind_base=routes.buy(address, metric=metric.id if metric else "") + ("&" if metric else "?") + "kind=",
        kind_note="charged every month, each valid one year" if recurring else "each valid one year from payment",
        rows=list(_rows(view, counts, recurring, address, formats)),
        basket=[_basket_row(line, view.now, formats) for line in view.basket],
        count="1 pack" if total == 1 else f"{total} packs",
        total=formats.money(view.total_cents, view.currency),
        total_label="Today, before tax" if view.monthly_cents else "Total, before tax",
        monthly=f"then {formats.money(view.monthly_cents, view.currency)} every month" if view.monthly_cents else "",
        notes=_notes(view, formats) if view.basket else [],
        refusal=why_not_buying(frame) or ("" if view.basket else "Put a pack into the basket first."),
    )


def _rows(view: BuyView, counts: dict[str, int], recurring: bool, address: str, formats: Formats) -> Iterable[PackRow]:
    for group in view.metrics:
        packs = [pack for pack in group.packs if pack.recurring == recurring]
        if not packs:
            continue
        label = metric_label(group.metric)
        href = routes.buy(address, metric=group.metric.id, kind="month" if recurring else "")
        yield PackRow(head=True, metric=label, note=_group_note(group, view.now, formats), href=href)
        for pack in packs:
            yield _pack_row(pack, label, counts.get(pack.id, 0), view.now, formats)


def _group_note(group: MetricPacks, now: datetime, formats: Formats) -> str:
    """ "25,120 left, lasts until 14 Dec"."""
    left = f"{formats.quantity(group.metric, group.left)} left"
    owed = f"{formats.quantity(group.metric, group.owed)} owed, " if group.owed else ""
    return f"{owed}{left}{_lasting(group.forecast, now)}"


def _lasting(forecast: Forecast, now: datetime) -> str:
    at = forecast.runs_out_at
    if forecast.kind is ForecastKind.RUNS_OUT and at is not None:
        return f", lasts until {day(at, now)}"
    if forecast.kind is ForecastKind.USED_UP:
        return ", used up"
    return {
        ForecastKind.PLAN_COVERS: ", the plan is enough",
        ForecastKind.UNLIMITED: ", unlimited in the plan",
        ForecastKind.LASTS: ", lasts long",
    }.get(forecast.kind, "")


def _pack_row(pack: PackView, label: MetricLabel, count: int, now: datetime, formats: Formats) -> PackRow:
    until = ""
    if pack.lasts_until is not None:
        until = f"{long_day(pack.lasts_until)}" if pack.outlasts else day(pack.lasts_until, now)
    return PackRow(
        metric=label,
        id=pack.id,
        quantity=formats.size(pack.metric, pack.quantity),
        unit_price=formats.unit_price(pack.metric, pack.quantity, pack.price_cents, pack.currency),
        saving=f"{pack.saving_percent}%" if pack.saving_percent else "",
        until=until,
        price=formats.money(pack.price_cents, pack.currency),
        count=count,
        refusal=f"No more than {MAX_COUNT} of one pack at once." if count >= MAX_COUNT else "",
    )


def _basket_row(line: BasketLine, now: datetime, formats: Formats) -> BasketRow:
    metric = line.pack.metric
    name = formats.named(metric, line.pack.quantity)
    if not metric.counts:
        name += f" {in_a_sentence(metric)}"
    return BasketRow(
        id=line.pack.id,
        metric=metric_label(metric),
        name=name if line.count == 1 else f"{line.count} \N{MULTIPLICATION SIGN} {name}",
        note=_line_note(line, now),
        price=formats.money(line.price_cents, line.pack.currency),
    )


def _line_note(line: BasketLine, now: datetime) -> str:
    lasting = f"lasts until {day(line.lasts_until, now)}" if line.lasts_until else ""
    if not line.pack.recurring:
        return lasting
    return f"every month, {lasting}" if lasting else "every month"


def _notes(view: BuyView, formats: Formats) -> list[Choice]:
    """What a payer should know; `value` is the icon."""
    notes = [Choice("calendar-check", f"Valid until {long_day(view.valid_until)}, on any plan.")]
    if view.monthly_cents:
        again = "What renews is charged every month until you cancel it; each month's credits last a year."
        notes.append(Choice("repeat", again))
    past = [line for line in view.basket if line.pays_for_past]
    again = [line for line in view.basket if line.burned_each_period]
    for line in past:
        quantity = formats.quantity(line.pack.metric, line.pays_for_past)
        whole = formats.named(line.pack.metric, line.pack.quantity * line.count)
        notes.append(Choice("history", f"Of the {whole}, {quantity} pay for what is already used."))
    for line in again:
        quantity = formats.quantity(line.pack.metric, line.burned_each_period)
        notes.append(Choice("repeat", f"At this level {quantity} are burned again every month."))
    if not past and not again:
        notes.append(Choice("shield-check", "All of it is for what comes next: nothing is owed for past use."))
    notes.append(Choice("refresh-cw", "Your balance changes by itself when the payment lands."))
    return notes
