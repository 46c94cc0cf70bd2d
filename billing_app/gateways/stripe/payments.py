"""What we ask of Stripe, through its own unmodified SDK. Only gateways import that."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

import stripe

from billing_app.domain.common.errors import BillingError, NotFoundError, UnavailableError
from billing_app.gateways.payments import (
    ONCE,
    Checkout,
    CheckoutState,
    NewCardSetup,
    NewCheckout,
    NewCustomer,
    Offer,
    OpenCheckout,
    Price,
    Product,
    ReceivedEvent,
    SavedCard,
)
from billing_app.gateways.stripe import mapping as reading
from billing_app.gateways.stripe.connection import MAX_LISTED, StripeSessions, digest, translated, unless_gone
from billing_app.gateways.stripe.invoices import StripeInvoices
from billing_app.gateways.stripe.listings import StripeListings
from billing_app.gateways.stripe.reversals import StripeReversals
from billing_app.gateways.stripe.subscriptions import StripeSubscriptions
from billing_app.settings import Settings

SUCCEEDED = "succeeded"


class StripeSavedCards(StripeSessions):
    """What is asked of Stripe about saved cards."""

    def create_card_setup(self, wanted: NewCardSetup) -> OpenCheckout:
        """Begins to save a card on Stripe's hosted page. Metadata is not copied from session to intent: both get it."""
        metadata = dict(wanted.metadata)
        return self._begin_checkout(
            wanted.key,
            {
                "mode": "setup",
                "customer": wanted.customer_id,
                "success_url": wanted.success_url,
                "cancel_url": wanted.cancel_url,
                "client_reference_id": wanted.reference,
                "currency": wanted.currency,
                "metadata": metadata,
                "setup_intent_data": {"metadata": metadata},
            },
        )

    def saved_card(self, session_id: str) -> SavedCard | None:
        """What a page of `create_card_setup` saved; None while it has not."""
        with translated(missing="checkout"):
            found = self._v1.checkout.sessions.retrieve(session_id, {"expand": ["setup_intent.payment_method"]})
        intent = found.to_dict().get("setup_intent")
        if not isinstance(intent, Mapping) or intent["status"] != SUCCEEDED:
            return None
        method = intent["payment_method"]
        card = method.get("card") or {}
        return SavedCard(
            payment_method_id=method["id"],
            customer_id=reading.id_of(intent.get("customer")),
            brand=card.get("brand") or method["type"],
            last4=card.get("last4") or "",
            expires_month=card.get("exp_month") or 0,
            expires_year=card.get("exp_year") or 0,
            setup_id=intent["id"],
            saved_at=reading.moment(intent["created"]),
            setup_metadata=dict(intent.get("metadata") or {}),
        )

    def card_there(self, payment_method_id: str, customer_id: str) -> bool:
        """Whether a card is still saved for this customer; False once it was taken off, or the customer deleted."""
        with translated():
            found = unless_gone(lambda: self._v1.payment_methods.retrieve(payment_method_id))
        return found is not None and reading.id_of(found.get("customer")) == customer_id


TOLERANCE_SECONDS = 300
"""How old a webhook's signature may be, so that a recorded one cannot be sent again later."""

MAX_LOOKUP_KEYS = 10
"""Lookup keys that Stripe takes in one question."""

EXISTS = "resource_already_exists"

PAYMENT, SUBSCRIPTION = "payment", "subscription"
"""Modes of a Checkout session."""


PRODUCT = "prod_"
"""How the ids of products begin that Stripe has named."""


