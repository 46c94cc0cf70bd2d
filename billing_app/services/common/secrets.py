"""Random secrets that are handed out once and stored as a hash."""

from __future__ import annotations

import hashlib
import secrets

SECRET_BYTES = 32
"""256 bits: nobody guesses one, and a plain hash of it can be stored without salt or stretching."""


def new_secret() -> str:
    """A fresh secret that is safe in a URL, a cookie and a header."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """What is stored instead of the secret: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
