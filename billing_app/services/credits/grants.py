"""Grants and what happens to them. Each brings the organization's ledger up to date in the same transaction.

Whoever records a fact holds the organization's row, then the meter of the metric (lock order: services.usage.meters).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from billing_app.domain.common.errors import FactRefusedError, InvalidError, NotFoundError
from billing_app.domain.credits.facts import (
    DEFAULT_PRIORITY,
    MAX_QUANTITY,
    DisputeStatus,
    Grant,
    default_expiry,
    validated_grant,
)
from billing_app.domain.organizations.tree import NO_PLAN
from billing_app.services.catalogue import versions
from billing_app.services.common import audit
from billing_app.services.common.context import Context
from billing_app.services.usage import meters, recounts
from billing_app.store.catalogue import versions as catalog_store
from billing_app.store.common import locks
from billing_app.store.credits import grants as store
from billing_app.store.notifications import outbox
from billing_app.store.organizations import organizations, tree
from billing_app.store.tables.credits import GrantAction, GrantRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters as meter_store

ONE_YEAR = "one year"
"""Stands for the default expiry, because None means "never ends"."""


def new_grant_id() -> str:
    """A random id for a grant."""
    return f"gr_{secrets.token_hex(12)}"


@dataclass(frozen=True, slots=True)
class NewGrant:
    """Credits of a metric that somebody is to get, in the metric's base units.

    `source_key` names what they come from: it grants once (rule 12). `effective_at` None is at once; `expires_at` is a
    year after that unless told otherwise, None is never. `paid_cents` is what was paid for them, in the smallest unit
    of `currency`. `backdated` says that they are told late on purpose, so that they may have ended already
    (fine point 19).
    """

    metric: str
    quantity: int
    source: str
    source_key: str
    reason: str
    id: str | None = None
    effective_at: datetime | None = None
    expires_at: datetime | str | None = ONE_YEAR
    priority: int = DEFAULT_PRIORITY
    paid_cents: int = 0
    currency: str = ""
    payment_id: str = ""
    pack: str | None = None
    backdated: bool = False


def grant(context: Context, new: NewGrant) -> GrantRow:
    """Makes a grant, once per `source_key`: a repeated one answers the grant that exists (rule 12).

    Raises FactRefusedError `invalid_quantity`, `invalid_expiry`, `quantity_too_large`; NotFoundError
    `metric_not_found`.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    now = locks.hold(session, owner, now)
    existing = store.grant_by_source(session, owner, new.source_key)
    if existing is not None:
        return existing
    metric, quantity = new.metric, new.quantity
    versions.current(session, now).metric(metric)
    now = meters.prepare_all(context.at(now), [metric])
    fact = _fact(new, now)
    _require_room(session, owner, metric, quantity)
    row = GrantRow(
        organization_id=owner, id=fact.id, metric=metric, quantity=quantity, effective_at=fact.effective_at,
        expires_at=fact.expires_at, created_at=now, recorded_at=now, priority=new.priority, paid_cents=new.paid_cents,
        currency=new.currency, source=new.source, source_key=new.source_key, payment_id=new.payment_id, pack=new.pack,
        reason=new.reason, actor=actor,
    )  # fmt: skip
    session.add(row)
    session.flush()
    after = {
        "metric": metric, "quantity": quantity, "until": fact.expires_at, "source": new.source, "reason": new.reason,
    }  # fmt: skip
    audit.record(session, owner, now, actor or new.source, "grant.made", row.id, after=after)
    _follow(context.at(now), metric)
    return row


def _fact(new: NewGrant, now: datetime) -> Grant:
    begins = new.effective_at or now
    ends = default_expiry(begins) if isinstance(new.expires_at, str) else new.expires_at
    named = new.id or new_grant_id()
    made = validated_grant(
        Grant(named, new.quantity, begins, ends, now, priority=new.priority, paid_cents=new.paid_cents)
    )
    if ends is not None and ends <= now and not new.backdated:
        raise FactRefusedError(
            "These credits would have expired already. Choose a later end, or say that they are recorded "
            "late (`backdated`).",
            code="invalid_expiry",
        )
    return made


def _require_room(session: Session, owner: int, metric: str, quantity: int) -> None:
    """Refuses a grant that no sum of its metric could hold any more."""
    if store.granted_total(session, owner, metric) + quantity > MAX_QUANTITY:
        raise FactRefusedError(
            f"All grants of {metric} together would exceed {MAX_QUANTITY}.", code="quantity_too_large"
        )


def void(context: Context, grant_id: str, *, reason: str = "") -> GrantRow:
    """Forfeits what is left of a grant; voiding twice is one void (rule 8). Raises NotFoundError `grant_not_found`."""
    return _act(context, grant_id, kind="void", source_key=f"void:{grant_id}", reason=reason)


