"""The buy page: from the view to what the screen shows, with the calculator and its balance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from billing_app.domain.catalogue import Metric
from billing_app.domain.credits.facts import Aggregation
from billing_app.services.credits.views import PointAnswer
from billing_app.services.credits.views_shared import Forecast, ForecastKind
from billing_app.services.overview.views_frame import FrameView
from billing_app.services.purchases.views_buying import BasketLine, BuyView, MetricPacks, NeedView, PackView
from billing_app.ui import routes
from billing_app.ui.frame.text import why_not_buying
from billing_app.ui.kit.charts.balance import Point, basket_figure
from billing_app.ui.kit.charts.base import scale_for
from billing_app.ui.kit.formats import Formats, day, last_day, long_day
from billing_app.ui.kit.records import (
    Chart,
    Choice,
    Field,
    MetricLabel,
    Table,
    both,
    in_a_sentence,
    metric_choices,
    metric_label,
    offer_basket,
)
from billing_app.ui.kit.timeline import points_frame, stamp, ticks
from billing_app.ui.overview.text import recount_text

SOON = timedelta(minutes=1)
"""What is bought now is named on the picture; what renewals bring later is only drawn."""

SMALL_TICKS = 5
"""Named days on the small picture's axis."""


@dataclass(frozen=True)
class NeedScreen:
    """The calculator."""

    visible: bool = False
    pace: str = ""
    label: str = ""
    choices: list[Choice] = field(default_factory=list)
    until: str = ""
    answer: str = ""
    offer: str = ""
    price: str = ""
    in_basket: bool = False
    basket: str = ""
    nothing: list[Field] = field(default_factory=list)
    """What is said in place of a drawing that would be empty: nothing is left, and what is owed."""
    nothing_note: str = ""


def need_screen(need: NeedView, view: BuyView, counts: dict[str, int], formats: Formats) -> NeedScreen:
    metric = need.metric
    chosen = need.until or need.choices[-1] if need.choices else view.now
    answer = offer = price = ""
    if need.offer is not None:
        answer = f"Cheapest set for {formats.quantity(metric, need.shortfall)} more"
        offer = " + ".join(
            f"{item.count} \N{MULTIPLICATION SIGN} {formats.size(metric, item.quantity)}" for item in need.offer.items
        )
        price = formats.money(need.offer.price_cents, need.offer.currency)
    elif need.shortfall:
        answer = f"{formats.quantity(metric, need.shortfall)} more would be needed, and no packs add up to it."
    elif need.forecast.kind is ForecastKind.UNKNOWN:
        answer = "As soon as there are three days of use, this says how much you need."
    else:
        answer = f"Nothing more is needed until {day(last_day(chosen), view.now)}."
    return NeedScreen(
        visible=True,
        pace=_pace(need.forecast, metric, formats),
        label=f"Cover {in_a_sentence(metric)} until",
        choices=[Choice(f"{end:%Y-%m-%d}", day(last_day(end), view.now)) for end in need.choices],
        until=f"{chosen:%Y-%m-%d}",
        answer=answer,
        offer=offer,
        price=price,
        in_basket=need.offer is not None and all(counts.get(item.pack, 0) >= item.count for item in need.offer.items),
        basket=offer_basket(need.offer) if need.offer else "",
        nothing=_nothing(need, _owed(need, view), formats),
        nothing_note=_nothing_note(_owed(need, view)),
    )


def _owed(need: NeedView, view: BuyView) -> int:
    """What the next credits of the metric pay first."""
    return next((group.owed for group in view.metrics if group.metric.id == need.metric.id), 0)


def _nothing(need: NeedView, owed: int, formats: Formats) -> list[Field]:
    if any(point.left > 0 for point in (*need.as_it_is, *need.with_basket)):
        return []
    left = Field("Left now", formats.quantity(need.metric, 0))
    return [left, Field("Owed for past use", formats.quantity(need.metric, owed), tone="blocked")] if owed else [left]


def _nothing_note(owed: int) -> str:
    if owed:
        return "What you buy pays this first. What is more counts from then on, and is drawn here."
    return "How long they last is drawn here as soon as something is in the basket."


def _pace(forecast: Forecast, metric: Metric, formats: Formats) -> str:
    if forecast.kind is ForecastKind.UNKNOWN or not forecast.pace_days:
        return f"{metric.name}: not enough data yet"
    if metric.aggregation is Aggregation.LEVEL:
        return f"{formats.quantity(metric, forecast.pace)} held now"
    pace = formats.quantity(metric, forecast.pace)
    return f"{pace}{' ' + metric.display_unit if metric.counts else ''} a day, last {forecast.pace_days} days"


def need_chart(need: NeedView, view: BuyView, formats: Formats) -> Chart:
    metric = need.metric
    points = (*need.as_it_is, *need.with_basket)
    scale = scale_for(metric, max((one.left for one in points), default=0))
    later = next((line.lasts_until for line in view.basket if line.pack.metric.id == metric.id), None)
    as_it_is, with_it = _until_empty(need.as_it_is, _run_out(need.forecast)), _until_empty(need.with_basket, later)
    plain = points_frame(as_it_is, metric, scale, formats)
    drawn = [one if one.at - view.now < SOON else replace(one, granted=0) for one in with_it]
    filled = points_frame((*as_it_is[:1], *drawn) if drawn else (), metric, scale, formats)
    end = max([one.at for one in (*as_it_is, *with_it)], default=view.now)
    end += (end - view.now) * 0.12
    if need.until is not None and need.until > end:
        end = need.until + (need.until - view.now) * 0.12
    axis = ticks(view.now, end, SMALL_TICKS)
    names = (_ending(as_it_is, view.now), _ending(with_it, view.now))
    goal = Point(stamp(need.until), day(last_day(need.until), view.now)) if need.until else None
    return Chart(
        both(
            lambda dark: basket_figure(
                plain, filled, str(metric.hue), axis, stamp(end), ends=names, goal=goal, dark=dark
            )
        ),
        title=f"{metric.name} credits left",
        caption=scale.unit,
        alt=f"Line chart of {metric.name} credits from now on. As it is: {names[0] or 'they last'}. "
        + (f"With the basket: {names[1] or 'they last'}." if with_it else "Nothing of it is in the basket.")
        + " The table of packs says until when each pack lasts.",
        table=Table(
            caption=f"{metric.name} credits from now on",
            heads=["When", "Left"],
            rows=[[long_day(one.at), formats.quantity(metric, one.left)] for one in (with_it or as_it_is)],
        ),
    )


def _run_out(forecast: Forecast) -> datetime | None:
    return forecast.runs_out_at if forecast.kind is ForecastKind.RUNS_OUT else None


def _until_empty(points: tuple[PointAnswer, ...], at: datetime | None) -> tuple[PointAnswer, ...]:
    """Up to the first moment at which nothing is left, which is `at` where that is known: what comes after is empty."""
    for place, one in enumerate(points):
        if one.left <= 0 and place:
            known = at is not None and at > points[place - 1].at
            return (*points[:place], replace(one, at=at) if known and at else one)
    return points


def _ending(points: tuple[PointAnswer, ...], now: datetime) -> str:
    """The day on which a balance runs out; empty if it does not, or has done so already."""
    runs_out = len(points) > 1 and points[0].left > 0 and points[-1].left <= 0
    return day(points[-1].at, now) if runs_out else ""


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
