"""Asking a payment provider no faster than it wants, and again when it is busy: for jobs, which nobody waits for.

Stripe's test mode allows 25 requests a second for everybody together, and its SDK never repeats what was refused with
429. A sync must leave most of that to people who are buying.
"""

from __future__ import annotations

import time
from typing import Any, cast

from billing_app.domain.common.errors import UnavailableError
from billing_app.gateways.payments import Payments

SECONDS_BETWEEN = 0.1
"""Ten requests a second: less than half of what test mode allows."""

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before each further try of a busy provider; a minute in all, then it is given up."""

BUSY = "payments_busy"


def patiently(payments: Payments, between: float = SECONDS_BETWEEN, waits: tuple[float, ...] = WAITS) -> Payments:
    """The provider, asked slowly. For one thread."""
    return cast("Payments", _Patient(payments, between, waits))


class _Patient:
    """The same methods as `payments` has, called slowly."""

    def __init__(self, payments: Payments, between: float, waits: tuple[float, ...]) -> None:
        """`waits` are the pauses before each further try, in seconds."""
        self._payments = payments
        self._between, self._waits = between, waits
        self._last = 0.0

    def __getattr__(self, name: str) -> Any:
        """A method of the provider."""
        asked = getattr(self._payments, name)

        def ask(*arguments: Any, **named: Any) -> Any:
            for wait in (*self._waits, None):
                time.sleep(max(0.0, self._last + self._between - time.monotonic()))
                self._last = time.monotonic()
                try:
                    return asked(*arguments, **named)
                except UnavailableError as error:
                    if error.code != BUSY or wait is None:
                        raise
                    time.sleep(wait)
            raise AssertionError("the last try returns or raises")

        return ask
