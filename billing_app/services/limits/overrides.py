"""What the operator gives one organization beside its plan: a limit, a feature or a voting type, until a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from billing_app.domain.catalogue import VotingType
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.common.texts import required_reason
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.domain.organizations.limits import Limit
from billing_app.services.catalogue import versions
from billing_app.services.common import audit, organizations, payers
from billing_app.services.common.context import Context
from billing_app.store.common import locks
from billing_app.store.organizations import overrides as store
from billing_app.store.tables.organizations import Organization, OrganizationOverride

"""Characters of a reason."""


class Kind(StrEnum):
    """What can be overridden."""

    LIMIT = "limit"
    FEATURE = "feature"
    VOTING_TYPE = "voting_type"


def put(
    context: Context, kind: Kind, name: str, value: int | None, *, ends_at: datetime | None, reason: str
) -> OrganizationOverride:
    """From now on, and until `ends_at`, `value` stands in place of what the plan says; replaces an earlier override.

    `value` of a limit None is unlimited; of customURL, a feature or a voting type 1 or 0. Raises InvalidError
    `invalid_override`, `invalid_end` or `reason_required`.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    _validate(session, kind, name, value, now)
    if ends_at is not None and ends_at <= now:
        raise InvalidError("An override ends after it begins.", code="invalid_end")
    why = required_reason(reason)
    owner = organization.pk
    now = locks.hold(session, owner, now)
    before = {row.name: row.value for row in store.in_force(session, owner, now, kind) if row.name == name}
    store.end(session, owner, kind, name, now)
    row = OrganizationOverride(
        organization_id=owner, kind=kind.value, name=name, value=value, starts_at=now, ends_at=ends_at,
        reason=why, actor=actor,
    )  # fmt: skip
    session.add(row)
    session.flush()
    after = {name: value, "until": ends_at, "reason": why}
    audit.record(session, owner, now, actor, "override.set", f"{kind.value} {name}", before=before, after=after)
    organizations.raise_revision(session, owner)
    return row


def end(context: Context, kind: Kind, name: str) -> None:
    """Takes an override back; the plan holds again. Ending what is not there changes nothing."""
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    now = locks.hold(session, owner, now)
    before = {row.name: row.value for row in store.in_force(session, owner, now, kind) if row.name == name}
    if not before:
        return
    store.end(session, owner, kind, name, now)
    audit.record(session, owner, now, actor, "override.ended", f"{kind.value} {name}", before=before)
    organizations.raise_revision(session, owner)


def values(session: Session, organization_id: int, kind: Kind, now: datetime) -> Mapping[str, int | None]:
    """What stands in place of the plan now, by name."""
    return {row.name: row.value for row in store.in_force(session, organization_id, now, kind)}


def in_force(context: Context) -> list[OrganizationOverride]:
    """All that stands in place of the plan now: what the payer has, and of options its own above them."""
    session, organization, now = context.session, context.organization, context.now
    payer = payers.payer(session, organization, now)
    found = {(row.kind, row.name): row for row in store.in_force(session, payer.pk, now)}
    if payer.id != organization.id:
        own = store.in_force(session, organization.pk, now)
        found |= {(row.kind, row.name): row for row in own if row.kind != Kind.LIMIT}
    return [found[place] for place in sorted(found)]


def every(session: Session, organization: Organization) -> list[OrganizationOverride]:
    """All that ever were, the newest first."""
    return store.every(session, organization.pk)


def _validate(session: Session, kind: Kind, name: str, value: int | None, now: datetime) -> None:
    known = {
        Kind.LIMIT: set(Limit),
        Kind.FEATURE: {feature.id for feature in versions.current(session, now).features},
        Kind.VOTING_TYPE: set(VotingType),
    }[kind]
    if name not in known:
        raise InvalidError(f"There is no {kind.value} {name!r}.", code="invalid_override")
    switch = kind is not Kind.LIMIT or name == Limit.CUSTOM_URL
    if switch and value not in (0, 1):
        raise InvalidError(f"{name} is on (1) or off (0).", code="invalid_override")
    if value is not None and not 0 <= value <= MAX_QUANTITY:
        raise InvalidError(f"{name} is a whole number from 0, or null for unlimited.", code="invalid_override")
