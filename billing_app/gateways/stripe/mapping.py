"""Stripe's JSON as the facts of `payments`. Plain dictionaries come in: nothing here knows the SDK."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from billing_app.domain.common.errors import BillingError
from billing_app.gateways.payments import Checkout, CheckoutState, Customer, PaidLine, ReceivedEvent
from billing_app.gateways.prices import ONCE, Price, Product

THIN = "v2.core.event"
"""The `object` of events that carry no object."""

PAID = ("paid", "no_payment_required")
"""What a session's `payment_status` is once nothing more is due; a coupon for everything leaves nothing to pay."""

HOPELESS = ("requires_payment_method", "canceled")
"""What a payment's status is after the payer was done and the money did not come."""

MAX_ID = 255

Object = Mapping[str, Any]


def moment(seconds: int) -> datetime:
    """Stripe's seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def price(found: Object) -> Price:
    """A price, with its product if that was expanded."""
    product = found["product"]
    expanded = isinstance(product, Mapping)
    shown = Product(product["id"], product.get("name") or "", bool(product.get("active"))) if expanded else None
    recurring = found.get("recurring")
    return Price(
        id=found["id"],
        lookup_key=found.get("lookup_key") or "",
        product_id=product["id"] if expanded else product,
        product=shown,
        price_cents=found.get("unit_amount") or 0,
        currency=found["currency"],
        interval=recurring["interval"] if recurring else ONCE,
        metadata=dict(found.get("metadata") or {}),
        active=bool(found["active"]),
    )


def customer(found: Object) -> Customer:
    """A customer that is there."""
    return Customer(found["id"], found.get("name") or "", found.get("email") or "")


def checkout_state(session: Object) -> CheckoutState:
    """How far a session is. `complete` only says that the payer is done."""
    if session["status"] != "complete":
        return CheckoutState.EXPIRED if session["status"] == "expired" else CheckoutState.OPEN
    if session["payment_status"] in PAID:
        return CheckoutState.PAID
    intent = _expanded(session.get("payment_intent"))
    return CheckoutState.FAILED if intent.get("status") in HOPELESS else CheckoutState.PROCESSING


def checkout(session: Object, lines: Sequence[Object]) -> Checkout:
    """A session whose payment and charge were expanded, with its lines."""
    state = checkout_state(session)
    intent = _expanded(session.get("payment_intent"))
    charge = _expanded(intent.get("latest_charge"))
    # Without a payment there is no charge to ask: the session itself is the nearest thing.
    paid = charge.get("created") or session["created"]
    return Checkout(
        id=session["id"],
        state=state,
        mode=session["mode"],
        customer_id=id_of(session.get("customer")),
        metadata=dict(session.get("metadata") or {}),
        currency=session.get("currency") or "",
        total_cents=session.get("amount_total") or 0,
        paid_at=moment(paid) if state is CheckoutState.PAID else None,
        payment_id=id_of(session.get("payment_intent")) or None,
        failure="" if state is CheckoutState.PAID else _expanded(intent.get("last_payment_error")).get("message") or "",
        lines=tuple(_line(line) for line in lines),
        subscription_id=id_of(session.get("subscription")),
        setup_id=id_of(session.get("setup_intent")),
    )


def event(payload: str) -> ReceivedEvent:
    """An event's JSON. Raises BillingError `invalid_event` if it is none."""
    try:
        found = json.loads(payload)
        kind = found["object"]
        body = {} if kind == THIN else found["data"]["object"]
        created = found["created"]
        about = body.get("id") or ""
        customer = about if body.get("object") == "customer" else id_of(body.get("customer"))
        texts = (found["id"], found["type"], about, customer)
        if kind not in ("event", THIN) or not (found["id"] and found["type"] and all(_plain(text) for text in texts)):
            raise ValueError("not an event")
        return ReceivedEvent(
            id=found["id"],
            type=found["type"],
            created_at=datetime.fromisoformat(created) if isinstance(created, str) else moment(created),
            livemode=bool(found.get("livemode")),
            object_id=about,
            customer_id=customer,
            thin=kind == THIN,
            payload=payload,
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise BillingError("The body is not an event of Stripe.", code="invalid_event") from None


def id_of(reference: Any) -> str:
    """The id of a reference, expanded or not; empty for none."""
    return reference["id"] if isinstance(reference, Mapping) else reference or ""


def _expanded(reference: Any) -> Object:
    return reference if isinstance(reference, Mapping) else {}


def _line(line: Object) -> PaidLine:
    return PaidLine(
        id=line["id"],
        count=line.get("quantity") or 1,
        amount_cents=line["amount_total"],
        currency=line["currency"],
        price=price(line["price"]),
    )


def _plain(text: object) -> bool:
    return isinstance(text, str) and len(text) <= MAX_ID and (not text or (text.isascii() and text.isprintable()))
