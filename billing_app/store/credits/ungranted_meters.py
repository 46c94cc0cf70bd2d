"""Organizations whose ledger is brought up to date by saying so: set-based, for they are nearly all.

Where a metric never had a grant its ledger is empty and stays so, whatever was used: no rule concerns it. Such a meter
only notes up to when it is posted, unless it has to be computed anew for what is to be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from billing_app.store.common.questions import among, listed
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage.meters import is_ahead, is_due


def lock(session: Session, as_of: datetime, after: int, limit: int) -> list[int]:
    """Organizations, by id after `after`, that are due and of which every due meter is quiet; their rows locked."""
    other = aliased(MeterRow)
    loud = exists().where(
        col(other.organization_id) == col(MeterRow.organization_id), is_due(other, as_of), not_(_is_quiet(other, as_of))
    )
    owner = col(MeterRow.organization_id)
    found = select(owner).where(owner > after, is_due(MeterRow, as_of), ~loud).distinct().order_by(owner).limit(limit)
    ids = list(session.connection().execute(found).scalars())
    dialect = session.get_bind().dialect.name
    locked = (
        select(col(Organization.id)).where(among(dialect, Organization.id, "owners")).order_by(col(Organization.id))
    )
    session.connection().execute(locked.with_for_update(key_share=True), {"owners": listed(dialect, ids)})
    return ids


def post(session: Session, organization_ids: Sequence[int], as_of: datetime) -> None:
    """Notes that the ledgers of these are complete up to `as_of`. What became loud meanwhile stays due."""
    dialect = session.get_bind().dialect.name
    owners = {"owners": listed(dialect, organization_ids)}
    posted = (
        update(MeterRow)
        .where(among(dialect, MeterRow.organization_id, "owners"), is_due(MeterRow, as_of), _is_quiet(MeterRow, as_of))
        .values(changed=False, posted_at=as_of, post_due_at=MeterRow.valid_until)
    )
    session.connection().execute(posted, owners, execution_options={"synchronize_session": False})
    before = or_(col(Organization.recounted_at).is_(None), col(Organization.recounted_at) < as_of)
    complete = update(Organization).where(among(dialect, Organization.id, "owners"), before).values(recounted_at=as_of)
    session.connection().execute(complete, owners, execution_options={"synchronize_session": False})


def _is_quiet(meter: Any, as_of: datetime) -> ColumnElement[bool]:
    """Nothing to post and nothing to compute: no grant, and the meter is right at `as_of`."""
    granted = exists().where(
        col(GrantRow.organization_id) == col(meter.organization_id), col(GrantRow.metric) == col(meter.metric)
    )
    # a clock that is behind leaves it to the engine, which takes nothing back
    later = and_(col(meter.posted_at).is_not(None), col(meter.posted_at) > as_of)
    return and_(~col(meter.stale), col(meter.valid_until) > as_of, ~granted, ~later, ~is_ahead(meter, as_of))
