"""What an organization may read of its credits: balances, grants and ledger, as plain figures for programs.

Computed by the engine from the facts, so a reader needs no lock and is right whether or not any job has run (credits.md
rule 2). What was computed stands until one of the facts is another one (`outlooks.shared`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from billing_app.domain.credits.accounts import Account, GrantAccount
from billing_app.domain.credits.entitlements import MeterState, Reading
from billing_app.domain.credits.forecast import Outlook
from billing_app.services.catalogue import versions
from billing_app.services.common import payers
from billing_app.services.common.context import Context
from billing_app.services.credits import forecasts
from billing_app.services.credits.history import month_of
from billing_app.services.credits.views_shared import ForecastKind
from billing_app.services.usage import accounts, plans_in_force, sources
from billing_app.store.credits import grants as credit_store
from billing_app.store.credits import ledger as ledger_store
from billing_app.store.credits.ledger import Filter
from billing_app.store.tables.credits import GrantRow, LedgerEntry
from billing_app.store.usage import meters as meter_store


@dataclass(frozen=True, slots=True)
class NextExpiry:
    """The next grant that ends with something left."""

    at: datetime
    quantity: int


@dataclass(frozen=True, slots=True)
class Balance:
    """Where one metric stands. `used` and `allowance` are the running period's; `allowance` None is unlimited."""

    metric: str
    as_of: datetime
    period_start: datetime
    period_end: datetime
    used: int
    own_used: int
    """Of `used`, what the organization used itself: less than all of it where another pays for several (rule 14)."""
    allowance: int | None
    reserved: int
    credits: int
    debt: int
    deficit: int
    state: MeterState
    next_expiry: NextExpiry | None
    runs_out_on: datetime | None
    """When nothing will be left at this pace, or since when nothing is; None if never, unknown, or asked `as_of`."""


@dataclass(frozen=True, slots=True)
class GrantStatement:
    """One grant, and where its credits are."""

    row: GrantRow
    account: GrantAccount


def balances(context: Context, *, as_of: datetime | None = None) -> list[Balance]:
    """Every metric's balance now, or as of another moment by what is known today.

    Of a sub-organization without a plan at that moment these are the balances of whoever paid then: what `check` and
    `consume` decide by.
    """
    session, organization, now = context.session, context.organization, context.now
    moment = as_of or now
    payer = payers.payer(session, organization, moment)
    owner = payer.pk
    current = versions.current(session, now)
    if as_of is None:
        looks = forecasts.shared(replace(context, organization=payer), current.metric_ids)
    else:
        held = plans_in_force.plans(session, owner)
        looks = {
            each: forecasts.outlook(replace(context, organization=payer, now=moment), each, held)
            for each in current.metric_ids
        }
    found = []
    for metric in current.metrics:
        look = looks[metric.id]
        account = look.account
        month = month_of(look.facts, account, look.period.number)
        reserved, _ = meter_store.reserved(session, owner, metric.id, moment)
        reading = Reading(metric.aggregation, account.allowance, account.used, account.left, reserved, account.level)
        rows = credit_store.grants(session, owner, metric.id)
        found.append(
            Balance(
                metric=metric.id,
                as_of=moment,
                period_start=account.period.start,
                period_end=account.period.end,
                used=account.used,
                own_used=sources.own(session, payer, organization, metric, look, month),
                allowance=account.allowance,
                reserved=reserved,
                credits=account.left,
                debt=account.debt,
                deficit=account.deficit,
                state=reading.state,
                next_expiry=_next_expiry(rows, account),
                runs_out_on=_runs_out_on(look) if as_of is None else None,
            )
        )
    return found


def grants(
    context: Context,
    *,
    metric: str | None = None,
    as_of: datetime | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[GrantStatement]:
    """The organization's grants that became effective in `[start, end)`, the newest first.

    Raises NotFoundError `metric_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    if metric is not None:
        versions.current(session, now).metric(metric)
    rows = credit_store.grants(session, owner, metric)
    held = plans_in_force.plans(session, owner)
    moment = as_of or now
    computed = {
        each: accounts.account(session, organization, each, moment, held=held).grants
        for each in sorted({row.metric for row in rows})
    }
    found = [
        GrantStatement(row, computed[row.metric][row.id])
        for row in rows
        if row.id in computed[row.metric]
        and (start is None or row.effective_at >= start)
        and (end is None or row.effective_at < end)
    ]
    return sorted(found, key=lambda statement: (statement.row.effective_at, statement.row.id), reverse=True)


def ledger(
    context: Context,
    limit: int,
    *,
    metric: str | None = None,
    kind: str | None = None,
    grant: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    before: int | None = None,
) -> list[LedgerEntry]:
    """Entries that occurred in `[start, end)`, the newest first, `limit` at a time, below the number `before`.

    Raises NotFoundError `metric_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    if metric is not None:
        versions.current(session, now).metric(metric)
    wanted = Filter(metric=metric, kind=kind, grant_id=grant, start=start, end=end)
    return ledger_store.entries(session, organization.pk, wanted, limit, before)


def _runs_out_on(look: Outlook) -> datetime | None:
    """The same figure as on card and page."""
    forecast = forecasts.forecast(look)
    return forecast.runs_out_at if forecast.kind in {ForecastKind.RUNS_OUT, ForecastKind.USED_UP} else None


def _next_expiry(rows: list[GrantRow], account: Account) -> NextExpiry | None:
    ending = [
        (row.expires_at, account.grants[row.id].left)
        for row in rows
        if row.expires_at is not None and row.id in account.grants and account.grants[row.id].left
    ]
    if not ending:
        return None
    first = min(at for at, _ in ending)
    return NextExpiry(first, sum(left for at, left in ending if at == first))
