"""What a start refuses because it could harm somebody, and what it says of settings that contradict each other."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from billing_app import clock, private_files, setting_names
from billing_app.db import IN_MEMORY, Database
from billing_app.domain.common.errors import ConflictError, UnavailableError
from billing_app.gateways import surroundings
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


def require_surroundings(settings: Settings, say: Callable[[str], None]) -> None:
    """Refuses what cannot work at all, and says what will not work, a sentence each."""
    wrong = redis_problem(settings)
    if wrong:
        raise UnavailableError(wrong)
    for warning in (*setting_names.misspelt(type(settings).model_fields), *contradictions(settings)):
        say(f"Warning: {warning}")
    for warning in filter(None, [mail_problem(settings)]):
        say(f"Warning: {warning}")


def redis_problem(settings: Settings) -> str:
    """Why pages' state cannot be kept, as a sentence; nothing where it can, or is kept in the process."""
    found = surroundings.redis_problem(settings.redis_url) if settings.redis_url else ""
    return found and f"BILLING_REDIS_URL: {found}. Start it, correct the address, or leave the setting out."


def mail_problem(settings: Settings) -> str:
    """Why no mail leaves, as a sentence; nothing where mail works or is not set up."""
    found = surroundings.mail_problem(settings.smtp_url.get_secret_value()) if settings.mailing else ""
    return found and (
        f"BILLING_SMTP_URL: {found}. Nothing is mailed until it does; correct the address or start the server."
    )


def contradictions(settings: Settings) -> Iterator[str]:
    """Settings that do nothing without another, or do harm together."""
    stripe = {
        "BILLING_STRIPE_API_SECRET": settings.stripe_api_secret.get_secret_value(),
        "BILLING_STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret.get_secret_value(),
    }
    mail = {"BILLING_SMTP_URL": settings.smtp_url.get_secret_value(), "BILLING_MAIL_FROM": settings.mail_from}
    for pair, what in ((stripe, "nothing can be bought"), (mail, "nothing is mailed")):
        absent = [name for name, value in pair.items() if not value]
        if len(absent) == 1:
            there = next(name for name in pair if name not in absent)
            yield f"{there} is set and {absent[0]} is not: {what} until both are. Set it, too, or take the other out."
    if settings.stripe_api_base and not settings.selling:
        yield "BILLING_STRIPE_API_BASE is set, and it takes both secrets of Stripe to use it: nothing can be bought."
    if not settings.secure and not local(settings.public_url):
        yield (
            f"BILLING_PUBLIC_URL is {settings.public_url}: without https passwords and cookies can be read on the way. "
            "Put a proxy with TLS before the console, and its https address there."
        )
    file = sqlite_file(settings)
    if file is not None and file.exists():
        if private_files.readable_by_others(file):
            yield f"{file} can be read by others than its owner: chmod 600 {file}*"
        if file.stat().st_nlink > 1:
            yield f"{file} has other names (hard links): opened by one of those, SQLite would damage it. Remove them."


def sqlite_file(settings: Settings) -> Path | None:
    """The file of the settings' SQLite database."""
    url = make_url(settings.database_url)
    known = url.get_backend_name() == "sqlite" and url.database not in IN_MEMORY
    return Path(str(url.database)) if known else None


def port_of(url: str) -> int:
    """The port at which browsers are."""
    parts = urlsplit(url)
    return parts.port or {"https": 443}.get(parts.scheme, 80)
