"""Identifiers that look like Stripe's: a prefix, an underscore, letters and digits."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits
# As long as Stripe's, which also makes guessing one hopeless.
DEFAULT_LENGTH = 24
SESSION_LENGTH = 58
WEBHOOK_SECRET_LENGTH = 32


def make(prefix: str, length: int = DEFAULT_LENGTH) -> str:
    """A fresh random identifier, `prefix_...`."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(length))}"
