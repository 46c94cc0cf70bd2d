"""Credits that an operator gives manually: always with a reason, which the organization is told."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.common.errors import ConflictError, NotFoundError
from billing_app.domain.common.texts import required_reason
from billing_app.domain.credits.facts import DEFAULT_PRIORITY
from billing_app.services.common import organizations, payers
from billing_app.services.common.context import Context
from billing_app.services.common.secrets import digest
from billing_app.services.credits import grants
from billing_app.services.credits.grants import ONE_YEAR, NewGrant
from billing_app.store.common import locks
from billing_app.store.credits import grants as grant_store
from billing_app.store.credits import ledger
from billing_app.store.notifications import outbox
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.organizations import Organization

KEY_LENGTH = 32
"""Characters of a key's digest that a grant carries."""


def give(
    context: Context,
    metric: str,
    quantity: int,
    *,
    reason: str,
    key: str,
    effective_at: datetime | None = None,
    expires_at: datetime | str | None = ONE_YEAR,
    priority: int = DEFAULT_PRIORITY,
    backdated: bool = False,
) -> GrantRow:
    """A free grant, once per `key`.

    Raises InvalidError `reason_required`, ConflictError `paid_by_another`, and as `credits.grant`.
    """
    session, organization, now = context.session, context.organization, context.now
    said = required_reason(reason)
    payer, now = payers.hold(context)
    if payer.id != organization.id:
        raise ConflictError(
            f"{payer.name} pays for this organization: credits given here would not be used. Give them there.",
            code="paid_by_another",
            payer=payer.address,
        )
    new = NewGrant(
        metric, quantity, "operator", source_key=f"operator:{digest(key)[:KEY_LENGTH]}", reason=said,
        effective_at=effective_at, expires_at=expires_at, priority=priority, backdated=backdated,
    )  # fmt: skip
    made = grants.grant(context.at(now), new)
    now = locks.moment(session, now)
    payload = {"metric": made.metric, "grant": made.id, "quantity": made.quantity, "reason": said}
    payload["expires_at"] = made.expires_at.isoformat() if made.expires_at else None
    outbox.add(
        session,
        made.organization_id,
        "credits.granted",
        f"grant:{made.id}",
        payload,
        made.effective_at,
        now,
        made.metric,
    )
    return made


def void(session: Session, grant_id: str, now: datetime, *, reason: str, actor: str) -> tuple[Organization, GrantRow]:
    """Forfeits what is left of a grant, whoever has it. Raises InvalidError `reason_required`, NotFoundError."""
    said = required_reason(reason)
    owner = grant_store.owner_of(session, grant_id)
    if owner is None:
        raise NotFoundError(f"There is no grant {grant_id!r}.", code="grant_not_found")
    organization = organizations.by_id(session, owner)
    found = grants.void(Context(session, organization, now, actor), grant_id, reason=said)
    now = locks.moment(session, now)
    # One that had not begun has no rows in the ledger: all of it is gone.
    gone = found.quantity if found.effective_at > now else -ledger.sum_of_grant(session, owner, grant_id, "void")
    payload = {"grant": grant_id, "metric": found.metric, "quantity": gone, "reason": said}
    outbox.add(session, owner, "credits.voided", f"void:{grant_id}", payload, now, now, found.metric)
    return organization, found
