"""The one Stripe account of this database: whoever comes with another key is refused before anything is written."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.errors import UnavailableError
from billing_app.gateways.payments import Account
from billing_app.store import purchases as store


def confirm(session: Session, account: Account, now: datetime) -> None:
    """Remembers the account at its first use; from then on lets no other pass.

    A key that may not know its account (`id` is empty) is only held against the mode. Raises UnavailableError
    `wrong_stripe_account`.
    """
    known = store.first_account(session, account.id, account.livemode, now)
    if known.livemode != account.livemode:
        mode, other = ("live", "test") if known.livemode else ("test", "live")
        raise UnavailableError(
            f"This database belongs to Stripe's {mode} mode, and the key is for {other} mode. "
            "Use the right key, or another database.",
            code="wrong_stripe_account",
        )
    if account.id and known.account_id and known.account_id != account.id:
        raise UnavailableError(
            f"This database belongs to the Stripe account {known.account_id}, and the key is of {account.id}. "
            "Use the right key, or another database.",
            code="wrong_stripe_account",
        )
    if account.id and not known.account_id:
        known.account_id = account.id
        session.add(known)
