"""Browsers at which somebody has signed in by their password: a stranger's guesses do not keep them out.

Such a browser keeps a cookie that is made with the account's password hash as the key, so that nobody else makes one,
nothing has to be stored, and all of them end when the password changes (OWASP calls this a device cookie). It opens
nothing: the password is asked for as ever. It only says that failures elsewhere are not this browser's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import timedelta

from billing_app.services.common.secrets import new_secret

LASTS = timedelta(days=365)
"""How long a browser keeps it."""

DEVICE = re.compile(r"([A-Za-z0-9_-]{43})\.([0-9a-f]{64})")
"""A name of its own, and what proves it."""


def new_device(email: str, password_hash: str) -> str:
    """The cookie of a browser at which this account has just proved its password."""
    name = new_secret()
    return f"{name}.{_proof(name, email, password_hash)}"


def device_of(cookie: str, email: str, password_hash: str | None) -> str:
    """The name of a browser that is known to this account; empty for any other."""
    found = DEVICE.fullmatch(cookie)
    if found is None or password_hash is None:
        return ""
    return found[1] if hmac.compare_digest(found[2], _proof(found[1], email, password_hash)) else ""


def _proof(name: str, email: str, password_hash: str) -> str:
    return hmac.new(password_hash.encode(), f"device {name} {email}".encode(), hashlib.sha256).hexdigest()
