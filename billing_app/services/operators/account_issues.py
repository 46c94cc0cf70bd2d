"""What is wrong with organizations, the worst first, for whoever looks after all of them. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import TOKEN, Catalog
from billing_app.services.catalogue import versions
from billing_app.services.operators.views import AccountIssue, TroubleAnswer
from billing_app.services.usage import plans_in_force
from billing_app.store.operators import account_issues as store

ORDER = tuple(AccountIssue)

AMOUNTS = {
    AccountIssue.DISPUTED: store.disputed,
    AccountIssue.SECOND_SUBSCRIPTION: store.second_subscriptions,
    AccountIssue.UNKNOWN_PRICE: store.unknown_prices,
    AccountIssue.PLAN_LOST: store.plans_lost,
    AccountIssue.PACK_LOST: store.packs_lost,
    AccountIssue.NOT_COLLECTED: store.not_collected,
    AccountIssue.GIVEN_UP: store.given_up,
}
"""Issues about an amount of money, and the query that finds whose they are."""


def of(
    session: Session,
    organization_ids: Collection[int],
    now: datetime,
    held: Mapping[int, plans_in_force.Plans] | None = None,
) -> dict[int, tuple[TroubleAnswer, ...]]:
    """What is wrong with each of these organizations; nothing for most. `held` are their plans, if they are known."""
    names = _names(versions.current(session, now))
    found: defaultdict[int, list[TroubleAnswer]] = defaultdict(list)
    for kind, metrics_of in ((AccountIssue.BLOCKED, store.blocked), (AccountIssue.IN_DEBT, store.in_debt)):
        for owner, metrics in metrics_of(session, organization_ids).items():
            found[owner].append(TroubleAnswer(kind, metrics=tuple(names.get(each, each) for each in metrics)))
    for owner in store.past_due(session, organization_ids):
        past_due = (held[owner] if held else plans_in_force.plans(session, owner)).past_due
        grace_ends = past_due[-1].grace_ends_at if past_due and past_due[-1].until is None else None
        found[owner].append(TroubleAnswer(AccountIssue.PAST_DUE, at=grace_ends))
    for kind, amounts_of in AMOUNTS.items():
        for owner, (cents, currency) in amounts_of(session, organization_ids).items():
            found[owner].append(TroubleAnswer(kind, amount_cents=cents, currency=currency))
    return {owner: tuple(sorted(each, key=lambda one: ORDER.index(one.kind))) for owner, each in found.items()}


def _names(current: Catalog) -> dict[str, str]:
    return {metric.id: metric.name for metric in (*current.metrics, TOKEN)}
