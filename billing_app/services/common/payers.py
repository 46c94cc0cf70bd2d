"""Who pays for an organization's use: itself, or what it is a part of (credits.md, rule 14)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from datetime import datetime
from typing import TypeVar

from sqlmodel import Session

from billing_app.db import READING
from billing_app.domain.common.errors import ConflictError, ForbiddenError
from billing_app.domain.organizations.tree import Lineage
from billing_app.services.common.context import Context
from billing_app.store.common import locks
from billing_app.store.organizations import tree
from billing_app.store.tables.organizations import Organization

Item = TypeVar("Item", bound=Hashable)

LINEAGES = "lineages"
"""In `Session.info`: by organization, where it lies in the tree."""


def payer(session: Session, organization: Organization, at: datetime) -> Organization:
    """Whose plan and credits pay for what the organization uses at `at`. Costs nothing without a parent.

    A transaction that cannot write reads the tree once.
    """
    if organization.parent_id is None:
        return organization
    owner = organization.pk
    read: dict[int, Lineage] = session.info.setdefault(LINEAGES, {}) if session.info.get(READING) else {}
    if owner not in read:
        read[owner] = tree.lineage(session, owner)
    found = read[owner].payer_at(owner, at)
    return organization if found == owner else session.get_one(Organization, found)


def by_payer(
    session: Session, organization: Organization, items: Iterable[tuple[Item, datetime]]
) -> list[tuple[Organization, list[Item]]]:
    """Things by who paid at their moment, in the order in which organizations are locked: by id."""
    owner = organization.pk
    history = tree.lineage(session, owner)
    found: dict[int, list[Item]] = defaultdict(list)
    for item, at in items:
        found[history.payer_at(owner, at)].append(item)
    return [
        (organization if payer_id == owner else session.get_one(Organization, payer_id), found[payer_id])
        for payer_id in sorted(found)
    ]


def route(session: Session, organization: Organization, at: datetime) -> tuple[Organization, str]:
    """Who pays, and the source that rows of its meters keep. Raises ForbiddenError `organization_inactive`."""
    paying = payer(session, organization, at)
    require_active(organization, paying)
    return paying, source_of(organization, paying)


def source_of(organization: Organization, paying: Organization) -> str:
    """What rows of the payer keep as the source: empty for its own use."""
    return "" if organization.id == paying.id else organization.address


def group(session: Session, paying: Organization, now: datetime) -> set[int]:
    """The organizations that this one pays for now, itself among them: what counts against its limits together."""
    below = tree.descendants(session, paying.pk)
    plans = tree.plans_held(session, [each.pk for each in below])
    found = {paying.pk}
    for each in below:  # level by level, so that a parent is decided before its parts
        holds = any(at <= now for at, _ in plans.get(each.pk, ())) and _holds(plans[each.pk], now)
        if each.parent_id in found and not holds:
            found.add(each.pk)
    return found


def hold(context: Context) -> tuple[Organization, datetime]:
    """Locks the organization and its payer, and says who that is and what moment it is then.

    Rows are locked by id, as everywhere. Who pays is asked again under the lock: a plan may just have come or gone.
    """
    session, organization, now = context.session, context.organization, context.now
    expected = payer(session, organization, now)
    for owner in sorted({organization.pk, expected.pk}):
        now = locks.hold(session, owner, now)
    return same_payer(context.at(now), expected), now


def same_payer(context: Context, expected: Organization) -> Organization:
    """The payer, seen under the lock. Raises ConflictError `changed_meanwhile` if that is somebody else by now."""
    session, organization, now = context.session, context.organization, context.now
    found = payer(session, organization, now)
    if found.id != expected.id:
        raise ConflictError("The plan of this organization was changed just now. Try again.", code="changed_meanwhile")
    return found


def require_active(organization: Organization, paying: Organization) -> None:
    """Nothing may be asked for, consumed or created where somebody deactivated the organization, or its payer."""
    for each in (organization, paying):
        if not each.active:
            raise ForbiddenError(f"{each.name} is deactivated: nothing more is allowed.", code="organization_inactive")


def require_own_plan(context: Context) -> None:
    """Credits go where use is counted, and nobody pays for what they may not use.

    Raises ConflictError `no_own_plan`, with the `payer`'s address, and ForbiddenError `organization_inactive`.
    """
    session, organization, now = context.session, context.organization, context.now
    paying = payer(session, organization, now)
    require_active(organization, paying)
    require_same(organization, paying)


def require_same(organization: Organization, paying: Organization) -> None:
    """Raises ConflictError `no_own_plan`, with the `payer`'s address, where somebody above pays."""
    if paying.id != organization.id:
        raise ConflictError(
            f"{paying.name} pays for {organization.name}: credits are bought there.",
            code="no_own_plan",
            payer=paying.address,
        )


def _holds(plans: list[tuple[datetime, bool]], now: datetime) -> bool:
    return [holds for at, holds in plans if at <= now][-1]
