"""The session cookie: its name, where its token may be read, and what stands for it inside Reflex.

Reflex keeps the headers of a page's websocket in the page's state, where an HttpOnly cookie must never be. So the
server replaces, before Reflex sees it, the cookie's token by `billing_session_hash=<hash>`, and takes away any such
cookie that a browser sends: the hash opens nothing from outside.

That holds only if everybody reads the header alike. So there is one parser, for HTTP and for websockets, and what goes
on to Reflex is written anew from what it found: names and values of RFC 6265, in ASCII, with nothing but spaces and
tabs around them. What Reflex would decode to something else (a Unicode space before a name) is in neither.

Beside it the cookie of a browser at which somebody has signed in by their password: a stranger's guesses do not keep
such a browser out. It is made with the account's password hash as the key, so that nobody else makes one, nothing has
to be stored, and all of them end when the password changes (OWASP calls this a device cookie). It opens nothing: the
password is asked for as ever. It only says that failures elsewhere are not this browser's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import timedelta

from billing_app.services.common.secrets import digest, new_secret

NAME = "billing_session"
SECURE_NAME = "__Host-billing_session"
"""Under https. Browsers take this name only from us, so that a neighbouring subdomain cannot plant a session."""

HASH_NAME = "billing_session_hash"

DEVICE_NAME = "billing_device"
SECURE_DEVICE_NAME = "__Host-billing_device"
"""What a browser keeps when its person signs out: that it was theirs (services.access.devices)."""

OURS = frozenset({NAME, SECURE_NAME, HASH_NAME, DEVICE_NAME, SECURE_DEVICE_NAME})
"""What never reaches Reflex as a browser sent it, however it is written in capitals."""

PAIR = re.compile(r"([!#$%&'*+\-.0-9A-Z^_`a-z|~]+)=([!#-+\--:<-\[\]-~]*)")
"""A cookie's name and value (RFC 6265, 4.1.1). A quoted value is none of ours and none that Reflex needs."""

HASH = re.compile(r"[0-9a-f]{64}")
"""A SHA-256 in hexadecimal: what `for_reflex` writes."""


def cookie_name(secure: bool) -> str:
    """The cookie's name for a public address with or without https."""
    return SECURE_NAME if secure else NAME


def token_in(cookies: str, *, secure: bool) -> str | None:
    """The session token in a Cookie header; None without one, and with two that differ: one of them is not ours."""
    return _only(cookies, cookie_name(secure))


def device_name(secure: bool) -> str:
    """The name of the other cookie."""
    return SECURE_DEVICE_NAME if secure else DEVICE_NAME


def device_in(cookies: str, *, secure: bool) -> str:
    """What a browser says that it is; empty where it says nothing."""
    return _only(cookies, device_name(secure)) or ""


def session_hash_in(cookies: str) -> str | None:
    """The session's hash in a Cookie header that went through `for_reflex`; None without one."""
    found = _only(cookies, HASH_NAME)
    return found if found and HASH.fullmatch(found) else None


def for_reflex(cookies: str, *, secure: bool) -> str:
    """The Cookie header as Reflex may see it: every session cookie taken out, the hash of ours put in."""
    token = token_in(cookies, secure=secure)
    ours = {name.lower() for name in OURS}
    kept = [f"{name}={value}" for name, value in _pairs(cookies) if name.lower() not in ours]
    return "; ".join([*kept, f"{HASH_NAME}={digest(token)}"] if token else kept)


def _only(cookies: str, name: str) -> str | None:
    """The one value that a name has."""
    values = {value for each, value in _pairs(cookies) if each == name and value}
    return values.pop() if len(values) == 1 else None


def _pairs(cookies: str) -> list[tuple[str, str]]:
    """What is a cookie in a Cookie header, in order; anything else is left out."""
    parts = (PAIR.fullmatch(part.strip(" \t")) for part in cookies.split(";"))
    return [(part[1], part[2]) for part in parts if part]


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
