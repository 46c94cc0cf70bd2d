"""Queries over all organizations: who holds which plan, and telling all of their pages."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import literal, true
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from billing_app.store.common.rows import read
from billing_app.store.common.upserts import upsert
from billing_app.store.credits.grants import HeldPlan
from billing_app.store.tables.credits import PlanChange
from billing_app.store.tables.organizations import Organization, PageRevision


def organizations(session: Session) -> list[Organization]:
    """Every organization, by name."""
    return list(session.exec(select(Organization).order_by(col(Organization.name), col(Organization.address))))


def plan_changes(session: Session) -> dict[int, tuple[HeldPlan, ...]]:
    """The plans that each organization held, by time."""
    row = PlanChange
    query = select_columns(
        col(row.organization_id), col(row.number), col(row.plan), col(row.at), col(row.recorded_at)
    ).order_by(col(row.at), col(row.number))
    found: defaultdict[int, list[HeldPlan]] = defaultdict(list)
    for owner, *change in read(session, query, {}):
        found[owner].append(HeldPlan(*change))
    return {owner: tuple(held) for owner, held in found.items()}


def raise_all_revisions(session: Session) -> None:
    """Tells the pages of every organization, in one statement; the last locks of the common order."""
    # SQLite reads ON CONFLICT after a SELECT as part of its FROM unless a WHERE stands between.
    every = select(col(Organization.id), literal(1)).where(true()).order_by(col(Organization.id))
    statement = upsert(session, PageRevision).from_select(["organization_id", "revision"], every)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["organization_id"], set_={"revision": PageRevision.revision + 1}
        )
    )
