"""The credits page: what is left of what, the balance over time, and which month burned which grant. Reads only."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.accounts import Account, GrantAccount
from billing_app.domain.credits import DisputeStatus
from billing_app.domain.engine_state import State
from billing_app.domain.forecast import Outlook
from billing_app.domain.periods import add_months
from billing_app.services import accounts, catalog, labels, outlooks
from billing_app.services.views import BalancePoint, CreditsView, GrantStatus, GrantView, MonthBurn
from billing_app.store import credits as credit_store
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.orgs import Organization

MONTHS_SHOWN = (6, 12)
"""Lengths of the balance line that a reader can choose."""


def credits(
    session: Session, organization: Organization, metric_id: str, now: datetime, *, months: int = 6
) -> CreditsView:
    """The credits of one metric, with the balance over so many months.

    `metric_id` empty is the catalogue's first. Raises NotFoundError `metric_not_found`.
    """
    current = catalog.current(session, now)
    metric = current.metric(metric_id) if metric_id else current.metrics[0]
    held = accounts.plans(session, accounts.organization_id(organization))
    look = outlooks.outlook(session, organization, metric.id, now, held)
    rows = credit_store.grants(session, accounts.organization_id(organization), metric.id)
    account = look.account
    waiting = labels.unposted(session, organization, [metric], now, {metric.id: look})
    return CreditsView(
        now=now,
        metric=metric,
        metrics=current.metrics,
        allowance=account.allowance,
        left=account.left,
        granted=sum(grant.quantity - grant.pending for grant in account.grants.values()),
        burned=account.burned,
        expired=account.expired,
        voided=account.voided,
        clawed_back=account.clawed_back,
        held=account.held,
        debt=account.debt,
        forecast=outlooks.forecast(look),
        recount=labels.recount_view(session, organization, now),
        unposted=waiting[0] if waiting else None,
        balance=balance_line(look.state, add_months(now, -months), now),
        ahead=outlooks.balance_points(look.points(look.horizon)),
        grants=grant_views(look, rows),
    )


def balance_line(state: State, since: datetime, now: datetime) -> tuple[BalancePoint, ...]:
    """What was spendable right after each movement, from `since` to now; the first point is the balance before it."""
    left, before = 0, 0
    points: list[BalancePoint] = []
    for step in state.trace or ():
        if step.grant_id is None:
            continue  # debt is not part of what is left
        left += step.quantity
        if step.at < since:
            before = left
            continue
        granted = step.quantity if step.kind == "grant" else 0
        if points and points[-1].at == step.at:
            points[-1] = BalancePoint(step.at, left, points[-1].granted + granted)
        else:
            points.append(BalancePoint(step.at, left, granted))
    return (BalancePoint(since, before), *points, BalancePoint(now, left))


def grant_views(look: Outlook, rows: list[GrantRow]) -> tuple[GrantView, ...]:
    """Grants in burn order; what has nothing left comes after, the newest first."""
    account = look.account
    facts = {fact.id: fact for fact in look.facts.grants}
    open_ids = [row.id for row in rows if account.grants[row.id].left]
    open_ids.sort(key=lambda grant_id: facts[grant_id].burn_key)
    order = {grant_id: place for place, grant_id in enumerate(open_ids)}
    burns = _burns(account)
    views = [_grant_view(look, row, account.grants[row.id], order.get(row.id), burns[row.id]) for row in rows]
    gone = sorted((view for view in views if view.id not in order), key=lambda view: view.effective_at, reverse=True)
    return (*sorted((view for view in views if view.id in order), key=lambda view: order[view.id]), *gone)


def _burns(account: Account) -> defaultdict[str, list[MonthBurn]]:
    found: defaultdict[str, list[MonthBurn]] = defaultdict(list)
    for month in account.months:
        for grant_id, quantity in month.burns.items():
            found[grant_id].append(MonthBurn(month.period, quantity))
    return found


def _grant_view(
    look: Outlook, row: GrantRow, grant: GrantAccount, place: int | None, burns: list[MonthBurn]
) -> GrantView:
    return GrantView(
        id=row.id,
        label=labels.grant_label(row),
        status=_status(look, row, grant, place),
        quantity=grant.quantity,
        left=grant.left,
        burned=grant.burned,
        held=grant.held,
        expired=grant.expired,
        voided=grant.voided,
        clawed_back=grant.clawed_back,
        debt=grant.debt,
        effective_at=row.effective_at,
        expires_at=row.expires_at,
        burns=tuple(burns),
    )


def _status(look: Outlook, row: GrantRow, grant: GrantAccount, place: int | None) -> GrantStatus:
    """What a grant does now; `place` is its place in burn order among those with credits left."""
    position = look.state.positions[row.id]
    if row.effective_at > look.now:
        return GrantStatus.PENDING
    if grant.held or DisputeStatus.OPENED in position.disputes.values():
        return GrantStatus.HELD
    if place is None:
        return _ended(grant)
    burning = bool(look.account.month(look.period).burned)
    if place == 0:
        return GrantStatus.BURNING if burning else GrantStatus.NEXT
    return GrantStatus.NEXT if place == 1 and burning else GrantStatus.WAITING


def _ended(grant: GrantAccount) -> GrantStatus:
    """Why nothing is left of it: what took the most of what was not burned."""
    reasons = {
        GrantStatus.EXPIRED: grant.expired,
        GrantStatus.VOIDED: grant.voided,
        GrantStatus.REFUNDED: grant.clawed_back,
    }
    most = max(reasons, key=lambda reason: reasons[reason])
    return most if reasons[most] else GrantStatus.USED_UP
