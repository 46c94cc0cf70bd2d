"""What a payment provider has made since a moment, page by page, newest first: what the sync compares with ours.

What every method raises is said in `payments`, and UnavailableError `payments_busy`: asked too often, wait a little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from billing_app.gateways.invoices import Invoice
from billing_app.gateways.prices import Price
from billing_app.gateways.reversals import Dispute, Refund
from billing_app.gateways.subscriptions import Subscription

Object = TypeVar("Object")


@dataclass(frozen=True, slots=True)
class Listed(Generic[Object]):
    """One page. `next_cursor` asks for the one after it; empty at the end."""

    items: tuple[Object, ...]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event in a list; whoever wants its contents reads it by its id."""

    id: str
    type: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SeenCheckout:
    """A Checkout session in a list."""

    id: str
    mode: str
    paid: bool
    expired: bool
    customer_id: str
    metadata: Mapping[str, str]
    payment_id: str
    total_cents: int
    currency: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SeenRefund:
    """A refund in a list, with whose payment it is of."""

    refund: Refund
    customer_id: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SeenDispute:
    """A dispute in a list, with whose payment it is of."""

    dispute: Dispute
    customer_id: str
    metadata: Mapping[str, str]


class Listings(Protocol):
    """What is asked of a provider to compare everything with ours."""

    def events_since(self, since: datetime, types: Sequence[str], cursor: str) -> Listed[SeenEvent]:
        """Events of these types (at most 20) of the last 30 days."""

    def checkouts_since(self, since: datetime, cursor: str) -> Listed[SeenCheckout]:
        """Checkout sessions."""

    def refunds_since(self, since: datetime, cursor: str) -> Listed[SeenRefund]:
        """Refunds."""

    def disputes_since(self, since: datetime, cursor: str) -> Listed[SeenDispute]:
        """Disputes."""

    def subscriptions_all(self, cursor: str) -> Listed[Subscription]:
        """All subscriptions, ended ones too; what is scheduled for them is left out."""

    def paid_invoices_since(self, since: datetime, cursor: str) -> Listed[Invoice]:
        """Paid invoices, with their first lines."""

    def active_prices(self, cursor: str) -> Listed[Price]:
        """Everything that can be sold."""
