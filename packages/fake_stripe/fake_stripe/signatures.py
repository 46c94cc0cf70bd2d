"""The `Stripe-Signature` header: an HMAC over time and body that the SDK's `construct_event` verifies."""

import hashlib
import hmac

# Twice the SDK's tolerance of 300 seconds, so that an old signature is refused for its age alone.
OLD_SIGNATURE_SECONDS = 600


def header(payload: bytes, secret: str, now: int, flaw: str = "valid") -> str:
    """`t=...,v1=...` for `payload` at `now` (seconds since 1970); `flaw` is `valid`, `old` or `corrupt`."""
    at = now - OLD_SIGNATURE_SECONDS if flaw == "old" else now
    key = f"{secret}x" if flaw == "corrupt" else secret
    digest = hmac.new(key.encode(), f"{at}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
