"""Throttled sign-ins: every attempt counts as failed until it is proved right.

Signing in takes three steps, because hashing a password is slow and no transaction may be open meanwhile: `begin`
counts a failure and is committed, so that guesses made at once are all counted; `proves` hashes; `sessions.sign_in`
takes the failure back and opens the session. The counts are in the database, so a restart forgives nobody.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from billing_app.domain.errors import BillingError, UnauthenticatedError
from billing_app.services import passwords
from billing_app.store import attempts as store
from billing_app.store import users

ATTEMPT_WINDOW = timedelta(minutes=15)
"""The window in which failed sign-ins are counted."""

PAIR_FAILURES = 5
"""Failures of one account from one place per window. Typing errors fit in."""

PLACE_FAILURES = 30
"""Failures from one place per window, over all accounts. An office behind one address fits in."""

ACCOUNT_FAILURES = 50
"""Failures of one account per window from everywhere. Looser than the pair, so that a stranger who guesses at an
account does not easily lock its owner out, and still under 5 000 guesses a day."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that was counted and is to be proved. Without a user it cannot be."""

    email: str
    place: str
    user_id: UUID | None
    password_hash: str | None = field(repr=False)


def begin(session: Session, email: str, client: str, now: datetime, *, demo: bool = False) -> Attempt:
    """Counts a sign-in as failed and says what to prove. Commit before going on.

    Raises BillingError `too_many_attempts` (429) if the account, the client's address, or the two together have failed
    too often, whether or not there is such an account. Demo users exist only where `demo` is on.
    """
    place = place_of(client)
    for subject, limit in _subjects(email, place):
        if store.count(session, subject, now, now - ATTEMPT_WINDOW) > limit:
            raise BillingError(
                "Too many sign-ins failed. Wait 15 minutes, or set a new password.",
                code="too_many_attempts",
                status=429,
                retry_after=int(ATTEMPT_WINDOW.total_seconds()),
            )
    user = users.by_email(session, email)
    if user is None or (user.demo and not demo):
        return Attempt(users.folded(email), place, None, None)
    return Attempt(users.folded(email), place, user.id, user.password_hash)


def proves(attempt: Attempt, password: str) -> bool:
    """Whether the password is right. Slow on purpose, equally slow for an unknown account; without a transaction."""
    return passwords.fits(password, attempt.password_hash) and attempt.user_id is not None


def succeed(session: Session, attempt: Attempt) -> None:
    """Takes the failure back. Those of the same account from the same place were typing errors and are forgotten."""
    (pair, _), *others = _subjects(attempt.email, attempt.place)
    store.forget(session, pair)
    for subject, _ in others:
        store.take_back(session, subject)


def wrong_password() -> UnauthenticatedError:
    """The one answer to an unknown address and to a wrong password."""
    return UnauthenticatedError("That e-mail address and password do not fit together.", code="wrong_password")


def _subjects(email: str, place: str) -> tuple[tuple[str, int], ...]:
    """What failures are counted for, each with its limit: the pair first, then the account and the place."""
    account = users.folded(email)
    named = (
        (f"pair {place} {account}", PAIR_FAILURES),
        (f"account {account}", ACCOUNT_FAILURES),
        (f"place {place}", PLACE_FAILURES),
    )
    return tuple((hashlib.sha256(name.encode()).hexdigest(), limit) for name, limit in named)


def place_of(client: str) -> str:
    """The network a client counts as: its IPv4 address, or the /64 of its IPv6 one, of which a home has 2**64."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
