"""What an operator may change manually for one organization: read together for its dialogs. And done."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import TOKEN, VotingType
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.organizations.limits import Limit
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import granting, statements
from billing_app.services.credits.grants import ONE_YEAR
from billing_app.services.limits import overrides
from billing_app.services.limits.overrides import Kind
from billing_app.services.operators import organizations as operated
from billing_app.services.operators.views_manual import ManualChangesView
from billing_app.services.usage import plans_in_force
from billing_app.store.organizations import overrides as override_store


def look(session: Session, address: str, now: datetime) -> ManualChangesView:
    """Everything to choose from. Raises NotFoundError `organization_not_found`."""
    organization = organizations.by_address(session, address)
    owner = organization.pk
    current = versions.current(session, now)
    found = statements.grants(Context(session, organization, now))
    choices = [(Kind.LIMIT.value, limit.value, limit.value) for limit in Limit]
    choices += [(Kind.FEATURE.value, each.id, each.name) for each in current.features]
    choices += [(Kind.VOTING_TYPE.value, each.value, f"{each.value.title()} voting") for each in VotingType]
    return ManualChangesView(
        metrics=(*current.metrics, TOKEN),
        plans=tuple((plan.id, plan.name) for plan in current.plans if not plan.retired),
        plan=plans_in_force.plans(session, owner).plan_at(now),
        grants=tuple((each.id, current.metric(each.metric), each.left, each.reason) for each in found if each.left),
        overrides=tuple(
            (row.kind, row.name, row.value, row.ends_at) for row in override_store.in_force(session, owner, now)
        ),
        choices=tuple(choices),
    )


def give(
    session: Session,
    address: str,
    metric: str,
    quantity: int,
    now: datetime,
    *,
    reason: str,
    ends_at: datetime | None,
    key: str,
    actor: str,
) -> None:
    """Credits for nothing, once per key; without an end they last a year. Raises as `granting.give` does."""
    organization = organizations.by_address(session, address)
    granting.give(
        Context(session, organization, now, actor),
        metric,
        quantity,
        reason=reason,
        key=key,
        expires_at=ends_at or ONE_YEAR,
    )


def set_plan(session: Session, address: str, plan: str, now: datetime, *, reason: str, actor: str) -> None:
    """Another plan from now on; raises as `organizations.set_plan` of operators does."""
    operated.set_plan(Context(session, organizations.by_address(session, address), now, actor), plan, reason=reason)


def override(
    session: Session,
    address: str,
    kind: str,
    name: str,
    value: int | None,
    now: datetime,
    *,
    reason: str,
    ends_at: datetime | None,
    actor: str,
) -> None:
    """Something in place of what the plan says. Raises as `overrides.put` does, InvalidError `invalid_override`."""
    organization = organizations.by_address(session, address)
    overrides.put(Context(session, organization, now, actor), _kind(kind), name, value, ends_at=ends_at, reason=reason)


def end_override(session: Session, address: str, kind: str, name: str, now: datetime, *, actor: str) -> None:
    """The plan holds again; raises as `override` does."""
    overrides.end(Context(session, organizations.by_address(session, address), now, actor), _kind(kind), name)


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise InvalidError("There is nothing of this kind to override.", code="invalid_override") from None
