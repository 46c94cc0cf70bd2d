"""Throttled sign-ins: every attempt counts as failed until it is proved right.

Signing in takes three steps, because hashing a password is slow and no transaction may be open meanwhile: `begin`
counts a failure and is committed, so that guesses made at once are all counted; `proves` hashes; `sessions.sign_in`
takes the failure back and opens the session. The counts are in the database, so a restart forgives nobody.

Nobody is locked out by somebody else's guesses (docs/decisions/0020): what is refused is a place, never an account. A
browser at which the person has signed in before has a count of its own, which nobody else can fill.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from billing_app.domain.common.errors import BillingError, UnauthenticatedError
from billing_app.services.access import cookies, passwords
from billing_app.store.access import sign_in_throttle as store
from billing_app.store.access import users

ATTEMPT_WINDOW = timedelta(minutes=15)
"""The window in which failed sign-ins are counted."""

PAIR_FAILURES = 5
"""Failures of one account from one place per window. Typing errors fit in."""

PLACE_FAILURES = 30
"""Failures from one place per window, over all accounts. An office behind one address fits in."""

ACCOUNT_FAILURES = 50
"""Failures of one account per window from everywhere, beyond which somebody guesses at it from many places: then each
place has PAIR_FAILURES_GUESSED_AT instead of PAIR_FAILURES. Its owner, at whatever place, still has that."""

PAIR_FAILURES_GUESSED_AT = 1
"""A person who types carefully needs one."""

DEVICE_FAILURES = 10
"""Failures per window at a browser that the account is known at. Only who has that browser can fill it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that was counted and is to be proved. Without a user it cannot be."""

    email: str
    place: str
    user_id: UUID | None
    password_hash: str | None = field(repr=False)
    device: str = ""
    """The name of the browser that it comes from, if the account is known at it."""


def begin(session: Session, email: str, client: str, now: datetime, *, device: str = "", demo: bool = False) -> Attempt:
    """Counts a sign-in as failed and says what to prove. Commit before going on.

    `device` is the cookie that the browser sent. Raises BillingError `too_many_attempts` (429) if the client's address,
    or the account at that address, has failed too often, whether or not there is such an account. Demo users exist only
    where `demo` is on.
    """
    place, address = place_of(client), users.folded(email)
    user = users.by_email(session, email)
    known = user is not None and (demo or not user.demo)
    found = user if known else None
    name = cookies.device_of(device, address, found.password_hash if found else None)
    counts = [store.count(session, subject, now, now - ATTEMPT_WINDOW) for subject in _subjects(address, place, name)]
    if any(count > limit for count, limit in zip(counts, _limits(counts, name), strict=True)):
        raise BillingError(
            "Too many sign-ins failed here. Wait 15 minutes, or use a browser where you have signed in before.",
            code="too_many_attempts",
            status=429,
            retry_after=int(ATTEMPT_WINDOW.total_seconds()),
        )
    if found is None:
        return Attempt(address, place, None, None)
    return Attempt(address, place, found.id, found.password_hash, name)


def proves(attempt: Attempt, password: str) -> bool:
    """Whether the password is right. Slow on purpose, equally slow for an unknown account; without a transaction."""
    return passwords.fits(password, attempt.password_hash) and attempt.user_id is not None


def succeed(session: Session, attempt: Attempt) -> None:
    """Takes the failure back. Those of the same account from the same place were typing errors and are forgotten."""
    own, *others = _subjects(attempt.email, attempt.place, attempt.device)
    store.forget(session, own)
    for subject in others:
        store.take_back(session, subject)


def wrong_password() -> UnauthenticatedError:
    """The one answer to an unknown address and to a wrong password."""
    return UnauthenticatedError("That e-mail address and password do not match.", code="wrong_password")


def _subjects(account: str, place: str, device: str) -> tuple[str, ...]:
    """What failures are counted for: a known browser alone, or else the pair, the account and the place."""
    if device:
        names: tuple[str, ...] = (f"device {device} {account}",)
    else:
        names = (f"pair {place} {account}", f"account {account}", f"place {place}")
    return tuple(hashlib.sha256(name.encode()).hexdigest() for name in names)


def _limits(counts: list[int], device: str) -> tuple[float, ...]:
    """How much each of them may be. The account's count refuses nobody: it makes places pay for being many."""
    if device:
        return (DEVICE_FAILURES,)
    pair = PAIR_FAILURES if counts[1] <= ACCOUNT_FAILURES else PAIR_FAILURES_GUESSED_AT
    return (pair, math.inf, PLACE_FAILURES)


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
