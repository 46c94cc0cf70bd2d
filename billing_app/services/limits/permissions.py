"""What a plan allows apart from quantities: limits, features and voting types. Answers questions, reserves nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from billing_app.domain.catalogue import Plan
from billing_app.domain.common.errors import FactRefusedError, NotFoundError
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.domain.organizations.limits import Limit, LimitUse
from billing_app.domain.organizations.tree import MAX_LEVELS
from billing_app.domain.processes.voting import OptionKind, OptionState
from billing_app.services.common import payers
from billing_app.services.common.context import Context
from billing_app.services.limits import features, limits
from billing_app.store.organizations import tree
from billing_app.store.tables.organizations import Organization


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether it is allowed, and by which plan. `limit` is how much of a limit is taken.

    `switched_off` says that an admin has switched off what the plan, or an override, has.
    """

    allowed: bool
    plan: str
    upgrade_path: str
    limit: LimitUse | None = None
    switched_off: bool = False


def of_limit(context: Context, name: str, quantity: int = 1) -> Permission:
    """Whether so many more may be created; of the census, whether a process of that size may be.

    Raises NotFoundError `limit_not_found`, FactRefusedError `invalid_quantity`.
    """
    session, organization = context.session, context.organization
    if name not in set(Limit):
        raise NotFoundError(f"There is no limit {name!r}: there are {', '.join(Limit)}.", code="limit_not_found")
    if not 0 <= quantity <= MAX_QUANTITY:
        raise FactRefusedError(f"A quantity is 0 to {MAX_QUANTITY}.", code="invalid_quantity")
    payer, plan = _plan(context)
    use = limits.peek(context, Limit(name))
    fits = use.fits(quantity) and (name != Limit.SUB_ORGS or not quantity or _has_a_level_below(session, organization))
    return Permission(fits and _active(organization, payer), plan.id, _upgrade(payer), use)


def of_feature(context: Context, name: str) -> Permission:
    """Whether a feature may be used, as the act would say. Raises NotFoundError `feature_not_found`."""
    return _of_option(context, OptionKind.FEATURE, name)


def of_voting_type(context: Context, name: str) -> Permission:
    """Whether a way of voting may be used, as the act would say. Raises NotFoundError `voting_type_not_found`."""
    return _of_option(context, OptionKind.VOTING_TYPE, name)


def _of_option(context: Context, kind: OptionKind, name: str) -> Permission:
    """By the same reading as the act (options.available): plan, overrides, the admin's switches (fine point 18)."""
    organization = context.organization
    found = {each.id: each for each in features.available(context) if each.kind is kind}
    option = found.get(name)
    if option is None:
        noun = kind.value.replace("_", " ")
        raise NotFoundError(
            f"There is no {noun} {name!r}: there are {', '.join(found)}.", code=f"{kind.value}_not_found"
        )
    payer, plan = _plan(context)
    allowed = option.usable and _active(organization, payer)
    return Permission(allowed, plan.id, _upgrade(payer), switched_off=option.state is OptionState.OFF)


def _plan(context: Context) -> tuple[Organization, Plan]:
    session, organization, now = context.session, context.organization, context.now
    payer = payers.payer(session, organization, now)
    return payer, limits.plan_in_force(session, payer, now)


def _has_a_level_below(session: Session, organization: Organization) -> bool:
    """Whether parts of it would not be too deep (too_many_levels), whatever the plan has room for."""
    return len(tree.ancestors(session, organization)) + 1 < MAX_LEVELS


def _active(organization: Organization, payer: Organization) -> bool:
    """Nothing is created in an organization that the operator has switched off."""
    return organization.active and payer.active


def _upgrade(payer: Organization) -> str:
    return f"/o/{payer.address}/plan"
