"""Tells an organization what became of money that went back, or may: refunds and disputes of what it paid.

Each message is written with the facts that it is about, once for each refund or dispute and what became of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from billing_app.domain.common.money import format_money
from billing_app.domain.credits.facts import DisputeStatus
from billing_app.domain.purchases.reversals import DisputeStage, RefundStatus
from billing_app.services.common import operator_mails, organizations
from billing_app.services.credits import invoice_grants
from billing_app.store.notifications import outbox
from billing_app.store.purchases import recurring as recurring_store
from billing_app.store.purchases import reversals as store
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.reversals import PaymentDispute, PaymentRefund


@dataclass(frozen=True, slots=True)
class News:
    """What is told of a refund or dispute: the kind of message, what it is about and when that was."""

    kind: str
    about: PaymentRefund | PaymentDispute
    at: datetime


def of_refund(before: str | None, row: PaymentRefund) -> News | None:
    """What is new of a refund; nothing while it only goes on, or of one that had failed when it was first heard of."""
    counted = before is not None and RefundStatus(before).counts
    if RefundStatus(row.status).counts == counted:
        return None
    return (
        News("purchase.refund_failed", row, row.changed_at)
        if counted
        else News("purchase.refunded", row, row.created_at)
    )


def of_dispute(before: str | None, row: PaymentDispute) -> News | None:
    """What is new of a dispute. An inquiry takes no money, and one that ends so is no news."""
    was = DisputeStage(before).status if before is not None else None
    status = DisputeStage(row.status).status
    if status in (None, was) or (was is None and status is DisputeStatus.WON):
        return None
    return News(f"dispute.{status}", row, row.created_at if status is DisputeStatus.OPENED else row.changed_at)


def notify(session: Session, owner: int, news: Sequence[News], grants: Sequence[GrantRow], now: datetime) -> None:
    """Writes the messages, after the grants have followed."""
    if not news:
        return
    touched = [_touched(session, grant) for grant in grants]
    for each in news:
        about = each.about
        name = "refund" if isinstance(about, PaymentRefund) else "dispute"
        payload = {
            name: about.id,
            "payment": about.payment_id,
            "amount_cents": about.amount_cents,
            "currency": about.currency,
            "reason": _reason(session, about, grants),
            "grants": touched,
        }
        outbox.add(session, owner, each.kind, f"{each.kind}:{about.id}", payload, each.at, now)
        renews = bool({grant.id for grant in grants} & recurring_store.renewing_grants(session, owner))
        if isinstance(about, PaymentDispute) and (about.plan or renews or not grants):
            _mail_operators(session, owner, about, each.kind, now, renews=renews)


def _mail_operators(
    session: Session, owner: int, dispute: PaymentDispute, kind: str, now: datetime, *, renews: bool
) -> None:
    """A plan, or a pack that renews, goes on whatever the bank decides, and so does what brought no credits."""
    organization = organizations.by_id(session, owner)
    words = {"dispute.opened": "is disputed", "dispute.lost": "was disputed and is lost"}
    if kind not in words:
        return
    money = format_money(dispute.amount_cents, dispute.currency)
    paid, more = "", "It brought no credits that could be held."
    if dispute.plan:
        paid = " for a plan"
        more = f"The plan {dispute.plan} continues as it is: end it at Stripe or on their page Plan if it should not."
    elif renews:
        paid = " for monthly packs"
        more = "They continue to renew: end them at Stripe or on their page Credits if they should not."
    operator_mails.write(
        session,
        f"{kind}:{dispute.id}",
        f"A payment{paid} {words[kind]}",
        f"{organization.name} had paid {money}{paid}, and the payment {words[kind]} ({dispute.reason}). {more}",
        f"/admin/organizations/{organization.address}",
        now,
        once=True,
    )


def _reason(session: Session, about: PaymentRefund | PaymentDispute, grants: Sequence[GrantRow]) -> str:
    """Why: what the operator who gave the money back said, or Stripe."""
    if isinstance(about, PaymentDispute):
        return about.reason
    if about.failure:
        return about.failure
    requests = store.requests_on(session, about.organization_id, [grant.id for grant in grants])
    return next((each.reason for each in requests if each.refund_id == about.id or each.grant_id == about.grant_id), "")


def _touched(session: Session, grant: GrantRow) -> dict[str, Any]:
    """A grant as messages name it, and how much of it was given back and taken back so far (rule 9)."""
    recorded = store.actions_on(session, grant.organization_id, [grant.id])
    refunds = [action.refunded_cents or 0 for action in recorded if action.kind == "refund"]
    lost = [action.amount_cents for action in recorded if action.status == DisputeStatus.LOST]
    cents = (refunds[-1] if refunds else 0) + sum(grant.paid_cents if each is None else each for each in lost)
    given = min(cents, grant.paid_cents)
    taken = grant.quantity * given // grant.paid_cents if grant.paid_cents else 0
    return {**invoice_grants.payload(grant), "refunded_cents": given, "taken_back": taken}
