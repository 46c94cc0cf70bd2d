"""How each setting has to look, before anything is tried with it.

Each form takes what was set and gives what is used. It raises ValueError with the rest of a sentence that begins with
the setting's name: what is wrong and what to do. What was set may hold a password, so it is never repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_network
from urllib.parse import SplitResult, urlsplit

DATABASES = ("sqlite", "postgresql", "postgresql+psycopg", "postgres")
"""What comes before `://`; the last three are one driver."""

ADDRESS_OF_DATABASE = "sqlite:///FILE or postgresql+psycopg://user:password@host/database"
ADDRESS_OF_REDIS = "redis://host:6379/0, rediss:// with TLS, or unix:///path/of/socket"
ADDRESS_OF_MAIL = "smtp://user:password@host:587 or smtps://user:password@host:465"


def database_url(value: str) -> str:
    """SQLite or PostgreSQL."""
    scheme, separator, rest = value.partition("://")
    if not separator:
        raise ValueError(f"is not the address of a database: write {ADDRESS_OF_DATABASE}")
    if scheme not in DATABASES:
        raise ValueError(f"names a database that is not served ({scheme}): write {ADDRESS_OF_DATABASE}")
    if scheme == "sqlite" and rest and not rest.startswith("/"):
        raise ValueError("has two slashes before the file: write sqlite:///relative.db or sqlite:////absolute.db")
    if scheme != "sqlite" and not rest.rpartition("@")[2].partition("/")[2]:
        raise ValueError(f"names no database after the host: write {ADDRESS_OF_DATABASE}")
    return value


def redis_url(value: str) -> str:
    """Empty, or where Redis is."""
    if not value:
        return value
    parts = _split(value, ADDRESS_OF_REDIS)
    there = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in ("redis", "rediss", "unix") or not there:
        raise ValueError(f"is not the address of a Redis server: write {ADDRESS_OF_REDIS}")
    return value


def public_url(value: str) -> str:
    """Scheme, host and perhaps port, as browsers see them; without a slash at the end."""
    like = "https://billing.example.com, or http://127.0.0.1:3000 on this machine"
    if not value:
        return value
    parts = _split(value, like)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"is not an address that browsers can open: it begins with https:// or http://. Write {like}")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError(f"has more than scheme, host and port; the console has a host of its own: write {like}")
    return f"{parts.scheme}://{parts.netloc}"


def stripe_api_secret(value: str) -> str:
    """Empty, or a secret or restricted key."""
    if value.startswith("pk_"):
        raise ValueError("is a publishable key (pk_): put Stripe's secret key there, which begins with sk_ or rk_")
    if value.startswith("whsec_"):
        raise ValueError(
            "holds the webhook's signing secret (whsec_), which belongs in BILLING_STRIPE_WEBHOOK_SECRET: put Stripe's "
            "secret key there, which begins with sk_ or rk_"
        )
    if value and not value.startswith(("sk_", "rk_")):
        raise ValueError(
            "is not a secret key of Stripe: those begin with sk_ or rk_. Copy it from Developers, API keys"
        )
    return value


def stripe_webhook_secret(value: str) -> str:
    """Empty, or the signing secret of an endpoint."""
    if value.startswith(("sk_", "rk_", "pk_")):
        raise ValueError(
            "holds an API key of Stripe: put the endpoint's signing secret there, which begins with whsec_; "
            "the secret key belongs in BILLING_STRIPE_API_SECRET"
        )
    if value and not value.startswith("whsec_"):
        raise ValueError(
            "is not a signing secret of a webhook endpoint: those begin with whsec_. Copy it from the endpoint's page"
        )
    return value


def stripe_api_base(value: str) -> str:
    """Empty, or an address of HTTP."""
    like = "http://127.0.0.1:12111, or leave it out for Stripe itself"
    if value and (_split(value, like).scheme not in ("http", "https") or not urlsplit(value).hostname):
        raise ValueError(f"is not an address of an API: write {like}")
    return value


def smtp_url(value: str) -> str:
    """Empty, or a mail server."""
    if value:
        parts = _split(value, ADDRESS_OF_MAIL)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError(f"is like {ADDRESS_OF_MAIL}")
    return value


def mail_from(value: str) -> str:
    """Empty, or a sender."""
    if value and "@" not in value:
        raise ValueError("is not a mail sender: write Billing <billing@example.com>")
    return value


def networks(value: str) -> str:
    """Addresses or networks, separated by commas."""
    for network in filter(None, map(str.strip, value.split(","))):
        try:
            ip_network(network)
        except ValueError as error:
            raise ValueError(f"is a list of addresses or networks like 10.1.0.0/16, and {error}") from None
    return value


def _split(value: str, like: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port, parts.hostname
    except ValueError:
        # The reason would show a part of the address, which may be one of the password.
        raise ValueError(
            f"is not an address, perhaps for a sign in the password that must be written as %..: write {like}"
        ) from None
    return parts


FORMS: Mapping[str, Callable[[str], str]] = {
    "database_url": database_url,
    "redis_url": redis_url,
    "public_url": public_url,
    "stripe_api_secret": stripe_api_secret,
    "stripe_webhook_secret": stripe_webhook_secret,
    "stripe_api_base": stripe_api_base,
    "smtp_url": smtp_url,
    "mail_from": mail_from,
    "webhook_networks": networks,
    "trusted_proxies": networks,
}
"""The form of every setting that is a text and has one."""
