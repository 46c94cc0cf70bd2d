"""Who is told of what: an organization's choices over the defaults of each kind.

By mail: everybody with a role, and single members beside that. By webhook: each endpoint. Only what differs from a
default is stored, so a kind that a later version adds is told to whom it should be without anybody choosing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session

from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import InvalidError, NotFoundError
from billing_app.domain.notifications.kinds import KINDS, Kind, kind_ids, one
from billing_app.services.common import audit, organizations
from billing_app.services.common.context import Context
from billing_app.store.common import locks
from billing_app.store.notifications import choices as store
from billing_app.store.tables.organizations import Organization

ROLES = (Role.ADMIN, Role.BILLING, Role.MEMBER)
"""Whose holders can be told by mail."""

DEFAULT_ROLES = frozenset({Role.ADMIN, Role.BILLING})
"""Who is told of what is mailed by default."""

MAX_PEOPLE = 10
"""Single members who are told beside the roles: more than these are a role."""

MAX_MEMBERS = 500
"""Members that a single one is looked for among."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Ids of kinds by who is told of them. People by e-mail address."""

    roles: Mapping[str, tuple[str, ...]]
    people: Mapping[str, tuple[str, ...]]
    webhooks: Mapping[UUID, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """An organization's choices as they are stored, for asking about one audience and kind."""

    rows: Mapping[tuple[str, str], bool]

    def notifies(self, audience: str, kind: Kind) -> bool:
        """Whether an audience is told of a kind."""
        return self.rows.get((audience, kind.id), _by_default(audience, kind))

    def kinds(self, audience: str) -> tuple[str, ...]:
        """Everything that an audience is told of."""
        return tuple(kind.id for kind in KINDS if self.notifies(audience, kind))

    def people(self) -> list[UUID]:
        """Single members somebody has chosen for."""
        found = {audience for audience, _ in self.rows if audience.startswith("person:")}
        return sorted(UUID(audience.partition(":")[2]) for audience in found)


def of_role(role: str) -> str:
    """The audience of everybody with a role."""
    return f"role:{role}"


def of_person(user_id: UUID) -> str:
    """The audience of one member."""
    return f"person:{user_id}"


def of_endpoint(endpoint_id: UUID) -> str:
    """The audience of an endpoint."""
    return f"endpoint:{endpoint_id}"


def chosen(session: Session, organization_id: int) -> Chosen:
    """What is stored."""
    return Chosen(store.choices(session, organization_id))


def read(session: Session, organization: Organization) -> Choices:
    """Everybody who can be told, and of what they are."""
    owner = organization.pk
    rows = chosen(session, owner)
    picked = set(rows.people())
    members = store.accepted(session, owner, MAX_MEMBERS)
    return Choices(
        roles={role.value: rows.kinds(of_role(role)) for role in ROLES},
        people={user.email: rows.kinds(of_person(user.id)) for user, _ in members if user.id in picked},
        webhooks={each.id: rows.kinds(of_endpoint(each.id)) for each in store.endpoints(session, owner)},
    )


def write(context: Context, wanted: Choices) -> None:
    """Replaces the choices of every audience that `wanted` names; people whom it does not name are no longer told.

    Raises InvalidError `unknown_kind`, `unknown_role` or `too_many_people`, NotFoundError `member_not_found` or
    `webhook_not_found`.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    now = locks.hold(session, owner, now)  # what two replace at once is one of the two, and no mixture
    before = _noted(read(session, organization))
    members = {user.email: user.id for user, _ in store.accepted(session, owner, MAX_MEMBERS)}
    endpoints = {each.id for each in store.endpoints(session, owner)}
    if len(wanted.people) > MAX_PEOPLE:
        raise InvalidError(f"At most {MAX_PEOPLE} single members can be notified.", code="too_many_people")
    audiences: dict[str, Collection[str]] = {}
    for role, kinds in wanted.roles.items():
        if role not in ROLES:
            raise InvalidError(f"A role is one of {', '.join(ROLES)}, not {role}.", code="unknown_role")
        audiences[of_role(role)] = kinds
    for email, kinds in wanted.people.items():
        if email not in members:
            raise NotFoundError(f"{email} is not a member of this organization.", code="member_not_found")
        audiences[of_person(members[email])] = kinds
    for endpoint_id, kinds in wanted.webhooks.items():
        if endpoint_id not in endpoints:
            raise NotFoundError("There is no such webhook endpoint.", code="webhook_not_found")
        audiences[of_endpoint(endpoint_id)] = kinds
    for user_id in chosen(session, owner).people():
        if of_person(user_id) not in audiences:
            store.forget(session, owner, of_person(user_id))
    for audience, kinds in audiences.items():
        choose_all(session, owner, audience, kinds)
    after = _noted(read(session, organization))
    audit.record(session, owner, now, actor, "notifications.changed", before=before, after=after)
    organizations.raise_revision(session, owner)


def choose(context: Context, audience: str, kind_id: str, notified: bool) -> None:
    """Changes one choice. Raises InvalidError `unknown_kind`, NotFoundError `audience_not_found`."""
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    valid({kind_id})
    if audience not in audiences_of(session, owner):
        raise NotFoundError("This receiver does not exist any more.", code="audience_not_found")
    before = chosen(session, owner).notifies(audience, one(kind_id))
    store.choose(session, owner, audience, kind_id, notified)
    said = {"before": {"told": before}, "after": {"told": notified}}
    audit.record(session, owner, now, actor, "notifications.changed", f"{kind_id} {audience}", **said)
    organizations.raise_revision(session, owner)


def add_person(context: Context, email: str) -> None:
    """Tells a single member of what is mailed by default. Raises `member_not_found` or `too_many_people`."""
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    now = locks.hold(session, owner, now)  # of many at once with room for one, one passes
    found = next((user for user, _ in store.accepted(session, owner, MAX_MEMBERS) if user.email == email), None)
    if found is None:
        raise NotFoundError(f"{email} is not a member of this organization.", code="member_not_found")
    already = chosen(session, owner).people()
    if found.id not in already and len(already) >= MAX_PEOPLE:
        raise InvalidError(f"At most {MAX_PEOPLE} single members can be notified.", code="too_many_people")
    choose_all(session, owner, of_person(found.id), [kind.id for kind in KINDS if kind.mailed])
    audit.record(session, owner, now, actor, "notifications.person_added", email)
    organizations.raise_revision(session, owner)


def remove_person(context: Context, email: str) -> None:
    """A single member is told no longer, beside what the role is told."""
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    found = next((user for user, _ in store.accepted(session, owner, MAX_MEMBERS) if user.email == email), None)
    if found is None:
        return
    store.forget(session, owner, of_person(found.id))
    audit.record(session, owner, now, actor, "notifications.person_removed", email)
    organizations.raise_revision(session, owner)


def choose_all(session: Session, organization_id: int, audience: str, kinds: Collection[str]) -> None:
    """Tells an audience of exactly these kinds. Raises InvalidError `unknown_kind`."""
    valid(kinds)
    now = chosen(session, organization_id)
    person = audience.startswith("person:")
    for kind in KINDS:
        if person or now.notifies(audience, kind) != (kind.id in kinds):
            store.choose(session, organization_id, audience, kind.id, kind.id in kinds)


def audiences_of(session: Session, organization_id: int) -> set[str]:
    """Everybody for whom something can be chosen now."""
    people = {of_person(user_id) for user_id in chosen(session, organization_id).people()}
    endpoints = {of_endpoint(each.id) for each in store.endpoints(session, organization_id)}
    return {of_role(role) for role in ROLES} | people | endpoints


def valid(kinds: Collection[str]) -> None:
    """Raises InvalidError `unknown_kind` unless all of these are kinds."""
    unknown = sorted(set(kinds) - set(kind_ids()))
    if unknown:
        raise InvalidError(f"There is no kind of event {unknown[0]!r}.", code="unknown_kind")


def _by_default(audience: str, kind: Kind) -> bool:
    """An endpoint is a program's: it is told of everything. People are told of what needs them."""
    who, _, name = audience.partition(":")
    if who == "endpoint":
        return True
    return kind.mailed and (who == "person" or name in DEFAULT_ROLES)


def _noted(choices: Choices) -> dict[str, dict[str, list[str]]]:
    """Choices as the audit log has them."""
    both = {"roles": choices.roles, "people": choices.people, "webhooks": choices.webhooks}
    return {name: {str(who): list(kinds) for who, kinds in by_audience.items()} for name, by_audience in both.items()}
