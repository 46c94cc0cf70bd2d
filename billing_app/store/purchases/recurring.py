"""Queries on recurring packs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_
from sqlmodel import Session, col, select

from billing_app.domain.purchases.recurring import State
from billing_app.domain.purchases.reversals import DisputeStage
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.purchases import RecurringPack
from billing_app.store.tables.reversals import PaymentDispute


def of_organization(session: Session, organization_id: int) -> list[RecurringPack]:
    """An organization's recurring packs, ended ones too, oldest first."""
    query = select(RecurringPack).where(RecurringPack.organization_id == organization_id)
    return list(session.exec(query.order_by(col(RecurringPack.started_at), col(RecurringPack.id))))


def of_subscription(session: Session, organization_id: int, subscription_id: str) -> list[RecurringPack]:
    """The packs of one subscription at Stripe, as they are now."""
    query = select(RecurringPack).where(
        RecurringPack.organization_id == organization_id, RecurringPack.subscription_id == subscription_id
    )
    return list(session.exec(query.order_by(col(RecurringPack.pack)).execution_options(populate_existing=True)))


def one(session: Session, organization_id: int, pack_id: str) -> RecurringPack | None:
    """A recurring pack as it is in the database now; whoever changes it holds the organization's row."""
    return session.get(RecurringPack, (organization_id, pack_id), populate_existing=True)


def due(session: Session, now: datetime, limit: int) -> list[RecurringPack]:
    """Those that it is time to look after, longest due first."""
    query = select(RecurringPack).where(col(RecurringPack.check_at) <= now)
    return list(session.exec(query.order_by(col(RecurringPack.check_at)).limit(limit)))


RENEWS = (
    col(RecurringPack.organization_id) == col(GrantRow.organization_id),
    col(RecurringPack.pack) == col(GrantRow.pack),
    col(RecurringPack.state) != State.ENDED.value,
    col(GrantRow.source) == "recurring",
)
"""Grants of a pack that is still renewed."""


def renewing_grants(session: Session, organization_id: int) -> set[str]:
    """The ids of grants that a pack brought which is still renewed."""
    query = select(GrantRow.id).join(RecurringPack, and_(*RENEWS))
    return set(session.exec(query.where(GrantRow.organization_id == organization_id)))


def lost(session: Session, organization_id: int) -> set[str]:
    """The ids of recurring packs that go on though a payment for them was disputed and lost."""
    query = (
        select(RecurringPack.id)
        .join(GrantRow, and_(*RENEWS))
        .join(
            PaymentDispute,
            and_(
                col(PaymentDispute.organization_id) == col(GrantRow.organization_id),
                col(PaymentDispute.payment_id) == col(GrantRow.payment_id),
                col(PaymentDispute.status) == DisputeStage.LOST.value,
            ),
        )
    )
    return set(session.exec(query.where(RecurringPack.organization_id == organization_id)))
