"""Queries on messages that wait to be fanned out, and on deliveries: claiming, recording, listing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, update
from sqlmodel import Session, col, select

from billing_app.store.common.statements import upsert
from billing_app.store.tables.notifications import Delivery, DeliveryAttempt, OutboxMessage


def waiting_organizations(session: Session, after: int, limit: int) -> list[int]:
    """Organizations with messages that nobody has fanned out, by id after `after`."""
    query = (
        select(OutboxMessage.organization_id)
        .where(col(OutboxMessage.fanned_out_at).is_(None), OutboxMessage.organization_id > after)
        .distinct()
        .order_by(col(OutboxMessage.organization_id))
    )
    return list(session.exec(query.limit(limit)))


def waiting_messages(session: Session, organization_id: int, limit: int) -> list[OutboxMessage]:
    """The oldest messages of an organization that nobody has fanned out."""
    query = select(OutboxMessage).where(
        OutboxMessage.organization_id == organization_id, col(OutboxMessage.fanned_out_at).is_(None)
    )
    return list(session.exec(query.order_by(col(OutboxMessage.id)).limit(limit)))


def message(session: Session, organization_id: int, message_id: UUID) -> OutboxMessage:
    """The message of a delivery."""
    return session.exec(
        select(OutboxMessage).where(OutboxMessage.organization_id == organization_id, OutboxMessage.id == message_id)
    ).one()


def add(session: Session, message: OutboxMessage, channel: str, target: UUID, address: str, now: datetime) -> UUID:
    """A delivery that is due at once; one that is there already stays as it is. Answers its id."""
    row = Delivery(
        organization_id=message.organization_id, message_id=message.id, channel=channel, target=target,
        address=address, next_try_at=now, created_at=now,
    )  # fmt: skip
    session.connection().execute(upsert(session, Delivery).values(**row.model_dump()).on_conflict_do_nothing())
    return row.id


def due_organizations(
    session: Session, now: datetime, busy: Collection[int], avoided: Collection[UUID], limit: int
) -> list[int]:
    """Whose deliveries are due, those that wait longest first; without the `busy` ones."""
    query = (
        select(Delivery.organization_id)
        .where(*_due(now, avoided), col(Delivery.organization_id).not_in(list(busy)))
        .group_by(col(Delivery.organization_id))
        .order_by(func.min(Delivery.next_try_at), col(Delivery.organization_id))
    )
    return list(session.exec(query.limit(limit)))


def claim(
    session: Session, organization_id: int, now: datetime, holder: str, until: datetime, avoided: Collection[UUID]
) -> Delivery | None:
    """Takes the delivery that waits longest, for this holder alone until `until`; None if there is none to take.

    The attempt is counted now: one that a dying process began is not begun for ever.
    """
    query = select(Delivery).where(Delivery.organization_id == organization_id, *_due(now, avoided))
    query = query.order_by(col(Delivery.next_try_at), col(Delivery.id)).limit(1).with_for_update(skip_locked=True)
    found = session.exec(query.execution_options(populate_existing=True)).first()
    if found is None:
        return None
    found.claim, found.claimed_until = holder, until
    found.tries += 1
    found.attempts += 1
    session.add(found)
    session.flush()
    return found


def finish_attempt(
    session: Session, delivery: Delivery, state: str, next_try_at: datetime | None, now: datetime
) -> bool:
    """Writes how an attempt ended, if the claim is still ours; whether it was."""
    statement = (
        update(Delivery)
        .where(
            col(Delivery.organization_id) == delivery.organization_id,
            col(Delivery.id) == delivery.id,
            col(Delivery.claim) == delivery.claim,
            col(Delivery.attempts) == delivery.attempts,
        )
        .values(
            state=state, next_try_at=next_try_at, claim="", claimed_until=None,
            finished_at=None if next_try_at else now,
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    return session.connection().execute(statement).rowcount > 0


def add_attempt(session: Session, attempt: DeliveryAttempt) -> None:
    """Writes an attempt into the log, once."""
    session.connection().execute(
        upsert(session, DeliveryAttempt).values(**attempt.model_dump()).on_conflict_do_nothing()
    )


def give_up(session: Session, organization_id: int, target: UUID, now: datetime) -> None:
    """Whatever still waits for a receiver is not tried again."""
    statement = (
        update(Delivery)
        .where(
            col(Delivery.organization_id) == organization_id,
            col(Delivery.target) == target,
            col(Delivery.next_try_at).is_not(None),
        )
        .values(state="failed", next_try_at=None, claim="", claimed_until=None, finished_at=now)
        .execution_options(synchronize_session=False)
    )
    session.connection().execute(statement)


def delivery(session: Session, organization_id: int, delivery_id: UUID) -> Delivery | None:
    """One delivery as it is now."""
    return session.get(Delivery, (organization_id, delivery_id), populate_existing=True)


def latest(
    session: Session,
    organization_id: int,
    limit: int,
    *,
    before: UUID | None = None,
    state: str = "",
    target: UUID | None = None,
) -> list[tuple[Delivery, OutboxMessage]]:
    """Deliveries with their messages, the newest first; those with an id before `before`."""
    query = (
        select(Delivery, OutboxMessage)
        .join(
            OutboxMessage,
            and_(
                col(OutboxMessage.organization_id) == col(Delivery.organization_id),
                col(OutboxMessage.id) == col(Delivery.message_id),
            ),
        )
        .where(Delivery.organization_id == organization_id)
    )
    if before is not None:
        query = query.where(col(Delivery.id) < before)
    if state:
        query = query.where(Delivery.state == state)
    if target is not None:
        query = query.where(Delivery.target == target)
    return list(session.exec(query.order_by(col(Delivery.id).desc()).limit(limit)))


def attempts(session: Session, organization_id: int, delivery_id: UUID) -> list[DeliveryAttempt]:
    """The log of a delivery, the latest attempt first."""
    query = select(DeliveryAttempt).where(
        DeliveryAttempt.organization_id == organization_id, DeliveryAttempt.delivery_id == delivery_id
    )
    return list(session.exec(query.order_by(col(DeliveryAttempt.number).desc()).limit(100)))


def last_attempts(session: Session, organization_id: int, delivery_ids: list[UUID]) -> dict[UUID, DeliveryAttempt]:
    """The last attempt of each of these deliveries, in one query."""
    query = select(DeliveryAttempt).where(
        DeliveryAttempt.organization_id == organization_id, col(DeliveryAttempt.delivery_id).in_(delivery_ids)
    )
    return {row.delivery_id: row for row in session.exec(query.order_by(col(DeliveryAttempt.number)))}


def last_arrivals(session: Session, organization_id: int, targets: Collection[UUID]) -> dict[UUID, datetime]:
    """When a message last reached each of these receivers, in one query."""
    query = (
        select(Delivery.target, func.max(Delivery.finished_at))
        .where(
            Delivery.organization_id == organization_id,
            Delivery.state == "delivered",
            col(Delivery.target).in_(list(targets)),
        )
        .group_by(col(Delivery.target))
    )
    return {target: at for target, at in session.exec(query) if at is not None}


def _due(now: datetime, avoided: Collection[UUID]) -> tuple[Any, ...]:
    free = or_(col(Delivery.claimed_until).is_(None), col(Delivery.claimed_until) <= now)
    return (col(Delivery.next_try_at) <= now, free, col(Delivery.target).not_in(list(avoided)))
