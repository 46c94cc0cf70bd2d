"""Queries on who is told of what, and on where webhooks go."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from billing_app.store.access.users import joined
from billing_app.store.common.statements import upsert
from billing_app.store.tables.access import Membership, User
from billing_app.store.tables.notifications import NotificationChoice, WebhookEndpoint


def choices(session: Session, organization_id: int) -> dict[tuple[str, str], bool]:
    """What an organization has chosen, by audience and kind."""
    query = select(NotificationChoice.audience, NotificationChoice.kind, NotificationChoice.notified).where(
        NotificationChoice.organization_id == organization_id
    )
    return {(audience, kind): notified for audience, kind, notified in session.exec(query)}


def choose(session: Session, organization_id: int, audience: str, kind: str, notified: bool) -> None:
    """Keeps a choice."""
    statement = upsert(session, NotificationChoice).values(
        organization_id=organization_id, audience=audience, kind=kind, notified=notified
    )
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["organization_id", "audience", "kind"], set_={"notified": notified}
        )
    )


def forget(session: Session, organization_id: int, audience: str) -> None:
    """Drops every choice of an audience: its defaults hold again."""
    own = col(NotificationChoice.organization_id) == organization_id
    session.exec(delete(NotificationChoice).where(own, col(NotificationChoice.audience) == audience))


def endpoints(session: Session, organization_id: int, *, deleted: bool = False) -> list[WebhookEndpoint]:
    """Endpoints that are there, the oldest first; those that were `deleted` too."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.organization_id == organization_id)
    if not deleted:
        query = query.where(col(WebhookEndpoint.deleted_at).is_(None))
    return list(session.exec(query.order_by(col(WebhookEndpoint.created_at), col(WebhookEndpoint.id))))


def endpoint(session: Session, organization_id: int, endpoint_id: UUID) -> WebhookEndpoint | None:
    """One endpoint, unless it was deleted."""
    found = session.get(WebhookEndpoint, (organization_id, endpoint_id), populate_existing=True)
    return None if found is None or found.deleted_at is not None else found


def note_failure(session: Session, endpoint: WebhookEndpoint, since: datetime) -> datetime:
    """The endpoint did not take a message; since when it takes none."""
    endpoint.failing_since = endpoint.failing_since or since
    session.add(endpoint)
    return endpoint.failing_since


def members(session: Session, organization_id: int, roles: Iterable[str], people: Iterable[UUID]) -> list[User]:
    """Members that have one of `roles` or are among `people`, each once. Demo people have no mailbox."""
    query = (
        select(User)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(
            Membership.organization_id == organization_id,
            joined(),
            col(User.demo).is_(False),
            col(Membership.role).in_(list(roles)) | col(User.id).in_(list(people)),
        )
    )
    return list(session.exec(query.order_by(User.email)))


def accepted(session: Session, organization_id: int, limit: int) -> list[tuple[User, str]]:
    """Members, without the invited, with their roles, by address."""
    query = (
        select(User, Membership.role)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(Membership.organization_id == organization_id, joined())
        .order_by(User.email)
        .limit(limit)
    )
    return [(user, role) for user, role in session.exec(query)]


def roles_held(session: Session, organization_id: int) -> dict[str, int]:
    """How many members have each role, without the invited."""
    query = (
        select(Membership.role, func.count())
        .where(Membership.organization_id == organization_id, joined())
        .group_by(Membership.role)
    )
    return dict(session.exec(query).all())
