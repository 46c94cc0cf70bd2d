"""Queries on who is a member, or is invited."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from billing_app.domain.common.access import Role
from billing_app.store.access.users import joined
from billing_app.store.tables.access import Membership, User


def every(
    session: Session, organization_id: int, after: str = "", limit: int | None = None
) -> list[tuple[Membership, User]]:
    """Members and invited people by e-mail address, beginning after the address `after`."""
    query = (
        select(Membership, User)
        .join(User, col(User.id) == col(Membership.user_id))
        .where(Membership.organization_id == organization_id, User.email > after)
        .order_by(User.email)
    )
    return list(session.exec(query if limit is None else query.limit(limit)).all())


def people(session: Session, organization_ids: Collection[int]) -> int:
    """How many different people are members of these organizations or invited to them."""
    query = select(func.count(func.distinct(Membership.user_id)))
    return session.exec(query.where(col(Membership.organization_id).in_(organization_ids))).one()


def belongs(session: Session, organization_ids: Collection[int], user_id: UUID) -> bool:
    """Whether the person is a member of one of these or invited."""
    query = select(Membership.user_id).where(
        Membership.user_id == user_id, col(Membership.organization_id).in_(organization_ids)
    )
    return session.exec(query.limit(1)).first() is not None


def admins(session: Session, organization_id: int) -> int:
    """How many admins there are, without those who are only invited."""
    query = (
        select(func.count())
        .select_from(Membership)
        .where(
            Membership.organization_id == organization_id,
            Membership.role == Role.ADMIN,
            joined(),
        )
    )
    return session.exec(query).one()


def remove(session: Session, organization_id: int, user_id: UUID) -> None:
    """Ends the membership or the invitation."""
    session.exec(
        delete(Membership).where(col(Membership.organization_id) == organization_id, col(Membership.user_id) == user_id)
    )
