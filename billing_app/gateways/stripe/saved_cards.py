"""Saving cards at Stripe: Checkout in setup mode, whose setup intent is for use without the card's owner."""

from __future__ import annotations

from collections.abc import Mapping

from billing_app.gateways.payments import OpenCheckout
from billing_app.gateways.saved_cards import NewCardSetup, SavedCard
from billing_app.gateways.stripe import mapping as reading
from billing_app.gateways.stripe.connection import translated, unless_gone
from billing_app.gateways.stripe.sessions import StripeSessions

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
