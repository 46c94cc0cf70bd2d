"""Hosted pages of Stripe: how one is begun, whatever it is for, and the customer that each is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing_app.gateways.gone import GoneError, Kind
from billing_app.gateways.payments import Customer, OpenCheckout
from billing_app.gateways.stripe import mapping as reading
from billing_app.gateways.stripe.connection import StripeConnection, translated, unless_gone

OPEN, EXPIRED, COMPLETE = "open", "expired", "complete"
"""Where a session may stand."""


class StripeSessions(StripeConnection):
    """Beginning hosted pages, and looking whether a customer is there."""

    def customer_there(self, customer_id: str) -> bool:
        """Whether the customer is still there; False for one that was deleted."""
        with translated():
            return self._customer(customer_id) is not None

    def customer(self, customer_id: str) -> Customer | None:
        """The customer as it stands now; None for one that was deleted."""
        with translated():
            found = self._customer(customer_id)
        return None if found is None else reading.customer(found)

    def _customer(self, customer_id: str) -> reading.Object | None:
        return unless_gone(lambda: self._v1.customers.retrieve(customer_id))

    def _begin_checkout(self, key: str, wanted: Mapping[str, Any]) -> OpenCheckout:
        """Begins a page, once per key. One that has expired meanwhile is followed by another; one that is done is told.

        Whoever comes back to one that is done is sent where its payer was sent.
        """

        def look(session_id: str) -> reading.Object | None:
            found = self._v1.checkout.sessions.retrieve(session_id).to_dict()
            if found["status"] == OPEN and self._customer(wanted["customer"]) is None:
                raise GoneError("This customer does not exist at Stripe any more.", Kind.CUSTOMER)
            return None if found["status"] == EXPIRED else found

        with translated():
            found = self._once(
                key,
                lambda once: self._v1.checkout.sessions.create(dict(wanted), {"idempotency_key": once}),  # ty: ignore[invalid-argument-type]
                look,
            )
        url = found.get("url") or ""
        if found["status"] == COMPLETE:
            url = wanted["success_url"].replace("{CHECKOUT_SESSION_ID}", found["id"])
        return OpenCheckout(found["id"], url, reading.moment(found["expires_at"]))
