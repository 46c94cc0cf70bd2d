"""The calculator: how much of a metric is needed until when, and the balance with and without the basket."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from billing_app.domain.catalogue import Metric
from billing_app.domain.credits.facts import Aggregation
from billing_app.services.credits.views import PointAnswer
from billing_app.services.credits.views_shared import Forecast, ForecastKind
from billing_app.services.purchases.views_buying import BuyView, NeedView
from billing_app.ui.kit.chart_text import Chart, both
from billing_app.ui.kit.charts.balance import Point, basket_figure
from billing_app.ui.kit.charts.scale import scale_for
from billing_app.ui.kit.formats import Formats, day, last_day, long_day
from billing_app.ui.kit.records import Choice, Field, Table, in_a_sentence, offer_basket
from billing_app.ui.kit.timeline import points_frame, stamp, ticks

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
