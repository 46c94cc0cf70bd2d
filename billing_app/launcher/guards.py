"""What a start refuses because somebody could be harmed by it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from sqlmodel import select

from billing_app.db import Database
from billing_app.domain.errors import ConflictError
from billing_app.settings import Settings
from billing_app.store.tables.access import User

LIVE_KEYS = ("sk_live_", "rk_live_")


def refuse_demo_in_public(database: Database, settings: Settings) -> None:
    """Demo users have passwords that everybody knows: never beside real money or on a public address."""
    with database.reading() as session:
        has_demo = session.exec(select(User.id).where(User.demo).limit(1)).first() is not None
    if not has_demo:
        return
    if settings.stripe_api_secret.get_secret_value().startswith(LIVE_KEYS):
        raise ConflictError(
            "This database holds the demo's data, and the Stripe key is a live one: name another database "
            "in BILLING_DATABASE_URL."
        )
    if not local(settings.public_url):
        raise ConflictError(
            f"This database holds the demo's data, and {settings.public_url} is a public address: name another "
            "database in BILLING_DATABASE_URL."
        )


def local(url: str) -> bool:
    """Whether only this machine reaches `url`."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
