"""Invoices at Stripe: how they are read, and made for what we charge by ourselves.

An invoice finds its subscription at `parent.subscription_details`, and its payment through `invoice_payments`. Prices
inside an invoice's lines are too deep to be expanded there, so lines are asked for on their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import stripe

from billing_app.domain.common.errors import NotFoundError
from billing_app.gateways.invoices import Invoice, InvoiceLine, InvoiceStatus, NewInvoice
from billing_app.gateways.stripe import mapping as reading
from billing_app.gateways.stripe.connection import MAX_LISTED, StripeConnection, translated, unless_gone

NEEDS_PAYER = ("authentication_required", "invoice_payment_intent_requires_action")
"""Codes of a card that cannot be charged without its owner."""

NEVER_PAID = ("void", "uncollectible")
"""What an invoice is that nobody can pay, or is expected to pay, any more."""


class StripeInvoices(StripeConnection):
    """What is asked of Stripe about invoices."""

    def invoice(self, invoice_id: str) -> Invoice:
        """An invoice as it stands now, all its lines with their prices. Raises NotFoundError `invoice_not_found`."""
        with translated(missing="invoice"):
            found = self._read("invoices.retrieve", invoice_id, expand=["payments.data.payment.payment_intent"])
            if found.get("deleted"):
                raise NotFoundError("This invoice was deleted at Stripe.", code="invoice_not_found")
            expand = ["data.pricing.price_details.price"]
            lines = self._read("invoices.line_items.list", invoice_id, limit=MAX_LISTED, expand=expand)
        return invoice(found, lines["data"])

    def invoices_of(self, customer_id: str, limit: int, subscription_id: str = "") -> list[Invoice]:
        """A customer's newest invoices, drafts too, newest first."""
        wanted: dict[str, Any] = {"customer": customer_id, "limit": min(limit, MAX_LISTED)}
        if subscription_id:
            wanted["subscription"] = subscription_id
        with translated():
            found = self._read("invoices.list", **wanted)
        return [invoice(each, each["lines"]["data"]) for each in found["data"]]

    def create_invoice(self, wanted: NewInvoice) -> str:
        """Makes a draft without lines; what waits for the customer's next invoice is none of its business."""
        said: dict[str, Any] = {
            "customer": wanted.customer_id,
            "currency": wanted.currency,
            "auto_advance": False,
            "default_payment_method": wanted.payment_method_id,
            "description": wanted.description,
            "metadata": dict(wanted.metadata),
            "pending_invoice_items_behavior": "exclude",
        }

        def look(invoice_id: str) -> reading.Object | None:
            found = unless_gone(lambda: self._v1.invoices.retrieve(invoice_id))
            return None if found is None or found["status"] in NEVER_PAID else found

        with translated():
            return self._once(
                wanted.key,
                lambda once: self._v1.invoices.create(said, {"idempotency_key": once}),  # ty: ignore[invalid-argument-type]
                look,
            )["id"]

    def add_invoice_line(self, key: str, invoice_id: str, customer_id: str, price_id: str, count: int) -> None:
        """Puts so many of a price on a draft."""
        said: dict[str, Any] = {
            "customer": customer_id,
            "invoice": invoice_id,
            "pricing": {"price": price_id},
            "quantity": count,
        }
        with translated():
            self._once(
                key,
                lambda once: self._v1.invoice_items.create(said, {"idempotency_key": once}),  # ty: ignore[invalid-argument-type]
                lambda item_id: unless_gone(lambda: self._v1.invoice_items.retrieve(item_id)),
            )

    def finalize_invoice(self, key: str, invoice_id: str) -> None:
        """Opens a draft; asks nobody for money."""
        with translated(missing="invoice"):
            self._v1.invoices.finalize_invoice(invoice_id, {"auto_advance": False}, {"idempotency_key": key})

    def pay_invoice(self, key: str, invoice_id: str, payment_method_id: str) -> Invoice:
        """Charges a saved card without its owner; the invoice afterwards."""
        # Why a card was declined, the invoice itself says.
        with translated(missing="invoice"), suppress(stripe.CardError):
            self._v1.invoices.pay(
                invoice_id, {"payment_method": payment_method_id, "off_session": True}, {"idempotency_key": key}
            )
        return self.invoice(invoice_id)

    def void_invoice(self, key: str, invoice_id: str) -> None:
        """Nobody can pay it any more."""
        with translated(missing="invoice"):
            self._v1.invoices.void_invoice(invoice_id, {}, {"idempotency_key": key})


