"""What payers and banks do: pay a session, answer 3-D Secure, settle a debit."""

from typing import Any

from fake_stripe.account import Account
from fake_stripe.control.registry import Sent, control
from fake_stripe.payments import authentication, checkout, intents
from fake_stripe.payments.cards import Decline
from fake_stripe.payments.checkout import Payer

DEFAULT_NUMBER = "4242424242424242"


@control("POST", "/checkout/{session}/pay")
def pay(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Fill in and send the hosted page.

    `number` (default 4242...), `name`, `email`, `quantities` by line item id, `promotion_code`, as it is typed, and
    `authentication`, `complete` or `fail`, for cards that ask. Answers the session and `decline`, which is null unless
    the payment was refused.
    """
    session = account.get(ids["session"], checkout.KIND)
    answer = sent.take("authentication", str, None)
    if code := sent.take("promotion_code", str, None):
        checkout.redeem(account, session, code)
    payer = Payer(
        number=sent.take("number", str, DEFAULT_NUMBER).replace(" ", ""),
        name=sent.take("name", str, "Test Payer"),
        email=sent.take("email", str, None),
        quantities=sent.take("quantities", dict, {}),
    )
    decline = checkout.pay(account, session, payer)
    session = account.get(session["id"], checkout.KIND)
    intent = authentication.find(account, checkout.intent_of(session))
    if answer and intent and intent["status"] == "requires_action":
        decline = authentication.answer(account, intent, answer == "complete")
        session = account.get(session["id"], checkout.KIND)
    return {"session": session, "decline": _shown(decline)}


def _shown(decline: Decline | None) -> dict[str, Any] | None:
    return {"code": decline.code, "decline_code": decline.reason, "message": decline.message} if decline else None


@control("POST", "/checkout/{session}/expire")
def expire(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Let the session's time run out."""
    session = account.get(ids["session"], checkout.KIND)
    checkout.expire(account, session["id"])
    return account.get(session["id"], checkout.KIND)


@control("POST", "/payment_intents/{intent}/authenticate")
def authenticate(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Answer 3-D Secure: `passed`, default true."""
    intent = account.get(ids["intent"], authentication.kind_of(ids["intent"]))
    decline = authentication.answer(account, intent, sent.take("passed", bool, True))
    return {intent["object"]: account.get(intent["id"], intent["object"]), "decline": _shown(decline)}


@control("POST", "/payment_intents/{intent}/settle")
def settle(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Let the bank answer now about a debit that is under way."""
    intent = account.get(ids["intent"], "payment_intent")
    intents.settle(account, intent["id"])
    return account.get(intent["id"], "payment_intent")
