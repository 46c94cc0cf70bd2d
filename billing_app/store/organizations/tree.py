"""Queries on the tree of organizations. Ids of organizations throughout."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from billing_app.domain.organizations.tree import MAX_LEVELS, NO_PLAN, Lineage
from billing_app.store.tables.credits import PlanChange
from billing_app.store.tables.organizations import Organization, OrganizationParent


def lineage(session: Session, organization_id: int) -> Lineage:
    """Parents and plans over time, of the organization and of all that it was ever a part of."""
    parents: dict[int, list[tuple[datetime, int]]] = {}
    ask = {organization_id}
    for _ in range(MAX_LEVELS):
        if not ask:
            break
        query = select(OrganizationParent).where(col(OrganizationParent.organization_id).in_(ask))
        above: set[int] = set()
        for fact in session.exec(query.order_by(col(OrganizationParent.at), col(OrganizationParent.number))):
            parents.setdefault(fact.organization_id, []).append((fact.at, fact.parent_id))
            above.add(fact.parent_id)
        ask = above - parents.keys()
    return Lineage(parents, plans_held(session, parents.keys()))


def plans_held(session: Session, organization_ids: Collection[int]) -> dict[int, list[tuple[datetime, bool]]]:
    """Whether each holds a plan of its own, from which moment on."""
    found: dict[int, list[tuple[datetime, bool]]] = {}
    if not organization_ids:
        return found
    query = select(PlanChange.organization_id, PlanChange.at, PlanChange.plan).where(
        col(PlanChange.organization_id).in_(organization_ids)
    )
    for owner, at, plan in session.exec(query.order_by(col(PlanChange.at), col(PlanChange.number))):
        found.setdefault(owner, []).append((at, plan != NO_PLAN))
    return found


def add_parent(session: Session, organization: Organization, parent_id: int, at: datetime, now: datetime) -> None:
    """Makes the organization a part of `parent_id` from `at` on; its row must be locked."""
    owner = organization.id or 0
    query = select(func.max(OrganizationParent.number)).where(OrganizationParent.organization_id == owner)
    number = (session.exec(query).one() or 0) + 1
    session.add(OrganizationParent(organization_id=owner, number=number, parent_id=parent_id, at=at, recorded_at=now))
    organization.parent_id = parent_id
    session.add(organization)
    session.flush()


def children(session: Session, organization_ids: Iterable[int]) -> list[Organization]:
    """The organizations right under these, by name."""
    query = select(Organization).where(col(Organization.parent_id).in_(list(organization_ids)))
    return list(session.exec(query.order_by(Organization.name, Organization.address)))


def descendants(session: Session, organization_id: int) -> list[Organization]:
    """Everything below an organization, level by level."""
    found: list[Organization] = []
    ask = [organization_id]
    for _ in range(MAX_LEVELS - 1):
        below = children(session, ask) if ask else []
        found += below
        ask = [each.id for each in below if each.id is not None]
    return found


def ancestors(session: Session, organization: Organization) -> list[Organization]:
    """What an organization is a part of now, nearest first."""
    found: list[Organization] = []
    above = organization.parent_id
    while above is not None and len(found) < MAX_LEVELS:
        parent = session.get_one(Organization, above)
        found.append(parent)
        above = parent.parent_id
    return found


def ever_above(session: Session, organization_id: int) -> set[int]:
    """Every organization that it was ever a part of, directly or not: some of its use may count there."""
    above: set[int] = set()
    found = {organization_id}
    while found:
        query = select(OrganizationParent.parent_id).where(col(OrganizationParent.organization_id).in_(found))
        found = set(session.exec(query)) - above
        above |= found
    return above


def has_children(session: Session, organization_id: int) -> bool:
    """Whether anything was ever a part of it."""
    query = select(OrganizationParent.organization_id).where(OrganizationParent.parent_id == organization_id).limit(1)
    return session.exec(query).first() is not None


def active_children(session: Session, organization_ids: Collection[int]) -> int:
    """How many active organizations lie right under these."""
    query = select(func.count()).select_from(Organization)
    return session.exec(query.where(col(Organization.parent_id).in_(organization_ids), col(Organization.active))).one()
