"""Usage and credits month by month (credits.md, History): chart, table, CSV and API are these numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from billing_app.domain import engine
from billing_app.domain.accounts import Account, Month
from billing_app.domain.allowances import largest_held
from billing_app.domain.credits import History
from billing_app.domain.forecast import TICK
from billing_app.domain.periods import period_at, period_containing
from billing_app.services import accounts, catalog
from billing_app.store.tables.orgs import Organization

PAST_PERIODS = 12
"""Ended periods that history shows besides the last one."""


@dataclass(frozen=True, slots=True)
class MetricHistory:
    """The months of one metric, oldest first; the last one is the running period, or the one that ends at `to`."""

    metric: str
    months: tuple[Month, ...]


def history(
    session: Session,
    organization: Organization,
    now: datetime,
    *,
    to: datetime | None = None,
    metric: str | None = None,
) -> list[MetricHistory]:
    """Every metric's months, or one metric's, up to `to` (exclusive; default: now, with the running period).

    Raises NotFoundError `metric_not_found`.
    """
    current = catalog.current(session, now)
    wanted = [current.metric(metric).id] if metric is not None else list(current.metric_ids)
    held = accounts.plans(session, accounts.organization_id(organization))
    found = []
    for metric_id in wanted:
        facts = accounts.history(session, organization, metric_id, to or now, held=held)
        found.append(MetricHistory(metric_id, months(facts, to or now, ended=to is not None)))
    return found


def months(facts: History, until: datetime, *, ended: bool = False, past: int = PAST_PERIODS) -> tuple[Month, ...]:
    """The `past` periods before the one of `until`, and that one.

    With `ended`, `until` is an exclusive end: a period that begins exactly then is not shown any more.
    """
    last = period_containing(facts.anchor, until)
    account = engine.compute(facts, until)
    if ended and last.start == until:
        last = period_at(facts.anchor, last.number - 1)
    return tuple(month_of(facts, account, number) for number in range(last.number - past, last.number + 1))


def month_of(facts: History, account: Account, number: int) -> Month:
    """The month of a period as `account` knows it; all zero where nothing happened yet."""
    for month in account.months:
        if month.period.number == number:
            return month
    period = period_at(facts.anchor, number)
    return Month(
        period, largest_held(facts, period.start, min(account.as_of, period.end - TICK)), 0, 0, 0, 0, 0, 0, 0, 0
    )
