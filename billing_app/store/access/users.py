"""Queries about users and memberships."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, exists, select

from billing_app.store.common.statements import upsert
from billing_app.store.tables.access import Membership, User
from billing_app.store.tables.organizations import Organization


def folded(email: str) -> str:
    """The form in which an e-mail address is stored and compared: people do not type capitals twice the same way."""
    return email.strip().lower()


def by_email(session: Session, email: str) -> User | None:
    """The user with this address, however it is capitalised."""
    return session.exec(select(User).where(User.email == folded(email))).first()


def by_id(session: Session, user_id: UUID) -> User | None:
    """The user with this id."""
    return session.get(User, user_id)


def lock(session: Session, user_id: UUID) -> None:
    """Holds the user until the transaction ends: whoever counts what one person has holds this."""
    session.exec(select(User.id).where(User.id == user_id).with_for_update(key_share=True)).first()


def lock_all(session: Session) -> None:
    """Lets one writer at a time decide whether there is an operator. SQLite's exclude each other anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")


def insert(session: Session, user: User) -> bool:
    """Stores a new user; False if somebody else has the address, be it since a moment ago."""
    statement = upsert(session, User).values(**user.model_dump())
    return session.connection().execute(statement.on_conflict_do_nothing(index_elements=["email"])).rowcount == 1


def every(session: Session, after: str, limit: int) -> list[User]:
    """Users by e-mail address, `limit` at a time, beginning after the address `after`."""
    return list(session.exec(select(User).where(User.email > after).order_by(User.email).limit(limit)))


def operator_exists(session: Session) -> bool:
    """Whether anybody is an operator."""
    return bool(session.exec(select(exists().where(col(User.operator)))).one())


def has_demo(session: Session) -> bool:
    """Whether anybody is of the demo."""
    return session.exec(select(User.id).where(User.demo).limit(1)).first() is not None


def membership(session: Session, organization_id: int, user_id: UUID) -> Membership | None:
    """The membership, accepted or not."""
    return session.get(Membership, (organization_id, user_id))


def accept(session: Session, organization_id: int, user_id: UUID, now: datetime) -> bool:
    """Makes an invitation a membership. False if there is none (any more)."""
    found = membership(session, organization_id, user_id)
    if found is None:
        return False
    found.accepted_at = found.accepted_at or now
    session.add(found)
    return True


def accept_linked(session: Session, user_id: UUID, now: datetime) -> None:
    """Makes what sign-in links vouched for the person's own."""
    session.exec(
        update(Membership)
        .where(
            col(Membership.user_id) == user_id,
            col(Membership.accepted_at).is_(None),
            col(Membership.linked_at).is_not(None),
        )
        .values(accepted_at=now)
    )


def joined(*, by_link: bool = True) -> ColumnElement[bool]:
    """Memberships that are more than an invitation; without those that only a sign-in link made unless `by_link`."""
    accepted = col(Membership.accepted_at).is_not(None)
    return accepted | col(Membership.linked_at).is_not(None) if by_link else accepted


def role_at(session: Session, address: str, user_id: UUID, *, by_link: bool) -> tuple[Organization, str] | None:
    """The organization at this address and the user's role in it; None without either. `by_link`: see `joined`."""
    query = (
        select(Organization, Membership.role)
        .join(Membership, col(Membership.organization_id) == col(Organization.id))
        .where(
            Organization.address == address,
            Membership.user_id == user_id,
            joined(by_link=by_link),
        )
    )
    return session.exec(query).first()


def organizations_of(
    session: Session, user_id: UUID, limit: int, *, by_link: bool = False
) -> list[tuple[Organization, str]]:
    """The organizations in which the user has a role, with the role, by name. `by_link`: see `joined`."""
    query = (
        select(Organization, Membership.role)
        .join(Membership, col(Membership.organization_id) == col(Organization.id))
        .where(Membership.user_id == user_id, joined(by_link=by_link))
        .order_by(Organization.name, Organization.address)
        .limit(limit)
    )
    return [(organization, role) for organization, role in session.exec(query)]


def roles_of(session: Session, user_ids: list[UUID]) -> dict[UUID, dict[str, str]]:
    """The roles of these users by organization's address, without invitations, in one query."""
    query = (
        select(Membership.user_id, Organization.address, Membership.role)
        .join(Organization, col(Organization.id) == col(Membership.organization_id))
        .where(col(Membership.user_id).in_(user_ids), joined())
        .order_by(Organization.address)
    )
    found: dict[UUID, dict[str, str]] = {}
    for user_id, address, role in session.exec(query):
        found.setdefault(user_id, {})[address] = role
    return found
