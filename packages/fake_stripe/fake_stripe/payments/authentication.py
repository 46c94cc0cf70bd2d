"""3-D Secure for whatever asked for it."""

from fake_stripe.account import Account
from fake_stripe.payments import intents, setups
from fake_stripe.payments.cards import Decline
from fake_stripe.storage.objects import Body


def kind_of(identifier: str) -> str:
    """Which kind of intent an id names."""
    return "setup_intent" if identifier.startswith("seti_") else "payment_intent"


def find(account: Account, identifier: str | None) -> Body | None:
    """The payment or setup intent of this id."""
    return account.find(identifier, kind_of(identifier)) if identifier else None


def answer(account: Account, intent: Body, passed: bool) -> Decline | None:
    """The payer's answer to the bank's question."""
    if intent["object"] == "setup_intent":
        return setups.authenticate(account, intent, passed)
    return intents.authenticate(account, intent, passed)
