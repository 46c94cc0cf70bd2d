"""One at a time at a customer of Stripe's: whoever reads there, decides, and writes what came of it.

Webhooks of a customer are handled under the same lease (`inbox`). So no older reading overwrites a newer one, and what
is decided is decided on what stands when it is one's turn: read everything anew inside.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.common.errors import BillingError, ConflictError
from billing_app.services.common.context import Context, Enter
from billing_app.store.common import runs

TRIES, PAUSE_SECONDS = 40, 0.1
"""How long is waited for whoever has it: longer than an event takes, less than anybody would wait."""

Renew = Callable[[Context], None]
"""To be called in a transaction before something is done that rests on the lease: ConflictError if it was lost."""


@contextmanager
def held(enter: Enter, customer: str = "") -> Generator[Renew]:
    """Holds the lease of a customer (by default the organization's) until the end of the block.

    Raises ConflictError `lease_taken` if who holds it does not come to an end.
    """
    holder = f"turn:{secrets.token_hex(8)}"
    name = _taken(enter, customer, holder)

    def renew(context: Context) -> None:
        runs.take_lease(context.session, name, holder, context.now)

    try:
        yield renew
    finally:
        with enter() as context:
            runs.release_lease(context.session, name, holder)


@contextmanager
def held_by_job(
    transaction: Callable[[], AbstractContextManager[Session]], now: Callable[[], datetime], customer: str
) -> Generator[None]:
    """The same for a job that stands in no organization. Raises BillingError `payments_busy`."""
    holder = f"turn:{secrets.token_hex(8)}"
    name = f"stripe:{customer}"
    for turn in range(1, TRIES + 1):
        try:
            with transaction() as session:
                runs.take_lease(session, name, holder, now())
            break
        except ConflictError:
            if turn == TRIES:
                raise BillingError(
                    "Payments of this customer are being processed.", code="payments_busy", status=503
                ) from None
        time.sleep(PAUSE_SECONDS)
    try:
        yield
    finally:
        with transaction() as session:
            runs.release_lease(session, name, holder)


def _taken(enter: Enter, customer: str, holder: str) -> str:
    for turn in range(1, TRIES + 1):
        try:
            with enter() as context:
                name = f"stripe:{customer or context.organization.stripe_customer_id or ''}"
                runs.take_lease(context.session, name, holder, context.now)
                return name
        except ConflictError as error:
            if error.code != "lease_taken" or turn == TRIES:
                raise
        time.sleep(PAUSE_SECONDS)
    raise ConflictError("Payments of this organization are being processed. Try again.", code="lease_taken")
