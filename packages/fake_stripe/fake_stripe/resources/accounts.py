"""The account that a key belongs to: enough for an integrator to know where it is."""

import stripe

from fake_stripe.account import Account
from fake_stripe.contract.shapes import build
from fake_stripe.resource import Request, operation
from fake_stripe.storage.objects import Body

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