def refund(
    context: Context,
    grant_id: str,
    refunded_cents: int,
    *,
    source_key: str,
    at: datetime | None = None,
    reason: str = "",
) -> GrantRow:
    """So far `refunded_cents` were given back for this grant, cumulative; a failed refund lowers it (rule 9).

    `at` is when it happened, by default now; later readings must not be dated before earlier ones.
    Raises NotFoundError `grant_not_found`, InvalidError `grant_not_paid` for a free grant or `invalid_amount`.
    """
    session, organization = context.session, context.organization
    found = _existing(session, organization, grant_id)
    if found.source == "conversion":
        raise InvalidError(
            "These credits were made from tokens and have no payment of their own: refund the tokens.",
            code="grant_not_paid",
        )
    if not found.paid_cents:
        raise InvalidError("A free grant has no price that could be refunded.", code="grant_not_paid")
    if refunded_cents < 0:
        raise InvalidError("`refunded_cents` is 0 or more.", code="invalid_amount")
    return _act(
        context,
        grant_id,
        kind="refund",
        source_key=source_key,
        at=at,
        refunded_cents=min(refunded_cents, found.paid_cents),
        reason=reason,
    )


def dispute(
    context: Context,
    grant_id: str,
    status: DisputeStatus,
    *,
    source_key: str,
    dispute_id: str = "",
    amount_cents: int | None = None,
    at: datetime | None = None,
    reason: str = "",
) -> GrantRow:
    """A dispute's new status (rule 10), since `at`, by default now. `amount_cents` None is the whole grant.

    Raises NotFoundError `grant_not_found`, InvalidError `invalid_amount`.
    """
    if amount_cents is not None and amount_cents < 0:
        raise InvalidError("`amount_cents` is 0 or more.", code="invalid_amount")
    return _act(
        context,
        grant_id,
        kind="dispute",
        source_key=source_key,
        status=status.value,
        at=at,
        dispute_id=dispute_id,
        amount_cents=amount_cents,
        reason=reason,
    )


def change_plan(context: Context, plan: str, *, at: datetime | None = None, reason: str = "") -> None:
    """The organization holds `plan` from now on (rule 7); NO_PLAN ends that of a sub-organization (rule 14).

    `at` is since when, where that is known only now. Raises NotFoundError `plan_not_found`.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    now = locks.hold(session, owner, now)
    catalog_store.share(session)
    now = locks.moment_of(session, "catalogue", now)
    if plan != NO_PLAN:
        versions.current(session, now).plan(plan)
    held = store.plan_changes(session, owner)
    before = {"plan": held[-1].plan} if held else {}
    metrics = [row.metric for row in meter_store.of_organization(session, owner)]
    now = meters.prepare_all(context.at(now), metrics)
    store.add_plan_change(session, owner, plan, at or now, now, reason)
    after = {"plan": plan, "reason": reason}
    audit.record(session, owner, now, actor, "plan.changed", plan, before=before, after=after)
    if held and held[-1].plan != plan:
        payload = {"plan": None if plan == NO_PLAN else plan, "before": held[-1].plan or None, "reason": reason}
        payload["since"] = (at or now).isoformat()
        outbox.add(session, owner, "plan.changed", f"plan:{len(held) + 1}", payload, at or now, now)
    meter_store.mark_stale(session, owner)
    for metric in metrics:
        meters.fresh(context.at(now), metric)
    recounts.post(context.at(now))
    # who lies below is paid for, or pays itself, from now on
    for each in sorted({owner, *(above.pk for above in tree.ancestors(session, organization))}):
        organizations.raise_revision(session, each)


def _existing(session: Session, organization: Organization, grant_id: str) -> GrantRow:
    found = store.grant(session, organization.pk, grant_id)
    if found is None:
        raise NotFoundError(f"There is no grant {grant_id!r}.", code="grant_not_found")
    return found


def _act(
    context: Context, grant_id: str, *, kind: str, source_key: str, at: datetime | None = None, **facts: Any
) -> GrantRow:
    """Records what happened to a grant, once per `source_key`."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    now = locks.hold(session, owner, now)
    found = _existing(session, organization, grant_id)
    if store.action_by_source(session, owner, source_key) is not None:
        return found
    now = meters.prepare_all(context.at(now), [found.metric])
    session.add(
        GrantAction(
            organization_id=owner,
            number=store.next_action_number(session, owner),
            grant_id=grant_id,
            metric=found.metric,
            kind=kind,
            at=at or now,
            recorded_at=now,
            source_key=source_key,
            **facts,
        )
    )
    session.flush()
    after = {name: value for name, value in facts.items() if name != "actor" and value not in (None, "")}
    audit.record(session, owner, now, str(facts.get("actor") or ""), f"grant.{kind}", grant_id, after=after)
    _follow(context.at(now), found.metric)
    return found


def _follow(context: Context, metric: str) -> None:
    """After a fact about credits: meter, ledger and pages of this organization follow at once."""
    session, organization = context.session, context.organization
    owner = organization.pk
    meter_store.mark_stale(session, owner, [metric])
    recounts.post(context)
    organizations.raise_revision(session, owner)
