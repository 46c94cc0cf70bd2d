"""Refunds that operators make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RefundPreview:
    """What giving `amount_cents` back for a grant would do. Quantities are in the metric's base unit.

    `taken_back` comes from what is left or on hold, `debt` was used already and is owed by the next credits, `ended`
    had expired or was voided and costs nobody anything; `forgiven` was used, and policy lets it be.
    """

    grant_id: str
    address: str
    metric: str
    quantity: int
    reason: str
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
class RefundView:
    """A refund that somebody set out to make. `state` is open, done or refused; `error` says why Stripe refused it."""

    id: str
    grant_id: str
    address: str
    amount_cents: int
    currency: str
    reason: str
    actor: str
    state: str
    refund_id: str
    error: str
    created_at: datetime
