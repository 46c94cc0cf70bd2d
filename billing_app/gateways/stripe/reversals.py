"""Refunds and disputes at Stripe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from billing_app.domain.purchases.reversals import DisputeStage, RefundStatus
from billing_app.gateways.reversals import Dispute, NewRefund, Refund, Reversals
from billing_app.gateways.stripe import mapping as reading
from billing_app.gateways.stripe.connection import MAX_LISTED, StripeConnection, replayed, translated

MAX_PAGES = 20
"""Two thousand refunds of one payment: more would be a mistake of somebody's program."""


class StripeReversals(StripeConnection):
    """Money that goes back."""

    def refund(self, refund_id: str) -> Refund:
        """A refund as it stands now."""
        with translated(missing="refund"):
            return refund_of(self._v1.refunds.retrieve(refund_id).to_dict())

    def dispute(self, dispute_id: str) -> Dispute:
        """A dispute as it stands now."""
        with translated(missing="dispute"):
            return dispute_of(self._v1.disputes.retrieve(dispute_id).to_dict())

    def reversals(self, payment_id: str) -> Reversals:
        """All that went back of a payment, and what it was for."""
        with translated(missing="payment"):
            intent = self._v1.payment_intents.retrieve(payment_id).to_dict()
            refunds = everything(self._v1.refunds.list, {"payment_intent": payment_id})
            disputes = everything(self._v1.disputes.list, {"payment_intent": payment_id})
            sessions = self._v1.checkout.sessions.list({"payment_intent": payment_id, "limit": 1}).to_dict()["data"]
            invoices: list[dict[str, Any]] = []
            if not sessions:
                paid = {"type": "payment_intent", "payment_intent": payment_id}
                invoices = self._v1.invoice_payments.list({"payment": paid, "limit": 1}).to_dict()["data"]  # ty: ignore[invalid-argument-type]
        return Reversals(
            payment_id=payment_id,
            customer_id=reading.id_of(intent.get("customer")),
            metadata=dict(intent.get("metadata") or {}),
            amount_cents=intent.get("amount_received") or 0,
            currency=intent["currency"],
            refunds=tuple(refund_of(each) for each in refunds),
            disputes=tuple(dispute_of(each) for each in disputes),
            session_id=sessions[0]["id"] if sessions else "",
            invoice_id=reading.id_of(invoices[0]["invoice"]) if invoices else "",
        )

    def create_refund(self, wanted: NewRefund) -> Refund:
        """Gives money back, once per key."""
        with translated():
            made = self._v1.refunds.create(
                {
                    "payment_intent": wanted.payment_id,
                    "amount": wanted.amount_cents,
                    "metadata": dict(wanted.metadata),
                },
                {"idempotency_key": wanted.key},
            )
        # Stripe repeats how it stood then; one that failed since is not tried again, for an operator decides about it.
        return self.refund(made.id) if replayed(made) else refund_of(made.to_dict())


def everything(listing: Callable[[Any], Any], wanted: dict[str, Any], pages: int = MAX_PAGES) -> list[dict[str, Any]]:
    """All objects of a list, newest first, page by page."""
    found: list[dict[str, Any]] = []
    for _ in range(pages):
        more = {"starting_after": found[-1]["id"]} if found else {}
        page = listing({**wanted, "limit": MAX_LISTED, **more}).to_dict()
        found += page["data"]
        if not page["has_more"]:
            break
    return found


def refund_of(found: reading.Object) -> Refund:
    """A refund's JSON."""
    return Refund(
        id=found["id"],
        payment_id=reading.id_of(found.get("payment_intent")),
        amount_cents=found["amount"],
        currency=found["currency"],
        status=RefundStatus(found.get("status") or RefundStatus.PENDING),
        metadata=dict(found.get("metadata") or {}),
        created_at=reading.moment(found["created"]),
        failure=found.get("failure_reason") or "",
        reason=found.get("reason") or "",
    )


def dispute_of(found: reading.Object) -> Dispute:
    """A dispute's JSON."""
    return Dispute(
        id=found["id"],
        payment_id=reading.id_of(found.get("payment_intent")),
        amount_cents=found["amount"],
        currency=found["currency"],
        stage=DisputeStage(found["status"]),
        created_at=reading.moment(found["created"]),
        reason=found.get("reason") or "",
    )
