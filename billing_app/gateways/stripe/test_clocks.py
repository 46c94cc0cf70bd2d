"""What only the demo asks of Stripe, or of the fake Stripe: customers with a past, by way of test clocks.

Nothing here is part of the product: test clocks exist in test mode only, and `payments_of` never gives this.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime

import httpx

from billing_app.domain.common.errors import UnavailableError
from billing_app.gateways import tls
from billing_app.gateways.stripe import mapping as reading
from billing_app.gateways.stripe.connection import TIMEOUT_SECONDS, StripeConnection, translated

ADVANCES_SECONDS = 60.0
"""How long a clock may take over some years of renewals."""

POLL_SECONDS = 0.02


class StripeStaging(StripeConnection):
    """A Stripe account on which a story is staged. Every call that makes something has a `key`: once is enough."""

    def __init__(self, api_secret: str, api_base: str = "") -> None:
        """As every connection; and the fake Stripe's own control, which is beside its API."""
        super().__init__(api_secret, api_base)
        self._secret, self._control = api_secret, f"{api_base}/_sandbox/control"

    def clock(self, key: str, name: str, at: datetime) -> str:
        """A clock that stands at `at`; its id."""
        with translated():
            made = self._v1.test_helpers.test_clocks.create(
                {"frozen_time": int(at.timestamp()), "name": name}, {"idempotency_key": key}
            )
        return made.id

    def customer(self, key: str, name: str, email: str, metadata: Mapping[str, str], clock: str = "") -> str:
        """A customer, living by a clock if one is told; its id."""
        with translated():
            if clock:
                made = self._v1.customers.create(
                    {"name": name, "email": email, "metadata": dict(metadata), "test_clock": clock},
                    {"idempotency_key": key},
                )
            else:
                made = self._v1.customers.create(
                    {"name": name, "email": email, "metadata": dict(metadata)}, {"idempotency_key": key}
                )
        return made.id

    def use_card(self, key: str, customer_id: str, card: str) -> str:
        """Saves a test card (`pm_card_visa`) and pays with it from now on; its id."""
        with translated():
            saved = self._v1.payment_methods.attach(card, {"customer": customer_id}, {"idempotency_key": key}).id
            self._v1.customers.update(customer_id, {"invoice_settings": {"default_payment_method": saved}})
            for each in self._v1.subscriptions.list({"customer": customer_id}).data:
                self._v1.subscriptions.update(each.id, {"default_payment_method": saved})
        return saved

    def subscribe(
        self, key: str, customer_id: str, price_id: str, metadata: Mapping[str, str], anchor: datetime | None = None
    ) -> str:
        """Begins a subscription that the saved card pays, billed anew at `anchor`; its id."""
        with translated():
            if anchor is None:
                made = self._v1.subscriptions.create(
                    {"customer": customer_id, "items": [{"price": price_id}], "metadata": dict(metadata)},
                    {"idempotency_key": key},
                )
            else:
                made = self._v1.subscriptions.create(
                    {
                        "customer": customer_id,
                        "items": [{"price": price_id}],
                        "metadata": dict(metadata),
                        "billing_cycle_anchor": int(anchor.timestamp()),
                    },
                    {"idempotency_key": key},
                )
        return made.id

    def advance(self, clock: str, to: datetime) -> None:
        """Lets time pass until `to`, with every renewal on the way. Raises UnavailableError `clock_stuck`."""
        until = time.monotonic() + ADVANCES_SECONDS
        with translated():
            found = self._v1.test_helpers.test_clocks.retrieve(clock)
            if found.status == "ready" and reading.moment(found.frozen_time) >= to.replace(microsecond=0):
                return
            self._v1.test_helpers.test_clocks.advance(clock, {"frozen_time": int(to.timestamp())})
            while self._v1.test_helpers.test_clocks.retrieve(clock).status != "ready":
                if time.monotonic() > until:
                    raise UnavailableError("The demo's Stripe clock does not advance.", code="clock_stuck")
                time.sleep(POLL_SECONDS)

    def let_run(self, clock: str) -> None:
        """From now on a clock of the fake Stripe's goes as the wall clock does: what is bought then is bought now.

        Raises UnavailableError `clock_stuck` where Stripe is the real one, for Stripe's clocks always stand still.
        """
        try:
            answer = httpx.post(
                f"{self._control}/clocks/{clock}/run",
                headers={"Authorization": f"Bearer {self._secret}"},
                json={},
                timeout=TIMEOUT_SECONDS[1],
                trust_env=False,
                verify=tls.context(),
            )
        except httpx.HTTPError:
            answer = None
        if answer is None or answer.is_error:
            raise UnavailableError("The demo's Stripe clock does not run.", code="clock_stuck")

    def clock_of(self, customer_id: str) -> str:
        """The clock that a customer lives by; empty for the real one."""
        with translated(missing="customer"):
            return reading.id_of(self._v1.customers.retrieve(customer_id).test_clock)
