"""Moments on an axis: which to name, and points as a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import cast

import pandas as pd

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.common.periods import add_months, month_start
from billing_app.services.credits.views import PointAnswer
from billing_app.ui.kit.charts.balance import COLUMNS, Ticks
from billing_app.ui.kit.charts.base import Scale
from billing_app.ui.kit.formats import Formats, long_day, plain_day

MOST_TICKS = 8


def stamp(moment: datetime) -> pd.Timestamp:
    """A moment as charts want it: in UTC, without saying so."""
    return cast("pd.Timestamp", pd.Timestamp(moment).tz_convert(None))


def points_frame(points: Iterable[PointAnswer], metric: Metric, scale: Scale, formats: Formats) -> pd.DataFrame:
    """Balance points as a frame."""
    rows = [
        {
            "at": stamp(one.at),
            "left": scale.height(one.left),
            "granted": formats.change(metric, one.granted) if one.granted else "",
            "hover": f"<b>{long_day(one.at)}</b><br>{formats.quantity(metric, one.left)} left",
        }
        for one in points
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def ticks(start: datetime, end: datetime, most: int = MOST_TICKS) -> Ticks:
    """First days of months, or of weeks where the span is short; at most so many."""
    moments = _within(_months(start, end), start, end)
    if len(moments) < 3:
        moments = _within(_weeks(start, end), start, end)
    step = -(-len(moments) // most) or 1
    chosen = moments[::step]
    return Ticks([stamp(one) for one in chosen], [_named(one) for one in chosen])


def _named(moment: datetime) -> str:
    return f"{plain_day(moment)} {moment:%y}" if moment.month == 1 and moment.day == 1 else plain_day(moment)


def _within(moments: Iterable[datetime], start: datetime, end: datetime) -> list[datetime]:
    """Without those whose names would be cut at the edges."""
    edge = (end - start) * 0.03
    return [one for one in moments if start + edge < one < end - edge]


def _months(start: datetime, end: datetime) -> list[datetime]:
    return _series(month_start(start), end, lambda moment: add_months(moment, 1))


def _weeks(start: datetime, end: datetime) -> list[datetime]:
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    return _series(midnight, end, lambda moment: moment + timedelta(days=7))


def _series(first: datetime, end: datetime, following: Callable[[datetime], datetime]) -> list[datetime]:
    moments = [first]
    while moments[-1] < end:
        moments.append(following(moments[-1]))
    return moments
