"""The one gate in front of everything that a plan limits.

`require` locks the payer, counts and decides; what is created follows in the same transaction, at its moment
(`locks.moment`). Of N creations at
once with room for one, exactly one passes: the others wait for its lock and then count it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import Plan
from billing_app.domain.common.errors import ForbiddenError
from billing_app.domain.organizations.limits import COUNTED, Limit, LimitUse, maximum, why_full
from billing_app.domain.processes.processes import ProcessState
from billing_app.services.common import payers
from billing_app.services.common.context import Context
from billing_app.services.limits import overrides
from billing_app.services.limits.overrides import Kind
from billing_app.services.usage import plans_in_force
from billing_app.store.access import members
from billing_app.store.organizations import tree
from billing_app.store.processes import processes
from billing_app.store.tables.organizations import Organization

Counter = Callable[[Session, Collection[int], datetime], int]


def _people(session: Session, organization_ids: Collection[int], _now: datetime) -> int:
    """Active and invited; who is in several of these organizations is one."""
    return members.people(session, organization_ids)


def _parts(session: Session, organization_ids: Collection[int], _now: datetime) -> int:
    """Active organizations right under these, whether or not they have a plan of their own."""
    return tree.active_children(session, organization_ids)


def _processes(session: Session, organization_ids: Collection[int], _now: datetime) -> int:
    """Published and not ended."""
    return processes.count(session, organization_ids, ProcessState.PUBLISHED.value)


def _drafts(session: Session, organization_ids: Collection[int], _now: datetime) -> int:
    return processes.count(session, organization_ids, ProcessState.DRAFT.value)


def _census(session: Session, organization_ids: Collection[int], _now: datetime) -> int:
    """The largest of what is published; each process is held to the limit by itself."""
    return processes.largest_census(session, organization_ids, ProcessState.PUBLISHED.value)


COUNTERS: dict[Limit, Counter] = {
    Limit.MEMBERSHIPS: _people,
    Limit.SUB_ORGS: _parts,
    Limit.PROCESSES: _processes,
    Limit.DRAFTS: _drafts,
    Limit.CENSUS: _census,
}


def count(session: Session, limit: Limit, organization_ids: Collection[int], now: datetime) -> int:
    """How many there are; 0 of what nothing counts yet, and of what is not counted up."""
    counter = COUNTERS.get(limit)
    return 0 if counter is None else counter(session, organization_ids, now)


CODES = {Limit.CENSUS: "census_too_large"}
"""Refusals with a code of their own; all others are limit_reached (api.md)."""


def plan_in_force(session: Session, payer: Organization, now: datetime) -> Plan:
    """The plan whose limits hold for an organization that pays for itself."""
    return plans_in_force.plans(session, payer.pk).held_at(now)


def require(context: Context, limit: Limit, requested: int = 1) -> LimitUse:
    """Lets `requested` more be created, or, of the census, a process of that size. Gives how it was before.

    Raises ForbiddenError `limit_reached` (of the census `census_too_large`) or `organization_inactive`.
    """
    session, organization, now = context.session, context.organization, context.now
    payer, now = payers.hold(context)
    payers.require_active(organization, payer)
    plan = plan_in_force(session, payer, now)
    found = _use(session, payer, plan, limit, now)
    if not found.fits(requested):
        raise _refusal(plan, payer, found, requested)
    return found


def peek(context: Context, limit: Limit) -> LimitUse:
    """How much of a limit is taken, without holding anything: for a question, or a button."""
    session, organization, now = context.session, context.organization, context.now
    payer = payers.payer(session, organization, now)
    return _use(session, payer, plan_in_force(session, payer, now), limit, now)


def usage(context: Context) -> tuple[LimitUse, ...]:
    """Every limit with how much of it is taken, together with all that the same plan pays for."""
    return _of_plan(context, None, Limit)


def exceeded(context: Context, plan: Plan | None = None) -> tuple[LimitUse, ...]:
    """Limits of which there is more than the plan allows, after a smaller one; `plan` saves reading it again."""
    return tuple(use for use in _of_plan(context, plan, COUNTED) if use.over)


def _of_plan(context: Context, plan: Plan | None, asked: Iterable[Limit]) -> tuple[LimitUse, ...]:
    session, organization, now = context.session, context.organization, context.now
    payer = payers.payer(session, organization, now)
    return _uses(session, payer, plan or plan_in_force(session, payer, now), asked, now)


def _use(session: Session, payer: Organization, plan: Plan, limit: Limit, now: datetime) -> LimitUse:
    (found,) = _uses(session, payer, plan, (limit,), now)
    return found


def _uses(
    session: Session, payer: Organization, plan: Plan, asked: Iterable[Limit], now: datetime
) -> tuple[LimitUse, ...]:
    given = overrides.values(session, payer.pk, Kind.LIMIT, now)
    group = payers.group(session, payer, now)
    return tuple(
        LimitUse(limit, maximum(plan.limits, given, limit), count(session, limit, group, now), limit.value in given)
        for limit in asked
    )


def _refusal(plan: Plan, payer: Organization, use: LimitUse, requested: int) -> ForbiddenError:
    return ForbiddenError(
        why_full(plan.name, use, requested),
        code=CODES.get(use.limit, "limit_reached"),
        name=use.limit.value,
        limit=use.maximum,
        used=use.used,
        requested=requested,
        plan=plan.id,
        upgrade_url=f"/o/{payer.address}/plan",
    )
