"""What is wrong with organizations, the worst first, for whoever looks after all of them. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import TOKEN, Catalog
from billing_app.services.catalogue import versions
from billing_app.services.operators.views import AccountIssueView, Trouble
from billing_app.services.usage import plans_in_force
from billing_app.store.operators import account_issues as store

ORDER = tuple(Trouble)


def of(session: Session, organization_ids: Collection[int], now: datetime) -> dict[int, tuple[AccountIssueView, ...]]:
    """What is wrong with each of these organizations; nothing for most."""
    names = _names(versions.current(session, now))
    found: defaultdict[int, list[AccountIssueView]] = defaultdict(list)
    for owner, metrics in store.blocked(session, organization_ids).items():
        found[owner].append(AccountIssueView(Trouble.BLOCKED, metrics=tuple(names.get(each, each) for each in metrics)))
    for owner in store.past_due(session, organization_ids):
        past_due = plans_in_force.plans(session, owner).past_due
        grace_ends = past_due[-1].grace_ends_at if past_due and past_due[-1].until is None else None
        found[owner].append(AccountIssueView(Trouble.PAST_DUE, at=grace_ends))
    for owner, (cents, currency) in store.disputed(session, organization_ids).items():
        found[owner].append(AccountIssueView(Trouble.DISPUTED, amount_cents=cents, currency=currency))
    for owner, (cents, currency) in store.second_subscriptions(session, organization_ids).items():
        found[owner].append(AccountIssueView(Trouble.SECOND_SUBSCRIPTION, amount_cents=cents, currency=currency))
    for owner, (cents, currency) in store.unknown_prices(session, organization_ids).items():
        found[owner].append(AccountIssueView(Trouble.UNKNOWN_PRICE, amount_cents=cents, currency=currency))
    for owner, (cents, currency) in store.plans_lost(session, organization_ids).items():
        found[owner].append(AccountIssueView(Trouble.PLAN_LOST, amount_cents=cents, currency=currency))
    for owner, (cents, currency) in store.packs_lost(session, organization_ids).items():
        found[owner].append(AccountIssueView(Trouble.PACK_LOST, amount_cents=cents, currency=currency))
    for owner, (cents, currency) in store.not_collected(session, organization_ids).items():
        found[owner].append(AccountIssueView(Trouble.NOT_COLLECTED, amount_cents=cents, currency=currency))
    for owner, (cents, currency) in store.given_up(session, organization_ids).items():
        found[owner].append(AccountIssueView(Trouble.GIVEN_UP, amount_cents=cents, currency=currency))
    for owner, metrics in store.in_debt(session, organization_ids).items():
        found[owner].append(AccountIssueView(Trouble.IN_DEBT, metrics=tuple(names.get(each, each) for each in metrics)))
    return {owner: tuple(sorted(each, key=lambda one: ORDER.index(one.kind))) for owner, each in found.items()}


def _names(current: Catalog) -> dict[str, str]:
    return {metric.id: metric.name for metric in (*current.metrics, TOKEN)}
