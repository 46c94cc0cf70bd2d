"""What operators look for, and make: organizations."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.services import accounts, audit, catalog, credits, orgs, paying
from billing_app.services.cursors import MAX_CURSOR, cursor_of, place_at
from billing_app.services.views.operator import OrganizationLine, OrganizationsView
from billing_app.store import org_search, outbox
from billing_app.store.orgs import stored_id
from billing_app.store.tables.orgs import Organization

__all__ = ["MAX_CURSOR", "MAX_SEARCH", "make", "organizations"]

PAGE = 50
"""Organizations of a page (api.md, Lists)."""

MAX_SEARCH = 200
"""Characters of a search: names are not longer."""


def organizations(session: Session, search: str, cursor: str, now: datetime) -> OrganizationsView:
    """Organizations whose name or address has `search` in it, by name. Raises InvalidError `invalid_cursor`."""
    place = place_at(cursor, 2)
    after = None if place is None else (place[0], place[1])
    found = org_search.named(session, search.strip()[:MAX_SEARCH], after, PAGE + 1)
    page = found[:PAGE]
    members = org_search.member_counts(session, [stored_id(each) for each in page])
    return OrganizationsView(
        organizations=tuple(_line(session, each, members[stored_id(each)], now) for each in page),
        next_cursor=cursor_of(page[-1].name, page[-1].address) if len(found) > PAGE else "",
    )


def _line(session: Session, organization: Organization, members: int, now: datetime) -> OrganizationLine:
    """A sub-organization without a plan of its own has the plan, and the stops, of whoever pays for it."""
    payer = paying.payer(session, organization, now)
    return OrganizationLine(
        address=organization.address,
        name=organization.name,
        plan_name=accounts.plans(session, stored_id(payer)).held_at(now).name,
        blocked=outbox.any_blocked(session, stored_id(payer)),
        members=members,
        payer_name="" if payer.id == organization.id else payer.name,
    )


def make(
    session: Session,
    now: datetime,
    *,
    name: str = "",
    address: str | None = None,
    plan: str | None = None,
    anchor: datetime | None = None,
    actor: str,
) -> Organization:
    """A new organization without members, on `plan` or the default one.

    Raises as `orgs.create`, NotFoundError `plan_not_found`.
    """
    chosen = catalog.current(session, now).plan(plan).id if plan else ""
    made = orgs.create(session, now, name=name, address=address, anchor=anchor)
    after = {"name": made.name, "plan": chosen or "default"}
    audit.record(session, stored_id(made), now, actor, "organization.created", made.address, after=after)
    if chosen:
        credits.change_plan(session, made, chosen, now, reason="Chosen when it was made", actor=actor)
    return made
