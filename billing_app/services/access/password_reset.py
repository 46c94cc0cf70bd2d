"""A forgotten password: a link by mail, and no word about whether an address is known.

Everything that depends on whether there is such an account happens after the answer has gone, so that not even its
timing tells. Whoever asks too often is answered alike, and nothing is sent.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.gateways.mail import Mail
from billing_app.services.access import mails, one_time_links, sign_in_throttle
from billing_app.services.access.views import Kind
from billing_app.store.access import sign_in_throttle as store
from billing_app.store.access import users

WINDOW = timedelta(minutes=15)

ACCOUNT_ASKS = 3
"""Mails to one address per window: more of them only annoy. Each link works until one of them is used, so that nobody
ends the link of somebody else by asking for another."""

PLACE_ASKS = 10
"""Addresses asked about from one place per window."""


def ask(session: Session, email: str, client: str, now: datetime, public_url: str) -> Mail | None:
    """The mail with a fresh link, for the transaction's end; None for an unknown address, and for who asked too often.

    Demo accounts have no mailbox.
    """
    address = users.folded(email)
    subjects = ((f"reset {address}", ACCOUNT_ASKS), (f"reset from {sign_in_throttle.place_of(client)}", PLACE_ASKS))
    counts = [store.count(session, _hashed(name), now, now - WINDOW) <= limit for name, limit in subjects]
    user = users.by_email(session, address)
    if not all(counts) or user is None or user.demo:
        return None
    return mails.new_password(user.email, one_time_links.make(session, Kind.NEW_PASSWORD, now, user.id), public_url)


def _hashed(subject: str) -> str:
    return hashlib.sha256(subject.encode()).hexdigest()
