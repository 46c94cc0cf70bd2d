"""Refunds that operators make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing_app.services.common.answers import Internal


@dataclass(frozen=True, slots=True)
class RefundPreviewAnswer:
    """What giving `amount_cents` back would do, in base units of the metric: `taken_back` from what is left or on hold,
    `debt` of what was used already, `ended` of what had expired or was voided, `forgiven` by the metric's policy.
    """

    grant_id: str
    address: str
    metric: str
    quantity: int
    reason: Internal[str]
    """Why the grant exists: its name."""
    paid_cents: int
    refunded_cents: int
    refundable_cents: int
    currency: str
    amount_cents: int
    taken_back: int
    ended: int
    debt: int
    forgiven: int
    disputed: bool
    """The payment is in dispute: Stripe may refuse to give it back twice."""


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """A refund that was made. `refund_id` is Stripe's."""

    id: str
    grant_id: str
    address: str
    amount_cents: int
    currency: str
    reason: str
    actor: Internal[str]
    state: str
    """open, done or refused."""
    refund_id: str
    error: Internal[str]
    """Why Stripe refused it."""
    created_at: datetime
