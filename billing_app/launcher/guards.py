"""What a start refuses because somebody could be harmed by it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError, UnavailableError
from billing_app.services.access import users
from billing_app.services.payments import payment_account
from billing_app.settings import Settings

UNREACHABLE = "payments_unreachable"
"""Stripe's being down is no reason to be down too."""

LIVE_KEYS = ("sk_live_", "rk_live_")


def refuse_demo_in_public(database: Database, settings: Settings) -> None:
    """Demo users have passwords that everybody knows: never beside real money or on a public address."""
    with database.reading() as session:
        has_demo = users.has_demo(session)
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


def refuse_another_account(database: Database, settings: Settings, say: Callable[[str], None]) -> None:
    """The database belongs to the Stripe account and mode that it first spoke to."""
    if not settings.selling:
        return
    # Stripe's SDK takes a second to import; who does not sell need not wait for it.
    from billing_app.gateways.stripe.payments import payments_of

    try:
        account = payments_of(settings).account()
    except UnavailableError as error:
        if error.code != UNREACHABLE:
            raise
        say(f"{error.detail} Whose key it is will be checked when it answers, before anything is sold.")
        return
    with database.writing() as session:
        payment_account.confirm(session, account, clock.now())


def local(url: str) -> bool:
    """Whether only this machine reaches `url`."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