class StripePayments(StripeInvoices, StripeSubscriptions, StripeSavedCards, StripeReversals, StripeListings):
    """Everything that we ask of a Stripe account."""

    def prices(self, lookup_keys: Iterable[str]) -> dict[str, Price]:
        """The active prices that have these lookup keys now, with their products."""
        wanted, found = list(lookup_keys), {}
        for start in range(0, len(wanted), MAX_LOOKUP_KEYS):
            with translated():
                answer = self._read(
                    "prices.list",
                    lookup_keys=wanted[start : start + MAX_LOOKUP_KEYS],
                    active=True,
                    limit=MAX_LISTED,
                    expand=["data.product"],
                )
            found |= {each["lookup_key"]: reading.price(each) for each in answer["data"]}
        return found

    def put_product(self, product: Product) -> None:
        """Makes the product, or changes the one with this id to be like this."""
        with translated():
            try:
                self._v1.products.create({"id": product.id, "name": product.name, "active": product.active})
            except stripe.InvalidRequestError as error:
                if error.code != EXISTS:
                    raise
                self._v1.products.update(product.id, {"name": product.name, "active": product.active})

    def create_price(self, offer: Offer, replaces: str) -> Price:
        """Makes the offer's price, which takes the lookup key over."""
        wanted: dict[str, Any] = {
            "product": offer.product.id,
            "unit_amount": offer.price_cents,
            "currency": offer.currency,
            "lookup_key": offer.lookup_key,
            "transfer_lookup_key": True,
            "metadata": dict(offer.metadata),
        }
        if offer.interval != ONCE:
            wanted["recurring"] = {"interval": offer.interval}
        # `replaces` is part of the key: a price that changes and changes back is a third price.
        key = f"price:{offer.lookup_key}:{replaces or 'first'}:{digest(asdict(offer))}"

        def look(price_id: str) -> reading.Object | None:
            found = self._v1.prices.retrieve(price_id).to_dict()
            return found if reading.price(found).says(offer) else None

        with translated():
            return reading.price(
                self._once(key, lambda once: self._v1.prices.create(wanted, {"idempotency_key": once}), look)  # ty: ignore[invalid-argument-type]
            )

    def retire_price(self, price_id: str) -> None:
        """Nothing new is sold at this price; what was sold at it stays as it is."""
        with translated():
            self._v1.prices.update(price_id, {"active": False})

    def create_customer(self, wanted: NewCustomer) -> str:
        """Makes a customer; its id. One that was made under this key and deleted since is followed by another."""
        said: dict[str, Any] = {"name": wanted.name, "metadata": dict(wanted.metadata)}
        key = f"{wanted.key}:{digest(wanted.name)}"
        with translated():
            return self._once(
                key,
                lambda once: self._v1.customers.create(said, {"idempotency_key": once}),  # ty: ignore[invalid-argument-type]
                self._customer,
            )["id"]

    def create_checkout(self, wanted: NewCheckout) -> OpenCheckout:
        """Begins a payment on Stripe's hosted page. Metadata is not copied from session to payment: both get it."""
        metadata = dict(wanted.metadata)
        return self._begin_checkout(
            wanted.key,
            {
                "mode": "payment",
                "customer": wanted.customer_id,
                "line_items": [{"price": price, "quantity": count} for price, count in wanted.lines],
                "success_url": wanted.success_url,
                "cancel_url": wanted.cancel_url,
                "client_reference_id": wanted.reference,
                "metadata": metadata,
                "payment_intent_data": {"metadata": metadata},
                "allow_promotion_codes": True,
            },
        )

    def sold_price(self, sold: str, interval: str) -> Price:
        """The active price of an id that somebody wrote into the catalogue: a price's or a product's."""
        with translated(missing="price"):
            if sold.startswith(PRODUCT):
                answer = self._read("prices.list", product=sold, active=True, limit=MAX_LISTED)
                found = [reading.price(each) for each in answer["data"]]
            else:
                found = [reading.price(self._v1.prices.retrieve(sold).to_dict())]
        for price in found:
            if price.active and price.interval == interval:
                return price
        raise NotFoundError(f"Stripe has no price for {sold} per {interval}.", code="price_not_found")

    def expire_checkout(self, session_id: str) -> None:
        """Nobody can pay on this page any more; nothing happens to one that is paid or expired."""
        with translated(missing="checkout"):
            try:
                self._v1.checkout.sessions.expire(session_id)
            except stripe.InvalidRequestError:
                # Stripe expires open ones only: what was paid or had ended by then is as it should be.
                if self._v1.checkout.sessions.retrieve(session_id).status == "open":
                    raise

    def checkout(self, session_id: str) -> Checkout:
        """A payment as it stands now. Raises NotFoundError `checkout_not_found`."""
        expand = ["payment_intent.latest_charge"]
        with translated(missing="checkout"):
            found = self._read("checkout.sessions.retrieve", session_id, expand=expand)
            if found["mode"] == SUBSCRIPTION:
                return self._subscribed(reading.checkout(found, []), reading.id_of(found.get("invoice")))
            if found["mode"] != PAYMENT or reading.checkout_state(found) is not CheckoutState.PAID:
                return reading.checkout(found, [])
            # Lines inside a session end after ten.
            lines = self._read("checkout.sessions.line_items.list", session_id, limit=MAX_LISTED)
        return reading.checkout(found, lines["data"])

    def _subscribed(self, found: Checkout, invoice_id: str) -> Checkout:
        """A session that begins a subscription: its first invoice is what is paid, or says why it is not."""
        if found.subscription_id:
            found = replace(found, subscription=self.subscription(found.subscription_id))
        if not invoice_id:
            return found
        first = self.invoice(invoice_id)
        failed = found.state is CheckoutState.PROCESSING and first.failure != ""
        return replace(
            found,
            state=CheckoutState.FAILED if failed else found.state,
            paid_at=first.paid_at or found.paid_at,
            payment_id=first.payment_id or None,
            failure=first.failure if failed else found.failure,
            invoice=first,
        )

    def event(self, event_id: str) -> ReceivedEvent:
        """An event of the last 30 days. Raises NotFoundError `event_not_found`."""
        with translated(missing="event"):
            found = self._read("events.retrieve", event_id)
        return reading.event(json.dumps(found))


def payments_of(settings: Settings) -> StripePayments:
    """Stripe by the settings, for selling. Raises UnavailableError `buying_unavailable` unless both secrets are set."""
    if not settings.selling:
        raise UnavailableError(
            "Buying is not set up here: the operator has not connected Stripe yet.", code="buying_unavailable"
        )
    return connected(settings.stripe_api_secret.get_secret_value(), settings.stripe_api_base)


@lru_cache(maxsize=8)
def connected(api_secret: str, api_base: str) -> StripePayments:
    """One client per key and address: it keeps its connections open, and knows whose key it is."""
    return StripePayments(api_secret, api_base)


def verified_event(payload: bytes, signature: str, secret: str) -> ReceivedEvent:
    """The event in a webhook's body. Raises BillingError `invalid_signature` (also an old one), `invalid_event`."""
    try:
        # Comparing texts with other characters in them is a TypeError.
        if not signature.isascii():
            raise stripe.SignatureVerificationError("no signature", "", "")
        stripe.WebhookSignature.verify_header(payload, signature, secret, TOLERANCE_SECONDS)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        raise BillingError(
            f"The Stripe-Signature header does not sign this body, or is older than {TOLERANCE_SECONDS} seconds.",
            code="invalid_signature",
        ) from None
    return reading.event(payload.decode())
