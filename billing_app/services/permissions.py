"""What a plan allows apart from quantities: limits, features and voting types. Answers questions, reserves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalog import Plan, VotingType
from billing_app.domain.credits import MAX_QUANTITY
from billing_app.domain.errors import FactRefusedError, NotFoundError
from billing_app.domain.limits import Limit, LimitUse
from billing_app.services import catalog, limits, overrides, paying
from billing_app.services.overrides import Kind
from billing_app.store.orgs import stored_id
from billing_app.store.tables.orgs import Organization


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether it is allowed, and by which plan. `limit` is how much of a limit is taken."""

    allowed: bool
    plan: str
    upgrade_path: str
    limit: LimitUse | None = None


def of_limit(session: Session, organization: Organization, name: str, now: datetime, quantity: int = 1) -> Permission:
    """Whether so many more may be created; of the census, whether a process of that size may be.

    Raises NotFoundError `limit_not_found`, FactRefusedError `invalid_quantity`.
    """
    if name not in set(Limit):
        raise NotFoundError(f"There is no limit {name!r}: there are {', '.join(Limit)}.", code="limit_not_found")
    if not 0 <= quantity <= MAX_QUANTITY:
        raise FactRefusedError(f"A quantity is 0 to {MAX_QUANTITY}.", code="invalid_quantity")
    payer, plan = _plan(session, organization, now)
    use = limits.peek(session, organization, Limit(name), now)
    return Permission(use.fits(quantity) and _active(organization, payer), plan.id, _upgrade(payer), use)


def of_feature(session: Session, organization: Organization, name: str, now: datetime) -> Permission:
    """Whether the plan, or an override, has a feature. Raises NotFoundError `feature_not_found`."""
    if name not in {feature.id for feature in catalog.current(session, now).features}:
        raise NotFoundError(f"There is no feature {name!r}.", code="feature_not_found")
    payer, plan = _plan(session, organization, now)
    given = overrides.values(session, stored_id(payer), Kind.FEATURE, now)
    on = bool(given[name]) if name in given else name in plan.features
    return Permission(on and _active(organization, payer), plan.id, _upgrade(payer))


def of_voting_type(session: Session, organization: Organization, name: str, now: datetime) -> Permission:
    """Whether the plan, or an override, has a voting type. Raises NotFoundError `voting_type_not_found`."""
    if name not in set(VotingType):
        found = ", ".join(VotingType)
        raise NotFoundError(f"There is no voting type {name!r}: there are {found}.", code="voting_type_not_found")
    payer, plan = _plan(session, organization, now)
    given = overrides.values(session, stored_id(payer), Kind.VOTING_TYPE, now)
    on = bool(given[name]) if name in given else VotingType(name) in plan.voting_types
    return Permission(on and _active(organization, payer), plan.id, _upgrade(payer))


def _plan(session: Session, organization: Organization, now: datetime) -> tuple[Organization, Plan]:
    payer = paying.payer(session, organization, now)
    return payer, limits.plan_in_force(session, payer, now)


def _active(organization: Organization, payer: Organization) -> bool:
    """Nothing is created in an organization that the operator has switched off."""
    return organization.active and payer.active


def _upgrade(payer: Organization) -> str:
    return f"/o/{payer.address}/plan"
