"""Usage and credits month by month (credits.md, History): chart, table, CSV and API are these numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from billing_app.domain.common.periods import period_at, period_containing
from billing_app.domain.credits.accounts import Account, Month
from billing_app.domain.credits.allowances import largest_held
from billing_app.domain.credits.facts import History
from billing_app.domain.credits.forecast import TICK
from billing_app.services.catalogue import versions
from billing_app.services.common import kept, payers
from billing_app.services.common.answers import filled
from billing_app.services.common.context import Context
from billing_app.services.credits import forecasts
from billing_app.services.credits.views_statements import BurnedFromAnswer, MonthAnswer
from billing_app.services.usage import sources
from billing_app.store.tables.organizations import Organization

PAST_PERIODS = 12
"""Ended periods that history shows besides the last one."""


@dataclass(frozen=True, slots=True)
class MetricHistory:
    """The months of one metric, oldest first; the last one is the running period, or the one that ends at `to`."""

    metric: str
    months: tuple[Month, ...]
    own: tuple[int, ...] | None = None
    """Of a sub-organization that another pays for: what it used of each month's use."""


def history(context: Context, *, to: datetime | None = None, metric: str | None = None) -> list[MetricHistory]:
    """Every metric's months, or one metric's, up to `to` (exclusive; default: now, with the running period).

    Of a sub-organization without a plan these are the months of its payer, without the payer's grants. Raises
    NotFoundError `metric_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    payer = payers.payer(session, organization, now)

    def read() -> kept.Fresh[tuple[MetricHistory, ...]]:
        found = _history(context, payer, to, metric)
        return kept.Fresh(tuple(found), weight=sum(len(each.months) for each in found))

    return list(kept.get(session, (organization, payer), now, ("history", to, metric), read))


def _history(context: Context, payer: Organization, to: datetime | None, metric: str | None) -> list[MetricHistory]:
    session, organization, now = context.session, context.organization, context.now
    paying = replace(context, organization=payer)
    current = versions.current(session, now)
    wanted = [current.metric(metric).id] if metric is not None else list(current.metric_ids)
    if to is None:
        looks = forecasts.shared(paying, wanted)
    else:
        held = forecasts.plans(paying)
        looks = {each: forecasts.of_metric(replace(paying, now=to), each, held) for each in wanted}
    found = []
    for metric_id, look in looks.items():
        shown = _months(look.facts, look.account, to or now, ended=to is not None)
        if payer.id == organization.id:
            found.append(MetricHistory(metric_id, shown))
            continue
        own = (sources.own(session, payer, organization, current.metric(metric_id), look, each) for each in shown)
        found.append(MetricHistory(metric_id, tuple(replace(each, burns={}) for each in shown), tuple(own)))
    return found


def as_items(found: Iterable[MetricHistory]) -> list[MonthAnswer]:
    """All months of all metrics as the API, the CSV and the command line tell them."""
    return [
        _item(each.metric, month, own)
        for each in found
        for month, own in zip(each.months, each.own or [None] * len(each.months), strict=True)
    ]


def _item(metric: str, month: Month, own_used: int | None) -> MonthAnswer:
    return filled(
        MonthAnswer,
        month,
        metric=metric,
        period=month.period.number,
        start=month.period.start,
        end=month.period.end,
        own_used=month.used if own_used is None else own_used,
        burned_from=tuple(BurnedFromAnswer(grant, quantity) for grant, quantity in sorted(month.burns.items())),
    )


def _months(facts: History, account: Account, until: datetime, *, ended: bool) -> tuple[Month, ...]:
    """The PAST_PERIODS periods before the one of `until`, and that one.

    With `ended`, `until` is an exclusive end: a period that begins exactly then is not shown any more.
    """
    last = period_containing(facts.anchor, until)
    if ended and last.start == until:
        last = period_at(facts.anchor, last.number - 1)
    return tuple(month_of(facts, account, number) for number in range(last.number - PAST_PERIODS, last.number + 1))


def month_of(facts: History, account: Account, number: int) -> Month:
    """The month of a period as `account` knows it; all zero where nothing happened yet."""
    for month in account.months:
        if month.period.number == number:
            return month
    period = period_at(facts.anchor, number)
    return Month(
        period, largest_held(facts, period.start, min(account.as_of, period.end - TICK)), 0, 0, 0, 0, 0, 0, 0, 0
    )
