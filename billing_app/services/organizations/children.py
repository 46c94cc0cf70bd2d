"""Organizations below others: made, moved, deactivated, and given a plan of their own or not.

A child without a plan of its own has no meter (credits.md, rule 14): services.common.payers says who pays for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import ConflictError, InvalidError, NotFoundError
from billing_app.domain.organizations.limits import Limit
from billing_app.domain.organizations.tree import MAX_LEVELS, NO_PLAN, Lineage, require_place
from billing_app.services.access import users
from billing_app.services.common import audit, payers
from billing_app.services.common import organizations as orgs
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.limits import limits
from billing_app.services.organizations import profiles
from billing_app.services.organizations.views import PartAnswer
from billing_app.services.purchases import endings
from billing_app.services.usage import plans_in_force
from billing_app.store.access import members
from billing_app.store.access import users as user_store
from billing_app.store.common import locks
from billing_app.store.organizations import organizations as org_store
from billing_app.store.organizations import tree
from billing_app.store.tables.access import User
from billing_app.store.tables.organizations import Organization


def below(context: Context) -> tuple[PartAnswer, ...]:
    """Everything below an organization as a tree: each followed by its own children, by name."""
    session, organization, now = context.session, context.organization, context.now
    found = tree.descendants(session, organization.pk)
    lineage = Lineage(plans=tree.plans_held(session, [each.pk for each in found]))
    under: dict[int, list[Organization]] = {}
    for each in found:
        under.setdefault(each.parent_id or 0, []).append(each)

    def walk(parent: Organization, depth: int) -> Iterator[PartAnswer]:
        for each in under.get(parent.pk, []):
            own = lineage.holds_plan(each.pk, now)
            plan = plans_in_force.plans(session, each.pk).held_at(now).name if own else ""
            people = members.people(session, [each.pk])
            yield PartAnswer(each.address, each.name, parent.address, depth, each.active, people, plan or None)
            yield from walk(each, depth + 1)

    return tuple(walk(organization, 1))


def create_below(context: Context, parent: str, *, name: str, address: str, creator: str) -> Organization:
    """A new child of the organization, or of the one below it at the address `parent`; an empty one is itself.

    `creator` is the e-mail address of who is its first admin. Raises as `create` does, and NotFoundError.
    """
    session, organization = context.session, context.organization
    above = organization if parent in ("", organization.address) else find(session, organization, parent)
    person = users.by_email(session, creator)
    return create(replace(context, organization=above), name=name, address=address or None, creator=person)


def create(
    context: Context,
    *,
    name: str,
    address: str | None = None,
    creator: User | None = None,
    profile: Mapping[str, str] | None = None,
) -> Organization:
    """A new child of the organization. Its creator, counted already, is its first admin and takes no further place.

    Its periods are the parent's. Raises ForbiddenError `limit_reached`, ConflictError `too_many_levels` or
    `address_taken`, and what `orgs.create` raises.
    """
    session, parent, actor = context.session, context.organization, context.actor
    limits.require(context, Limit.SUB_ORGS)
    now = locks.moment(session, context.now)
    require_place(_parents_above(session, parent), 0, parent.pk)
    made = orgs.create(
        session, now, name=name, address=address, anchor=parent.anchor, **profiles.validated(profile or {})
    )
    owner = made.pk
    tree.add_parent(session, made, parent.pk, now, now)
    if creator is not None:
        _seat(session, parent, made, creator, now)
    after = {"name": made.name, "part_of": parent.address}
    audit.record(session, owner, now, actor, "organization.created", made.address, after=after)
    audit.record(session, parent.pk, now, actor, "sub_organization.created", made.address, after=after)
    orgs.raise_revisions_above(session, made)
    return made


def require_parents(session: Session, parent: Organization, named: Sequence[str]) -> None:
    """Refuses parents of a new child that are neither `parent` alone nor it and all above it, nearest first.

    Raises InvalidError `invalid_parents`.
    """
    above = [parent.address, *(each.address for each in tree.ancestors(session, parent))]
    if list(named) not in (above, above[:1]):
        raise InvalidError(
            f"`parents` names {parent.address} alone, or it and all above it, nearest first: {', '.join(above)}.",
            code="invalid_parents",
        )


def find(session: Session, organization: Organization, address: str) -> Organization:
    """An organization below `organization`, at any depth. Raises NotFoundError `suborganization_not_found`."""
    found = org_store.by_address(session, address)
    if found is None:
        raise _no_child(organization, address)
    require_child(session, organization, found)
    return found


def require_child(session: Session, organization: Organization, child: Organization) -> None:
    """Refuses what is not below `organization`, at any depth. Raises NotFoundError `suborganization_not_found`."""
    if all(each.id != organization.id for each in tree.ancestors(session, child)):
        raise _no_child(organization, child.address)


def _no_child(organization: Organization, address: str) -> NotFoundError:
    return NotFoundError(f"{address} is not part of {organization.name}.", code="suborganization_not_found")


def move(context: Context, child: Organization, parent: str) -> None:
    """Moves what is below `organization` under another of those, or under itself: who pays changes from now on.

    Raises NotFoundError `suborganization_not_found`, ConflictError `parent_cycle` or `too_many_levels`, ForbiddenError
    `limit_reached` where it comes to count against another plan.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    target = organization if parent == organization.address else find(session, organization, parent)
    if target.id == child.parent_id:
        return
    for owner in sorted({organization.pk, child.pk, target.pk}):
        now = locks.hold(session, owner, now)
    require_child(session, organization, child)  # somebody above may have moved them while we waited
    if target.id != organization.id:
        require_child(session, organization, target)
    if target.id == child.parent_id:
        return
    parents = _parents_above(session, organization)
    parents |= {each.pk: each.parent_id or 0 for each in tree.descendants(session, organization.pk)}
    before = session.get_one(Organization, child.parent_id)
    require_place(parents, child.pk, target.pk)
    if child.active and payers.payer(session, before, now).id != payers.payer(session, target, now).id:
        limits.require(replace(context, organization=target, now=now), Limit.SUB_ORGS)
        now = locks.moment(session, now)
    tree.add_parent(session, child, target.pk, now, now)
    change = {"before": {"part_of": before.address}, "after": {"part_of": target.address}}
    for owner in sorted({child.pk, organization.pk}):
        audit.record(session, owner, now, actor, "sub_organization.moved", child.address, **change)
    orgs.raise_revisions_above(session, child, before)


