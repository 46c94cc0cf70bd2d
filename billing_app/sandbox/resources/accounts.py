"""The account that a key belongs to: enough for an integrator to know where it is."""

import stripe

from billing_app.sandbox.account import Account
from billing_app.sandbox.contract.shapes import build
from billing_app.sandbox.resource import Request, operation
from billing_app.sandbox.storage.objects import Body

_HIDDEN = frozenset({"deleted", "company", "external_accounts", "future_requirements", "groups", "individual"})


@operation("accounts.retrieve_current")
def current(account: Account, request: Request) -> Body:
    """The key's own account. Every key has one, and nothing about it can be changed."""
    return build(
        stripe.Account,
        _HIDDEN,
        id=account.id,
        charges_enabled=True,
        country="US",
        default_currency="usd",
        details_submitted=True,
        payouts_enabled=True,
        type="standard",
    )
