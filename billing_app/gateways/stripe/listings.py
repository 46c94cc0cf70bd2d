"""Stripe's lists, page by page: what the sync walks through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from billing_app.gateways.invoices import Invoice
from billing_app.gateways.listings import Listed, SeenCheckout, SeenDispute, SeenEvent, SeenRefund
from billing_app.gateways.payments import Customer
from billing_app.gateways.prices import Price
from billing_app.gateways.stripe import invoices as stripe_invoices
from billing_app.gateways.stripe import mapping as reading
from billing_app.gateways.stripe import reversals as stripe_reversals
from billing_app.gateways.stripe import subscriptions as stripe_subscriptions
from billing_app.gateways.stripe.connection import MAX_LISTED, StripeConnection, translated
from billing_app.gateways.subscriptions import Subscription

Made = TypeVar("Made")


class StripeListings(StripeConnection):
    """What Stripe has made since a moment."""

    def events_since(self, since: datetime, types: Sequence[str], cursor: str) -> Listed[SeenEvent]:
        """Events of these types (at most 20) of the last 30 days."""
        return self._page("events.list", {"created": _since(since), "types": list(types)}, cursor, _event)

    def checkouts_since(self, since: datetime, cursor: str) -> Listed[SeenCheckout]:
        """Checkout sessions."""
        return self._page("checkout.sessions.list", {"created": _since(since)}, cursor, _checkout)

    def refunds_since(self, since: datetime, cursor: str) -> Listed[SeenRefund]:
        """Refunds."""
        wanted = {"created": _since(since), "expand": ["data.payment_intent"]}
        return self._page("refunds.list", wanted, cursor, _refund)

    def disputes_since(self, since: datetime, cursor: str) -> Listed[SeenDispute]:
        """Disputes."""
        wanted = {"created": _since(since), "expand": ["data.payment_intent"]}
        return self._page("disputes.list", wanted, cursor, _dispute)

    def subscriptions_all(self, cursor: str) -> Listed[Subscription]:
        """All subscriptions, ended ones too; what is scheduled for them is left out."""
        wanted = {"status": "all", "expand": ["data.latest_invoice"]}
        return self._page("subscriptions.list", wanted, cursor, stripe_subscriptions.read)

    def customers_all(self, cursor: str) -> Listed[Customer]:
        """All customers that are there."""
        return self._page("customers.list", {}, cursor, reading.customer)

    def paid_invoices_since(self, since: datetime, cursor: str) -> Listed[Invoice]:
        """Paid invoices, with their first lines."""
        return self._page("invoices.list", {"created": _since(since), "status": "paid"}, cursor, _invoice)

    def active_prices(self, cursor: str) -> Listed[Price]:
        """Everything that can be sold."""
        return self._page("prices.list", {"active": True}, cursor, reading.price)

    def _page(self, operation: str, wanted: dict[str, Any], cursor: str, make: Callable[[Any], Made]) -> Listed[Made]:
        after = {"starting_after": cursor} if cursor else {}
        with translated():
            page = self._read(operation, **wanted, **after, limit=MAX_LISTED)
        found = page["data"]
        return Listed(tuple(make(each) for each in found), found[-1]["id"] if found and page["has_more"] else "")


def _since(moment: datetime) -> dict[str, int]:
    return {"gte": int(moment.timestamp())}


def _event(found: reading.Object) -> SeenEvent:
    return SeenEvent(found["id"], found["type"], reading.moment(found["created"]))


def _checkout(found: reading.Object) -> SeenCheckout:
    return SeenCheckout(
        id=found["id"],
        mode=found["mode"],
        paid=found["status"] == "complete" and found["payment_status"] in reading.PAID,
        expired=found["status"] == "expired",
        customer_id=reading.id_of(found.get("customer")),
        metadata=dict(found.get("metadata") or {}),
        payment_id=reading.id_of(found.get("payment_intent")),
        total_cents=found.get("amount_total") or 0,
        currency=found.get("currency") or "",
        created_at=reading.moment(found["created"]),
    )


def _payer(found: reading.Object) -> tuple[str, dict[str, str]]:
    """The customer and the metadata of the payment that something is of."""
    payment = found.get("payment_intent")
    known = payment if isinstance(payment, Mapping) else {}
    return reading.id_of(known.get("customer")), dict(known.get("metadata") or {})


def _refund(found: reading.Object) -> SeenRefund:
    return SeenRefund(stripe_reversals.refund_of(found), *_payer(found))


def _dispute(found: reading.Object) -> SeenDispute:
    return SeenDispute(stripe_reversals.dispute_of(found), *_payer(found))


def _invoice(found: reading.Object) -> Invoice:
    return stripe_invoices.invoice(found, found["lines"]["data"])