def invoice(found: reading.Object, lines: Iterable[reading.Object]) -> Invoice:
    """An invoice of Stripe's as ours."""
    parent = (found.get("parent") or {}).get("subscription_details") or {}
    intent = _intent(found)
    error = intent.get("last_payment_error") or {}
    paid_at, next_attempt = (found.get("status_transitions") or {}).get("paid_at"), found.get("next_payment_attempt")
    needs_payer = intent.get("status") == "requires_action" or error.get("code") in NEEDS_PAYER
    return Invoice(
        id=found["id"],
        status=InvoiceStatus(found["status"]),
        reason=found.get("billing_reason") or "",
        customer_id=reading.id_of(found.get("customer")),
        subscription_id=reading.id_of(parent.get("subscription")),
        subscription_metadata=dict(parent.get("metadata") or {}),
        metadata=dict(found.get("metadata") or {}),
        currency=found["currency"],
        total_cents=found["total"],
        due_cents=found["amount_due"],
        number=found.get("number") or "",
        hosted_url=found.get("hosted_invoice_url") or "",
        pdf_url=found.get("invoice_pdf") or "",
        created_at=reading.moment(found["created"]),
        paid_at=reading.moment(paid_at) if paid_at else None,
        payment_id=_payment_id(found),
        failure=error.get("message") or "",
        needs_payer=needs_payer and found["status"] != InvoiceStatus.PAID,
        attempts=found.get("attempt_count") or 0,
        next_attempt_at=reading.moment(next_attempt) if next_attempt else None,
        lines=tuple(_line(line) for line in lines),
    )


def _payments(found: reading.Object) -> list[reading.Object]:
    """The invoice's payments: the one that was made first, else the one that is asked for."""
    payments = (found.get("payments") or {}).get("data") or []
    known = [each for each in payments if each["status"] in ("paid", "open")]
    return sorted(known, key=lambda each: (each["status"] != "paid", not each.get("is_default")))


def _payment_id(found: reading.Object) -> str:
    return next((reading.id_of(each["payment"].get("payment_intent")) for each in _payments(found)), "")


def _intent(found: reading.Object) -> reading.Object:
    for each in _payments(found):
        intent = each["payment"].get("payment_intent")
        if isinstance(intent, Mapping):
            return intent
    return {}


def _line(line: reading.Object) -> InvoiceLine:
    """A line. Taxes that are part of the amount already are not added once more."""
    parent = line.get("parent") or {}
    of_item = parent.get("subscription_item_details") or {}
    details = of_item or parent.get("invoice_item_details") or {}
    off = sum(each["amount"] for each in line.get("discount_amounts") or ())
    taxes = sum(each["amount"] for each in line.get("taxes") or () if each.get("tax_behavior") == "exclusive")
    price = ((line.get("pricing") or {}).get("price_details") or {}).get("price")
    return InvoiceLine(
        id=line["id"],
        description=line.get("description") or "",
        count=1 if line.get("quantity") is None else line["quantity"],
        amount_cents=line["amount"],
        paid_cents=line["amount"] - off + taxes,
        price=reading.price(price) if isinstance(price, Mapping) else None,
        proration=bool(details.get("proration")),
        recurring=bool(of_item),
        start=reading.moment(line["period"]["start"]),
        end=reading.moment(line["period"]["end"]),
    )
