"""Finds and deletes what is kept no longer, so many rows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, inspect, select, tuple_
from sqlmodel import Session, col
from sqlmodel import select as entities

from billing_app.store.tables.access import BrowserSession, Membership, OneTimeLink, SignInAttempts, User
from billing_app.store.tables.base import Table
from billing_app.store.tables.meters import Reservation
from billing_app.store.tables.notifications import Delivery, DeliveryAttempt, OperatorMail, OutboxMessage
from billing_app.store.tables.runs import Lease, RecountRun
from billing_app.store.tables.stripe import InboxEvent, ReconciliationFinding, ReconciliationRun
from billing_app.store.tables.usage import IdempotencyKey


def sessions(session: Session, now: datetime, seen_before: datetime, limit: int) -> int:
    """Deletes sessions that have ended, or were not in use since `seen_before`."""
    ended = (col(BrowserSession.expires_at) <= now) | (col(BrowserSession.seen_at) <= seen_before)
    return _delete(session, BrowserSession, ended, limit)


def links(session: Session, before: datetime, limit: int) -> int:
    """Deletes one-time links that ended, used or not."""
    return _delete(session, OneTimeLink, col(OneTimeLink.expires_at) <= before, limit)


def attempts(session: Session, before: datetime, limit: int) -> int:
    """Deletes failed sign-ins whose window is over."""
    return _delete(session, SignInAttempts, col(SignInAttempts.started_at) <= before, limit)


def idempotency_keys(session: Session, before: datetime, limit: int) -> int:
    """Deletes first answers."""
    return _delete(session, IdempotencyKey, col(IdempotencyKey.recorded_at) < before, limit)


def reservations(session: Session, before: datetime, limit: int) -> int:
    """Deletes reservations that ended, confirmed or not."""
    return _delete(session, Reservation, col(Reservation.holds_until) < before, limit)


def deliveries(session: Session, before: datetime, limit: int) -> int:
    """Deletes finished deliveries with the logs of their tries."""
    old = _keys(session, Delivery, col(Delivery.finished_at) < before, limit)
    if old:
        tried = tuple_(col(DeliveryAttempt.organization_id), col(DeliveryAttempt.delivery_id))
        session.connection().execute(delete(DeliveryAttempt).where(tried.in_(old)))
        _drop(session, Delivery, old)
    return len(old)


def messages(session: Session, before: datetime, limit: int) -> int:
    """Deletes messages that were fanned out and have no delivery any more."""
    carried = exists().where(
        col(Delivery.organization_id) == col(OutboxMessage.organization_id),
        col(Delivery.message_id) == col(OutboxMessage.id),
    )
    return _delete(session, OutboxMessage, (col(OutboxMessage.fanned_out_at) < before) & ~carried, limit)


def events(session: Session, before: datetime, limit: int) -> int:
    """Deletes events of Stripe that are done with. What was given up stays until somebody looks after it."""
    done = col(InboxEvent.state).in_(("handled", "ignored"))
    return _delete(session, InboxEvent, (col(InboxEvent.received_at) < before) & done, limit)


def recounts(session: Session, before: datetime, limit: int) -> int:
    """Deletes the rows of finished recounts; the latest good one stays, because a catch-up begins there."""
    latest = (
        select(col(RecountRun.id))
        .where(col(RecountRun.finished_at).is_not(None), col(RecountRun.error).is_(None))
        .order_by(col(RecountRun.as_of).desc())
        .limit(1)
    )
    old = (col(RecountRun.finished_at) < before) & col(RecountRun.id).not_in(latest)
    return _delete(session, RecountRun, old, limit)


def comparisons(session: Session, before: datetime, limit: int) -> int:
    """Deletes reports of comparisons with Stripe; the latest finished one stays."""
    latest = (
        select(col(ReconciliationRun.id))
        .where(col(ReconciliationRun.state) == "finished", ~col(ReconciliationRun.dry))
        .order_by(col(ReconciliationRun.id).desc())
        .limit(1)
    )
    old = (col(ReconciliationRun.finished_at) < before) & col(ReconciliationRun.id).not_in(latest)
    runs = _keys(session, ReconciliationRun, old, limit)
    if runs:
        numbers = [row[0] for row in runs]
        of_runs = col(ReconciliationFinding.run_id).in_(numbers)
        session.connection().execute(delete(ReconciliationFinding).where(of_runs))
        _drop(session, ReconciliationRun, runs)
    return len(runs)


def operator_mails(session: Session, before: datetime, limit: int) -> int:
    """Deletes mails to operators."""
    return _delete(session, OperatorMail, col(OperatorMail.created_at) < before, limit)


def leases(session: Session, before: datetime, limit: int) -> int:
    """Deletes leases that a process left behind when it died."""
    return _delete(session, Lease, col(Lease.expires_at) < before, limit)


def dead_invitations(session: Session, before: datetime, now: datetime, limit: int) -> list[tuple[Membership, str]]:
    """Invitations that nobody took and whose link has ended, each with the e-mail address."""
    query = (
        entities(Membership, User.email)
        .join(User, col(User.id) == col(Membership.user_id))
        .where(
            col(Membership.accepted_at).is_(None),
            col(Membership.linked_at).is_(None),
            col(Membership.created_at) < before,
            ~_open_link(now),
        )
        .order_by(col(Membership.organization_id))
        .limit(limit)
    )
    return list(session.exec(query))


def end_invitation(session: Session, invitation: Membership, now: datetime) -> bool:
    """Deletes an invitation unless it was taken or renewed meanwhile; whether it did. The organization is locked."""
    statement = delete(Membership).where(
        col(Membership.organization_id) == invitation.organization_id,
        col(Membership.user_id) == invitation.user_id,
        col(Membership.accepted_at).is_(None),
        col(Membership.linked_at).is_(None),
        ~_open_link(now),
    )
    return session.connection().execute(statement).rowcount > 0


def _open_link(now: datetime) -> ColumnElement[bool]:
    """Whether an invitation can still be taken."""
    return exists().where(
        col(OneTimeLink.user_id) == col(Membership.user_id),
        col(OneTimeLink.organization_id) == col(Membership.organization_id),
        col(OneTimeLink.kind) == "invitation",
        col(OneTimeLink.expires_at) > now,
    )


def _delete(session: Session, table: type[Table], where: ColumnElement[bool], limit: int) -> int:
    """Deletes up to `limit` rows; answers how many there were."""
    keys = _keys(session, table, where, limit)
    if keys:
        _drop(session, table, keys)
    return len(keys)


def _keys(session: Session, table: type[Table], where: ColumnElement[bool], limit: int) -> list[Any]:
    return [tuple(row) for row in session.connection().execute(select(*_primary(table)).where(where).limit(limit))]


def _drop(session: Session, table: type[Table], keys: Sequence[Row[Any] | tuple[Any, ...]]) -> None:
    session.connection().execute(delete(table).where(tuple_(*_primary(table)).in_(keys)))


def _primary(table: type[Table]) -> list[Any]:
    return list(inspect(table).primary_key)
