"""What an organization may read of its credits: balances, grants and ledger, as plain figures for programs.

Computed by the engine from the facts, so a reader needs no lock and is right whether or not any job has run (credits.md
rule 2). What was computed stands until one of the facts is another one (`common.kept`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from billing_app.domain.credits.entitlements import Reading
from billing_app.domain.credits.facts import NEVER
from billing_app.domain.credits.forecast import MetricForecast
from billing_app.services.catalogue import versions
from billing_app.services.common import kept, payers
from billing_app.services.common.answers import filled
from billing_app.services.common.context import Context
from billing_app.services.credits import forecasts
from billing_app.services.credits.history import month_of
from billing_app.services.credits.views_shared import ForecastKind
from billing_app.services.credits.views_statements import BalanceAnswer, GrantAnswer, LedgerAnswer, NextExpiryAnswer
from billing_app.services.usage import accounts, sources
from billing_app.store.credits import grants as credit_store
from billing_app.store.credits import ledger as ledger_store
from billing_app.store.credits.ledger import Filter
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters as meter_store

ACCOUNT = ("quantity", "pending", "left", "burned", "held", "expired", "voided", "clawed_back", "debt")
"""What of a grant is computed; the rest is as it was stored."""


def balances(context: Context, *, as_of: datetime | None = None) -> list[BalanceAnswer]:
    """Every metric's balance now, or as of another moment by what is known today.

    Of a sub-organization without a plan at that moment these are the balances of whoever paid then: what `check` and
    `consume` decide by.
    """
    session, organization, now = context.session, context.organization, context.now
    payer = payers.payer(session, organization, as_of or now)
    owners = (organization, payer)
    found = kept.get(session, owners, now, ("balances", as_of), lambda: _balances(context, payer, as_of))
    return list(found) if as_of is not None else [replace(each, as_of=now) for each in found]


def _balances(context: Context, payer: Organization, as_of: datetime | None) -> kept.Fresh[tuple[BalanceAnswer, ...]]:
    session, organization, now = context.session, context.organization, context.now
    paying = replace(context, organization=payer, now=as_of or now)
    current = versions.current(session, now)
    if as_of is None:
        looks = forecasts.shared(paying, current.metric_ids)
    else:
        held = forecasts.plans(replace(paying, now=now))
        looks = {each: forecasts.of_metric(paying, each, held) for each in current.metric_ids}
    reserved, until = meter_store.reserved_by_metric(session, payer.pk, paying.now)
    found = []
    for metric in current.metrics:
        look = looks[metric.id]
        account, held_back = look.account, reserved.get(metric.id, 0)
        month = month_of(look.facts, account, look.period.number)
        reading = Reading(metric.aggregation, account.allowance, account.used, account.left, held_back, account.level)
        found.append(
            BalanceAnswer(
                metric=metric.id,
                as_of=paying.now,
                period_start=account.period.start,
                period_end=account.period.end,
                used=account.used,
                own_used=sources.own(session, payer, organization, metric, look, month),
                allowance=account.allowance,
                reserved=held_back,
                credits=account.left,
                debt=account.debt,
                deficit=account.deficit,
                state=reading.state,
                next_expiry=_next_expiry(look),
                runs_out_on=_runs_out_on(look) if as_of is None else None,
            )
        )
    return kept.Fresh(tuple(found), until or NEVER, len(found))


def grants(
    context: Context,
    *,
    metric: str | None = None,
    as_of: datetime | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[GrantAnswer]:
    """The organization's grants that became effective in `[start, end)`, the newest first.

    Raises NotFoundError `metric_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    if metric is not None:
        versions.current(session, now).metric(metric)
    rows = credit_store.grants(session, organization.pk, metric)
    metrics = sorted({row.metric for row in rows})
    if as_of is None:
        computed = {each: look.account.grants for each, look in forecasts.shared(context, metrics).items()}
    else:
        held = forecasts.plans(context)
        computed = {each: accounts.account(session, organization, each, as_of, held=held).grants for each in metrics}
    found = [
        filled(GrantAnswer, row, **{name: getattr(computed[row.metric][row.id], name) for name in ACCOUNT})
        for row in rows
        if row.id in computed[row.metric]
        and (start is None or row.effective_at >= start)
        and (end is None or row.effective_at < end)
    ]
    return sorted(found, key=lambda grant: (grant.effective_at, grant.id), reverse=True)


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
) -> list[LedgerAnswer]:
    """Entries that occurred in `[start, end)`, the newest first, `limit` at a time, below the number `before`.

    Raises NotFoundError `metric_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    if metric is not None:
        versions.current(session, now).metric(metric)
    wanted = Filter(metric=metric, kind=kind, grant_id=grant, start=start, end=end)
    found = ledger_store.entries(session, organization.pk, wanted, limit, before)
    return [filled(LedgerAnswer, entry) for entry in found]


def _runs_out_on(look: MetricForecast) -> datetime | None:
    """The same figure as on card and page."""
    forecast = forecasts.forecast(look)
    return forecast.runs_out_at if forecast.kind in {ForecastKind.RUNS_OUT, ForecastKind.USED_UP} else None


def _next_expiry(look: MetricForecast) -> NextExpiryAnswer | None:
    left = look.account.grants
    ending = [
        (grant.expires_at, left[grant.id].left)
        for grant in look.facts.grants
        if grant.expires_at is not None and left[grant.id].left
    ]
    if not ending:
        return None
    first = min(at for at, _ in ending)
    return NextExpiryAnswer(first, sum(quantity for at, quantity in ending if at == first))
