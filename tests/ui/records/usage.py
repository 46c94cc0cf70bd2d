"""Use by month and day."""

from __future__ import annotations

from datetime import datetime, timedelta

from billing_app.domain.common.periods import Period
from billing_app.domain.credits.facts import Aggregation
from billing_app.services.overview.views import UsageView
from billing_app.services.usage.views import DayAnswer, DaysView, SourceAnswer
from tests.ui.records import overview as overviews
from tests.ui.records.facts import BANDWIDTH, METRICS, NOW, RECOUNT, metric

SHAPE = (2290, 1730, 2410, 2480, 2350, 2390, 2260, 1690, 1650, 2380, 2440, 2330, 2350, 2210, 1700, 1680, 2290, 2400)
SHAPE += (2350, 2310, 600, 2200, 2100, 2300, 1900, 1800, 2250, 2360, 2410, 2330, 2100)


def usage(address: str, wanted: str, count: int, within: datetime | None) -> UsageView:
    """Months of a metric and the days of one of them."""
    chosen_metric = metric(wanted)
    base = {"meridian": overviews.meridian, "stopped": overviews.stopped, "fresh-start": overviews.fresh}[address]
    drawn = base(chosen_metric.id).months[-count:]
    chosen = next((one for one in drawn if within and one.period.contains(within)), drawn[-1])
    forecast = next(one.forecast for one in base("").meters if one.metric is chosen_metric)
    return UsageView(
        now=NOW,
        metric=chosen_metric,
        metrics=METRICS,
        months=drawn,
        forecast=forecast,
        recount=RECOUNT,
        chosen=chosen.period.number,
        days=days(chosen_metric, chosen, has_earlier=chosen is not drawn[0], has_later=chosen is not drawn[-1]),
        sources=(
            SourceAnswer("meridian", "Meridian Apps", chosen.used * 7 // 10),
            SourceAnswer("meridian-labs", "Meridian Labs", chosen.used - chosen.used * 7 // 10),
        )
        if chosen_metric is BANDWIDTH
        else (SourceAnswer("meridian", "Meridian Apps", chosen.used),),
        ever_used=address != "fresh-start",
    )


def days(wanted, month, *, has_earlier: bool, has_later: bool) -> DaysView:
    """The month's use spread over its days."""
    period: Period = month.period
    count = (min(period.end, NOW) - period.start) // timedelta(days=1) + (1 if month.running else 0)
    level = wanted.aggregation is Aggregation.LEVEL
    whole = sum(SHAPE[:count])
    allowance = month.allowance or 0
    result, so_far, reached = [], 0, None
    for place in range(count):
        start = period.start + timedelta(days=place)
        if level:
            quantity = month.used * (80 + 20 * (place + 1) // count) // 100
            plan = min(quantity, allowance)
            paid = quantity - plan
        else:
            quantity = month.used * SHAPE[place] // whole if whole else 0
            plan = max(min(allowance - so_far, quantity), 0)
            paid = quantity - plan
        so_far += quantity
        if paid and reached is None:
            reached = start + timedelta(hours=9)
        unpaid = paid if month.unpaid and not month.burned else 0
        result.append(DayAnswer(start, quantity, plan, paid - unpaid, unpaid, 0))
    if not month.used:
        result = []
    return DaysView(wanted, period, month.allowance, tuple(result), month.running, reached, has_earlier, has_later)