def set_active(context: Context, child: Organization, active: bool) -> None:
    """Deactivates a child, which keeps its data and allows nothing more, or lets it work again (which takes a place).

    What a deactivated child pays for by itself ends when it has run out.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    if child.active == active:
        return
    parent = session.get_one(Organization, child.parent_id)
    expected = payers.payer(session, parent, now)
    for owner in sorted({each.pk for each in (organization, parent, expected, child)}):
        now = locks.hold(session, owner, now)
    require_child(session, organization, child)  # somebody above may have moved it while we waited
    if child.active == active:
        return
    parent = session.get_one(Organization, child.parent_id)
    payers.same_payer(replace(context, organization=parent, now=now), expected)
    if active:
        limits.require(replace(context, organization=parent, now=now), Limit.SUB_ORGS)
        now = locks.moment(session, now)
    child.active = active
    session.add(child)
    session.flush()
    action = "sub_organization.activated" if active else "sub_organization.deactivated"
    for owner in sorted({child.pk, organization.pk}):
        audit.record(session, owner, now, actor, action, child.address)
    endings.follow_activity(replace(context, organization=child, now=now))
    orgs.raise_revisions_above(session, child)


def end_plan(context: Context, *, reason: str) -> None:
    """From now on the child has no plan of its own: what is above it pays again.

    Its past and its credits stay where they are. Raises ConflictError `no_parent` for one that is part of nothing.
    """
    session, organization = context.session, context.organization
    if organization.parent_id is None:
        raise ConflictError("An organization that is part of no other always has a plan.", code="no_parent")
    grants.change_plan(context, NO_PLAN, reason=reason)
    orgs.raise_revisions_above(session, organization)


def _seat(session: Session, parent: Organization, made: Organization, creator: User, now: datetime) -> None:
    """Makes the creator its admin, by sign-in links alone where that is how they are in the parent.

    Somebody who is not counted yet needs a free place.
    """
    payer = payers.payer(session, made, now)
    if not members.belongs(session, payers.group(session, payer, now), creator.id):
        limits.require(Context(session, made, now), Limit.MEMBERSHIPS)
        now = locks.moment(session, now)
    above = user_store.membership(session, parent.pk, creator.id)
    by_link = above is not None and above.accepted_at is None
    users.join(session, made.pk, creator, Role.ADMIN, now, actor=creator.email, by_link=by_link)


def _parents_above(session: Session, organization: Organization) -> dict[int, int]:
    """The parents of the organization and of all above it."""
    chain = [organization, *tree.ancestors(session, organization)][: MAX_LEVELS + 1]
    return {each.pk: each.parent_id for each in chain if each.parent_id is not None}
