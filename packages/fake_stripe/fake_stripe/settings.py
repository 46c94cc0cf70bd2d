"""What an account's owner would set in the dashboard; kept like an object, changed through the control API."""

from typing import Any

from fake_stripe.account import Account
from fake_stripe.errors import StripeError

_ID = "sandbox_settings"
_KIND = "sandbox.settings"
# Setting -> what it may be; the first is how a new account is set.
CHOICES: dict[str, tuple[str, ...]] = {"after_final_failure": ("cancel", "unpaid", "past_due")}


def read(account: Account) -> dict[str, Any]:
    """All settings."""
    kept = account.find(_ID, _KIND) or {}
    return {name: kept.get(name, choices[0]) for name, choices in CHOICES.items()}


def write(account: Account, wanted: dict[str, Any]) -> dict[str, Any]:
    """Change some. Raises StripeError for a name or value that is not a choice."""
    for name, value in wanted.items():
        if value not in CHOICES.get(name, ()):
            raise StripeError(f"{name} must be one of {', '.join(CHOICES.get(name, ('no such setting',)))}", param=name)
    settings = {"id": _ID, "object": _KIND, **read(account), **wanted}
    if account.find(_ID, _KIND):
        account.save(settings)
    else:
        account.add(settings)
    return read(account)
