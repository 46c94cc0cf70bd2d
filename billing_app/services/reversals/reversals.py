"""Money that went back, as it stands at Stripe, brought to the grants that it had paid for (credits.md, rules 9, 10).

Whatever is heard of, a refund or a dispute, in whatever order: everything that went back of its payment is read anew,
outside of any transaction, and `settle` writes the difference between that and what is recorded. Each refund and
dispute is kept as it was last seen and only ever moves on, so an older reading takes nothing back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.credits.facts import DisputeStatus
from billing_app.domain.purchases import reversals as domain
from billing_app.domain.purchases.reversals import DisputeFact, DisputeStage, Part, RefundFact, RefundStatus
from billing_app.gateways.invoices import Invoice
from billing_app.gateways.payments import Checkout, Payments
from billing_app.gateways.reversals import Dispute, Refund, Reversals
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants as credits
from billing_app.services.payments import ownership
from billing_app.services.purchases import fulfilment, subscription_events
from billing_app.services.reversals import notices
from billing_app.services.reversals.notices import News
from billing_app.services.usage import meters
from billing_app.store.common import locks
from billing_app.store.purchases import reversals as store
from billing_app.store.purchases import subscriptions as subscription_store
from billing_app.store.tables.credits import GrantAction, GrantRow
from billing_app.store.tables.reversals import PaymentDispute, PaymentRefund

WHOLE_SECOND = timedelta(microseconds=999_999)
"""Stripe's moments have no fractions: what it dates to a second came after all that we recorded in that second."""

GRANT, REQUEST = "grant", "refund_request"
"""Names in the metadata of refunds that are made on our pages."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that went back of one payment, and what the payment was for, as Stripe knows it now."""

    reversals: Reversals
    checkout: Checkout | None
    invoice: Invoice | None


@dataclass(frozen=True, slots=True)
class Settled:
    """Whose payment it was, None for one that is not ours, and whether anything was new."""

    organization_id: int | None
    changed: bool = False


def read(payments: Payments, payment_id: str) -> Reading | None:
    """Asks Stripe for everything about a payment; None for none. Never inside a transaction."""
    if not payment_id:
        return None
    try:
        found = payments.reversals(payment_id)
    except NotFoundError:
        return None
    checkout = payments.checkout(found.session_id) if found.session_id else None
    invoice = payments.invoice(found.invoice_id) if found.invoice_id else None
    return Reading(found, checkout, invoice)


def settle(session: Session, reading: Reading, now: datetime, at: datetime | None = None) -> Settled:
    """Records what is new of a payment's refunds and disputes; the purchase itself first, if nobody had heard of it.

    `at` is when the last change happened, if its event says so; by default now.
    """
    found = reading.reversals
    if reading.checkout is not None:
        fulfilment.settle(session, reading.checkout, now)
    invoice = reading.invoice or (reading.checkout.invoice if reading.checkout else None)
    if invoice is not None:
        subscription_events.settle_invoice(session, invoice, now)
    organization = ownership.of_payment(session, found.payment_id, found.customer_id)
    if organization is None and invoice is not None:
        organization = ownership.of_invoice(session, invoice)
    if organization is None:
        return Settled(None)
    owner = organization.pk
    now = locks.hold(session, owner, now)
    changed, news = _keep(session, owner, found, _plan_paid(session, owner, invoice), now)
    grants = _in_line_order(store.paid_by(session, owner, found.payment_id), reading)
    now = meters.prepare_all(Context(session, organization, now), {grant.metric for grant in grants})
    changed |= _follow(Context(session, organization, now), found, grants, _moment(at, now))
    notices.notify(session, owner, news, grants, now)
    if changed:
        organizations.raise_revision(session, owner)
    return Settled(owner, changed)


def _plan_paid(session: Session, owner: int, invoice: Invoice | None) -> str:
    """The plan that a payment was for, as it is called now; empty for what was no plan's."""
    if invoice is None:
        return ""
    if ownership.kind_of(session, invoice.subscription_id, invoice.subscription_metadata) != ownership.PLAN:
        return ""
    kept = subscription_store.subscription(session, owner, invoice.subscription_id)
    return (kept.plan if kept else "") or invoice.subscription_metadata.get("plan", "")[:100]


