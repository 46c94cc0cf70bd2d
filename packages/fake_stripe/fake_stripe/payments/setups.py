"""Saving a card without taking money: setup intents, alone or for a Checkout Session."""

from collections.abc import Callable
from typing import Any

import stripe

from fake_stripe import errors, ids
from fake_stripe.account import Account
from fake_stripe.contract.shapes import annotations_of, build
from fake_stripe.payments import cards, checkout
from fake_stripe.payments.cards import Decline
from fake_stripe.payments.checkout import Payer
from fake_stripe.resource import Resource
from fake_stripe.resources import payment_methods
from fake_stripe.storage.objects import Body

SETUP_INTENT = Resource(stripe.SetupIntent, "seti", frozenset({"deleted"}))
# Cards that can be saved although charging them fails.
_SAVED_ALL_THE_SAME = ("chargeCustomerFail",)
_NEXT_ACTION_TYPES = frozenset(annotations_of(stripe.SetupIntent.NextAction)) - {"type"}
# Session mode -> what follows once the card is saved.
ON_SET_UP: dict[str, Callable[[Account, Body, Body], None]] = {}


def make(account: Account, customer: str | None, **values: Any) -> Body:
    """Keep a new setup intent. `_session` names the Checkout Session that it belongs to."""
    intent = SETUP_INTENT.new(
        account,
        customer=customer,
        payment_method_types=["card"],
        **{"metadata": {}, "status": "requires_payment_method", "usage": "off_session", **values},
    )
    intent["client_secret"] = ids.make(f"{intent['id']}_secret", 25)
    return account.add(intent, "setup_intent.created")


def confirm(account: Account, intent: Body, method: Body, return_url: str | None = None) -> Decline | None:
    """Try to save the card. Returns why the bank refused, or None if it is saved or the bank asks the payer."""
    if intent["status"] in ("succeeded", "canceled"):
        message = f"You cannot confirm this SetupIntent because it has a status of {intent['status']}."
        raise errors.StripeError(message, code="setup_intent_unexpected_state")
    payment_methods.refuse_gone(method, intent["customer"])
    behaviour = payment_methods.behaviour(method)
    intent["payment_method"] = method["id"]
    if behaviour.decline and behaviour.name not in _SAVED_ALL_THE_SAME:
        return _fail(account, intent, method, behaviour.decline)
    if behaviour.authentication:
        redirect = {"return_url": return_url, "url": f"{account.public_url}/authenticate/{intent['id']}"}
        intent["next_action"] = build(
            stripe.SetupIntent.NextAction, _NEXT_ACTION_TYPES, type="redirect_to_url", redirect_to_url=redirect
        )
        intent["status"] = "requires_action"
        account.save(intent)
        account.emit("setup_intent.requires_action", intent)
        return None
    _succeed(account, intent, method)
    return None


def authenticate(account: Account, intent: Body, passed: bool) -> Decline | None:
    """The payer's answer to 3-D Secure."""
    if intent["status"] != "requires_action":
        raise errors.StripeError("This SetupIntent asks for nothing.", code="setup_intent_unexpected_state")
    method = account.get(intent["payment_method"], "payment_method")
    if not passed:
        return _fail(account, intent, method, cards.AUTHENTICATION_FAILED)
    _succeed(account, intent, method)
    return None


def _succeed(account: Account, intent: Body, method: Body) -> None:
    intent.update(status="succeeded", next_action=None, last_setup_error=None)
    account.save(intent)
    method["_set_up"] = True
    account.save(method)
    if intent["customer"]:
        payment_methods.attach(account, method, intent["customer"])
    account.emit("setup_intent.succeeded", intent)
    session = account.find(intent.get("_session"), checkout.KIND)
    if session is not None and session["status"] == "open":
        ON_SET_UP[session["mode"]](account, session, method)


def _fail(account: Account, intent: Body, method: Body, decline: Decline) -> Decline:
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_setup_error=build(
            stripe.SetupIntent.LastSetupError,
            frozenset({"payment_intent", "setup_intent", "source"}),
            code=decline.code.replace("payment_intent_", "setup_intent_"),
            decline_code=decline.reason,
            message=decline.message,
            payment_method=method,
            type="card_error",
        ),
    )
    account.save(intent)
    account.emit("setup_intent.setup_failed", intent)
    return decline


def confirm_for(account: Account, session: Body, method: Body, customer: str) -> Decline | None:
    """Save a card for a session; its intent is kept from one attempt to the next."""
    intent = account.find(session.get("_intent"), SETUP_INTENT.kind)
    if intent is None:
        data = session["_data"] if session["mode"] == "setup" else {}
        intent = make(account, customer, metadata=data.get("metadata", {}), _session=session["id"])
        session["_intent"] = intent["id"]
        if session["mode"] == "setup":
            session["setup_intent"] = intent["id"]
        account.save(session)
    return confirm(account, intent, method, session["success_url"])


def _save_card(account: Account, session: Body, payer: Payer) -> Decline | None:
    customer = session["customer"]
    session["customer_details"] = checkout.details(account, session, payer)
    account.save(session)
    return confirm_for(account, session, checkout.method_of(account, session, payer), customer)


checkout.PAY["setup"] = _save_card
ON_SET_UP["setup"] = lambda account, session, method: checkout.complete(account, session)
