"""Queries about gift cards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select

from billing_app.store.common.statements import upsert
from billing_app.store.tables.credits import GiftCard, GiftCardRedemption
from billing_app.store.tables.organizations import Organization


def add(session: Session, cards: Sequence[GiftCard]) -> None:
    """Writes new cards."""
    session.add_all(cards)
    session.flush()


def by_hash(session: Session, code_hash: str) -> GiftCard | None:
    """The card of a code."""
    query = select(GiftCard).where(GiftCard.code_hash == code_hash)
    return session.exec(query.execution_options(populate_existing=True)).first()


def by_id(session: Session, card_id: UUID) -> GiftCard | None:
    """One card."""
    return session.get(GiftCard, card_id)


def page(session: Session, limit: int, before: UUID | None = None) -> list[GiftCard]:
    """Cards, the newest first, `limit` at a time, beginning below the id `before`: ids grow with time."""
    query = select(GiftCard).order_by(col(GiftCard.id).desc()).limit(limit)
    return list(session.exec(query if before is None else query.where(col(GiftCard.id) < before)))


def take(session: Session, card_id: UUID, now: datetime) -> bool:
    """Counts one redemption if the card still has one at `now`; False if it has none, has ended or is void.

    One statement: of two who take the last one at the same time, one gets it.
    """
    statement = (
        update(GiftCard)
        .where(
            col(GiftCard.id) == card_id,
            col(GiftCard.redemptions) < col(GiftCard.max_redemptions),
            col(GiftCard.voided_at).is_(None),
            col(GiftCard.expires_at).is_(None) | (col(GiftCard.expires_at) > now),
        )
        .values(redemptions=GiftCard.redemptions + 1)
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount == 1


def redeem(session: Session, organization_id: int, card_id: UUID, now: datetime, actor: str) -> bool:
    """Notes that the organization redeems the card; False if it had before."""
    statement = upsert(session, GiftCardRedemption).values(
        organization_id=organization_id, card_id=card_id, redeemed_at=now, actor=actor
    )
    return session.connection().execute(statement.on_conflict_do_nothing()).rowcount == 1


def redemption(session: Session, organization_id: int, card_id: UUID) -> GiftCardRedemption | None:
    """That the organization redeemed the card, if it did."""
    return session.get(GiftCardRedemption, (organization_id, card_id))


def void(session: Session, card_id: UUID, now: datetime, reason: str) -> bool:
    """Ends a card; False if it was void already."""
    statement = (
        update(GiftCard)
        .where(col(GiftCard.id) == card_id, col(GiftCard.voided_at).is_(None))
        .values(voided_at=now, void_reason=reason)
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount == 1


def redeemers(session: Session, card_id: UUID, limit: int) -> list[tuple[GiftCardRedemption, Organization]]:
    """Who redeemed a card, the latest first."""
    query = (
        select(GiftCardRedemption, Organization)
        .join(Organization, col(Organization.id) == col(GiftCardRedemption.organization_id))
        .where(GiftCardRedemption.card_id == card_id)
        .order_by(col(GiftCardRedemption.redeemed_at).desc(), col(GiftCardRedemption.organization_id))
        .limit(limit)
    )
    return list(session.exec(query))
