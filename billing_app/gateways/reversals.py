"""Money that goes back: refunds and disputes at the payment provider.

Amounts are whole minor units. What every method raises is said in `payments`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billing_app.domain.purchases.reversals import DisputeStage, RefundStatus


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as it stands now. `failure` is why it failed, in the provider's word."""

    id: str
    payment_id: str
    amount_cents: int
    currency: str
    status: RefundStatus
    metadata: Mapping[str, str]
    created_at: datetime
    failure: str
    reason: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute as it stands now. `reason` is the payer's, in the provider's word."""

    id: str
    payment_id: str
    amount_cents: int
    currency: str
    stage: DisputeStage
    created_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Reversals:
    """Everything that went back of one payment, and what made the payment: a Checkout session, or an invoice."""

    payment_id: str
    customer_id: str
    metadata: Mapping[str, str]
    amount_cents: int
    currency: str
    refunds: tuple[Refund, ...]
    disputes: tuple[Dispute, ...]
    session_id: str
    invoice_id: str


@dataclass(frozen=True, slots=True)
class NewRefund:
    """Money to give back of a payment."""

    key: str
    payment_id: str
    amount_cents: int
    metadata: Mapping[str, str]


class Refunding(Protocol):
    """What is asked of a provider about refunds and disputes."""

    def refund(self, refund_id: str) -> Refund:
        """A refund as it stands now. Raises NotFoundError `refund_not_found`."""

    def dispute(self, dispute_id: str) -> Dispute:
        """A dispute as it stands now. Raises NotFoundError `dispute_not_found`."""

    def reversals(self, payment_id: str) -> Reversals:
        """All that went back of a payment. Raises NotFoundError `payment_not_found`."""

    def create_refund(self, wanted: NewRefund) -> Refund:
        """Gives money back, once per key. Raises InvalidError `payments_refused` with the provider's reason."""
