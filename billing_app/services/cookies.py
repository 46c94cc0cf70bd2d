"""The session cookie: its name, where its token may be read, and what stands for it inside Reflex.

Reflex keeps the headers of a page's websocket in the page's state and sends them to the browser's JavaScript, where an
HttpOnly cookie must never be. So the server replaces, before Reflex sees it, the cookie's token by
`billing_session_hash=<hash>`, and takes away any such cookie that a browser sends: the hash opens nothing from outside.
"""

from __future__ import annotations

from collections.abc import Iterator

from billing_app.services.secrets import digest

NAME = "billing_session"
SECURE_NAME = "__Host-billing_session"
"""Under https. Browsers take this name only from us, so that a neighbouring subdomain cannot plant a session."""

HASH_NAME = "billing_session_hash"


def cookie_name(secure: bool) -> str:
    """The cookie's name for a public address with or without https."""
    return SECURE_NAME if secure else NAME


def token_in(cookies: str, *, secure: bool) -> str | None:
    """The session token in a Cookie header; None without one."""
    return next((value for name, value in _pairs(cookies) if name == cookie_name(secure) and value), None)


def session_hash_in(cookies: str) -> str | None:
    """The session's hash in a Cookie header that went through `for_reflex`; None without one."""
    return next((value for name, value in _pairs(cookies) if name == HASH_NAME and value), None)


def for_reflex(cookies: str, *, secure: bool) -> str:
    """The Cookie header as Reflex may see it: every session cookie taken out, the hash of ours put in."""
    token = token_in(cookies, secure=secure)
    kept = [f"{name}={value}" for name, value in _pairs(cookies) if name not in {NAME, SECURE_NAME, HASH_NAME}]
    return "; ".join([*kept, f"{HASH_NAME}={digest(token)}"] if token else kept)


def _pairs(cookies: str) -> Iterator[tuple[str, str]]:
    for part in cookies.split(";"):
        name, _, value = part.strip().partition("=")
        if name:
            yield name.strip(), value.strip()