def _keep(session: Session, owner: int, found: Reversals, plan: str, now: datetime) -> tuple[bool, list[News]]:
    """Keeps every refund and dispute as it stands; whether any is new or has moved on, and what is told of that."""
    changed, news = False, list[News | None]()
    for refund in found.refunds:
        row = store.refund(session, owner, refund.id)
        if row is None or RefundStatus(row.status).rank < refund.status.rank:
            before, row = None if row is None else row.status, _refund_row(owner, refund, row, now)
            session.add(row)
            news.append(notices.of_refund(before, row))
            changed = True
    for dispute in found.disputes:
        kept = store.dispute(session, owner, dispute.id)
        if kept is None or DisputeStage(kept.status).rank < dispute.stage.rank:
            before, kept = None if kept is None else kept.status, _dispute_row(owner, dispute, kept, plan, now)
            session.add(kept)
            news.append(notices.of_dispute(before, kept))
            changed = True
    session.flush()
    return changed, [each for each in news if each is not None]


def _refund_row(owner: int, refund: Refund, row: PaymentRefund | None, now: datetime) -> PaymentRefund:
    row = row or PaymentRefund(
        organization_id=owner,
        id=refund.id,
        payment_id=refund.payment_id,
        grant_id=refund.metadata.get(GRANT, "")[:255],
        amount_cents=refund.amount_cents,
        currency=refund.currency,
        status=refund.status.value,
        created_at=refund.created_at,
        changed_at=now,
    )
    row.status, row.failure, row.changed_at = refund.status.value, refund.failure, now
    return row


def _dispute_row(owner: int, dispute: Dispute, row: PaymentDispute | None, plan: str, now: datetime) -> PaymentDispute:
    row = row or PaymentDispute(
        organization_id=owner,
        id=dispute.id,
        payment_id=dispute.payment_id,
        amount_cents=dispute.amount_cents,
        currency=dispute.currency,
        status=dispute.stage.value,
        reason=dispute.reason,
        created_at=dispute.created_at,
        changed_at=now,
    )
    row.status, row.amount_cents, row.changed_at = dispute.stage.value, dispute.amount_cents, now
    row.plan = row.plan or plan
    return row


def _in_line_order(grants: list[GrantRow], reading: Reading) -> list[GrantRow]:
    """The grants in the order of the lines that they were paid by."""
    lines = [line.id for line in reading.checkout.lines] if reading.checkout else []
    lines += [line.id for line in reading.invoice.lines] if reading.invoice else []
    place = {line: index for index, line in enumerate(lines)}
    return sorted(grants, key=lambda grant: place.get(grant.source_key.rpartition(":")[2], len(lines)))


def _follow(context: Context, found: Reversals, grants: Sequence[GrantRow], at: datetime) -> bool:
    """Lets the grants be what everything that is kept of their payment says; whether that changed any."""
    session, organization = context.session, context.organization
    owner = organization.pk
    refunds = store.refunds_of(session, owner, [found.payment_id])
    disputes = store.disputes_of(session, owner, [found.payment_id])
    # What a payment paid beside our grants takes its part of a refund, too.
    other = max(0, found.amount_cents - sum(grant.paid_cents for grant in grants))
    parts = [*(Part(grant.id, grant.paid_cents) for grant in grants), Part("", other)]
    given_back = domain.refunded(parts, [refund_fact(row) for row in refunds])
    claims = domain.disputed(parts, given_back, [dispute_fact(row) for row in disputes])
    recorded = store.actions_on(session, owner, given_back)
    changed = False
    for grant in grants:
        of_grant = [action for action in recorded if action.grant_id == grant.id]
        cents = given_back[grant.id] + _lost_since(grant, disputes, claims, of_grant)
        changed |= _refund(context, grant, cents, refunds, of_grant, at)
        for row in disputes:
            claim = claims[row.id][grant.id]
            changed |= _dispute(context, grant, row, claim, of_grant, at)
    return changed


