"""Invoices at the payment provider: what a subscription's period or a top-up costs, and what was paid of it.

Amounts are whole minor units of the invoice's currency. What every method raises is said in `payments`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from billing_app.gateways.prices import Price


class InvoiceStatus(StrEnum):
    """How far an invoice is."""

    DRAFT = "draft"
    """It can still be changed; nobody is asked for money."""
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line. `amount_cents` is before discounts; `paid_cents` is all of it, after discounts, taxes included.

    `price` is None in lists and for what has no price. `recurring` lines stand for an item of the subscription, others
    for something that was put on the invoice once. `proration` lines settle a change inside a period.
    """

    id: str
    description: str
    count: int
    amount_cents: int
    paid_cents: int
    price: Price | None
    proration: bool
    recurring: bool
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as it stands now.

    `subscription_id` is empty for one that belongs to none; `subscription_metadata` is that subscription's at the time
    of the invoice. `payment_id` is the payment that paid it, or that is asked for. `failure` is why the last attempt to
    pay failed, for the payer; `needs_payer` says that the card requires authentication. `period_start` and `period_end`
    are those of its first line.
    """

    id: str
    status: InvoiceStatus
    reason: str
    customer_id: str
    subscription_id: str
    subscription_metadata: Mapping[str, str]
    metadata: Mapping[str, str]
    currency: str
    total_cents: int
    due_cents: int
    number: str
    hosted_url: str
    pdf_url: str
    created_at: datetime
    paid_at: datetime | None
    payment_id: str
    failure: str
    needs_payer: bool
    attempts: int
    next_attempt_at: datetime | None
    lines: tuple[InvoiceLine, ...]

    @property
    def period_start(self) -> datetime:
        """Since when it bills."""
        return self.lines[0].start if self.lines else self.created_at

    @property
    def period_end(self) -> datetime:
        """Until when it bills."""
        return self.lines[0].end if self.lines else self.created_at


@dataclass(frozen=True, slots=True)
class NewInvoice:
    """An invoice of ours, that nobody pays before we ask for it. `payment_method_id` is the saved card."""

    key: str
    customer_id: str
    currency: str
    payment_method_id: str
    description: str
    metadata: Mapping[str, str]


class Invoices(Protocol):
    """What is asked of a provider about invoices."""

    def invoice(self, invoice_id: str) -> Invoice:
        """An invoice as it stands now, all its lines with their prices. Raises NotFoundError `invoice_not_found`."""

    def invoices_of(self, customer_id: str, limit: int, subscription_id: str = "") -> list[Invoice]:
        """A customer's newest invoices, drafts too, newest first; of one subscription if one is named.

        Each with its first lines, without their prices' metadata.
        """

    def create_invoice(self, wanted: NewInvoice) -> str:
        """Makes a draft without lines; its id."""

    def add_invoice_line(self, key: str, invoice_id: str, customer_id: str, price_id: str, count: int) -> None:
        """Puts so many of a price on a draft."""

    def finalize_invoice(self, key: str, invoice_id: str) -> None:
        """Opens a draft; asks nobody for money."""

    def pay_invoice(self, key: str, invoice_id: str, payment_method_id: str) -> Invoice:
        """Charges a saved card without its owner; the invoice afterwards. A decline leaves it open with `failure`."""

    def void_invoice(self, key: str, invoice_id: str) -> None:
        """Nobody can pay it any more. Raises InvalidError `payments_refused` for one that is paid."""
