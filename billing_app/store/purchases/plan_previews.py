"""Queries on previews of plan changes: what each was made of, for as long as it can be accepted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from billing_app.store.common.statements import upsert
from billing_app.store.tables.subscriptions import PlanPreview


def keep(session: Session, organization_id: int, plan: str, interval: str, at: datetime, made_of: str) -> None:
    """Keeps what somebody was shown at `at`."""
    row = {"organization_id": organization_id, "plan": plan, "interval": str(interval), "at": at, "made_of": made_of}
    statement = upsert(session, PlanPreview).values(**row)
    keys = ["organization_id", "plan", "interval", "at"]
    session.connection().execute(statement.on_conflict_do_update(index_elements=keys, set_={"made_of": made_of}))


def made_of(session: Session, organization_id: int, plan: str, interval: str, at: datetime) -> str | None:
    """What the preview of `at` was made of; None where nobody looked."""
    row = session.get(PlanPreview, (organization_id, plan, str(interval), at), populate_existing=True)
    return row.made_of if row is not None else None


def make_way(session: Session, organization_id: int, before: datetime, most: int) -> None:
    """Deletes an organization's previews from before a moment, and all but the newest `most`. It must be locked."""
    own = col(PlanPreview.organization_id) == organization_id
    newest = select(PlanPreview.at).where(own).order_by(col(PlanPreview.at).desc()).offset(most).limit(1)
    over = session.exec(newest).first()
    old = col(PlanPreview.at) < before
    if over is not None:
        old |= col(PlanPreview.at) <= over
    session.connection().execute(delete(PlanPreview).where(own, old))