def _lost_since(
    grant: GrantRow,
    disputes: Sequence[PaymentDispute],
    claims: Mapping[str, Mapping[str, int]],
    recorded: Sequence[GrantAction],
) -> int:
    """Cents that a lost dispute is about beyond what was recorded when it was lost: a refund failed since.

    What was recorded stands, so the rest counts as given back.
    """
    lost = {action.dispute_id: action.amount_cents or 0 for action in recorded if action.status == DisputeStatus.LOST}
    return sum(max(0, claims[row.id][grant.id] - lost[row.id]) for row in disputes if row.id in lost)


def _refund(
    context: Context,
    grant: GrantRow,
    cents: int,
    refunds: Sequence[PaymentRefund],
    recorded: Sequence[GrantAction],
    at: datetime,
) -> bool:
    """Records how much of a grant's price was given back so far, if that has changed."""
    session, now = context.session, context.now
    before = [action for action in recorded if action.kind == "refund"]
    given = before[-1].refunded_cents or 0 if before else 0
    if cents == given:
        return False
    counted = [row for row in refunds if RefundStatus(row.status).counts]
    # It counts from when the latest of them was made, or, as for what failed since, from now; never before what is
    # recorded already, because each of these facts says how much it is by then.
    made_at = max((row.created_at for row in counted), default=None)
    moment = max([_moment(made_at, now) if cents > given else at, *(action.at for action in before)])
    state = "|".join(f"{row.id}={row.amount_cents}:{RefundStatus(row.status).counts}" for row in refunds)
    name = hashlib.sha256(state.encode()).hexdigest()[:24]
    request = store.requests_on(session, grant.organization_id, [grant.id])
    latest = next((each for each in reversed(request) if each.state != "refused"), None) if cents > given else None
    credits.refund(
        replace(context, actor=latest.actor if latest else "stripe"),
        grant.id,
        cents,
        source_key=f"refunds:{grant.payment_id}:{grant.id}:{name}:{cents}",
        at=moment,
        reason=latest.reason if latest else "",
    )
    return True


def _dispute(
    context: Context, grant: GrantRow, row: PaymentDispute, claim: int, recorded: Sequence[GrantAction], at: datetime
) -> bool:
    """Records a dispute's status for one grant, if that is news. What was never held needs no giving back."""
    now = context.now
    status = DisputeStage(row.status).status
    known = [action for action in recorded if action.kind == "dispute" and action.dispute_id == row.id]
    last = DisputeStatus(known[-1].status) if known else None
    if status in (None, last) or last is DisputeStatus.LOST or (last is None and status is DisputeStatus.WON):
        return False
    if claim == 0 and last is None:
        return False
    moment = _moment(row.created_at, now) if status is DisputeStatus.OPENED else at
    credits.dispute(
        context,
        grant.id,
        status,
        source_key=f"dispute:{row.id}:{grant.id}:{status}",
        dispute_id=row.id,
        amount_cents=claim,
        at=max([moment, *(action.at for action in known)]),
        reason=row.reason,
    )
    return True


def is_disputed(session: Session, organization_id: int, payment_ids: list[str]) -> bool:
    """Whether the payer's bank was ever asked for the money of one of these payments."""
    return bool(store.disputes_of(session, organization_id, payment_ids))


def _moment(at: datetime | None, now: datetime) -> datetime:
    """When something at Stripe happened, as our facts are dated; now if it does not say."""
    return now if at is None else min(at + WHOLE_SECOND, now)


def refund_fact(row: PaymentRefund) -> RefundFact:
    """A kept refund as the domain takes it."""
    return RefundFact(row.id, row.amount_cents, RefundStatus(row.status), row.grant_id, row.created_at)


def dispute_fact(row: PaymentDispute) -> DisputeFact:
    """A kept dispute as the domain takes it."""
    return DisputeFact(row.id, row.amount_cents, DisputeStage(row.status), row.created_at)
