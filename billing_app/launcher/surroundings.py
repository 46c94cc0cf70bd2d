"""What a start says of settings that contradict each other, are misspelt, or name something that is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from billing_app import private_files, setting_names
from billing_app.db import IN_MEMORY
from billing_app.domain.common.errors import UnavailableError
from billing_app.gateways import surroundings
from billing_app.launcher.guards import local
from billing_app.settings import Settings


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
