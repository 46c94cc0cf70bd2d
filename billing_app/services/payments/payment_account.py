"""The one Stripe account of this database: whoever comes with another key is refused before anything is written."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.common.errors import UnavailableError
from billing_app.gateways.payments import Account
from billing_app.store.purchases import orders as store


def known(session: Session) -> Account | None:
    """The account that this database has dealings with; None before its first use."""
    row = store.account(session)
    return None if row is None else Account(row.account_id, row.livemode)


def compare(known: Account | None, account: Account) -> None:
    """Refuses another account than the known one, or the other mode.

    A key that may not know its account (`id` is empty) is only held against the mode. Raises UnavailableError
    `wrong_stripe_account`.
    """
    if known is None:
        return
    if known.livemode != account.livemode:
        mode, other = ("live", "test") if known.livemode else ("test", "live")
        raise UnavailableError(
            f"This database belongs to Stripe's {mode} mode, and the key is for {other} mode. "
            "Use the right key, or another database.",
            code="wrong_stripe_account",
        )
    if account.id and known.id and known.id != account.id:
        raise UnavailableError(
            f"This database belongs to the Stripe account {known.id}, and the key is of {account.id}. "
            "Use the right key, or another database.",
            code="wrong_stripe_account",
        )


def confirm(session: Session, account: Account, now: datetime) -> None:
    """Remembers the account at its first use; from then on lets no other pass. Raises as `compare` does."""
    row = store.account(session) or store.first_account(session, account.id, account.livemode, now)
    compare(Account(row.account_id, row.livemode), account)
    if account.id and not row.account_id:
        row.account_id = account.id
        session.add(row)
