"""The life of a payment intent: confirmed, authenticated, processing, succeeded or failed."""

from collections.abc import Callable
from typing import Any

import stripe

from fake_stripe import ids
from fake_stripe.account import Account
from fake_stripe.contract.shapes import annotations_of, build
from fake_stripe.errors import StripeError
from fake_stripe.payments import cards, charges
from fake_stripe.payments.cards import Decline
from fake_stripe.resource import Resource
from fake_stripe.resources import payment_methods
from fake_stripe.storage.objects import Body
from fake_stripe.timers import action

INTENT = Resource(stripe.PaymentIntent, "pi", frozenset({"deleted"}))
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
# How long a bank account's debit is under way; real ones take days.
SETTLEMENT_SECONDS = 3
_METHOD_TYPES = ["card", "us_bank_account"]
_NEXT_ACTION_TYPES = frozenset(annotations_of(stripe.PaymentIntent.NextAction)) - {"type"}
# Kind of the object that an intent pays for -> what it does when the intent has succeeded or failed.
OWNERS: dict[str, Callable[[Account, Body, Body], None]] = {}
# Kind of the object that an intent pays for -> what it does when the payer is done but the money still under way.
PROCESSING: dict[str, Callable[[Account, Body], None]] = {}


def make(account: Account, amount: int, currency: str, clock: str | None = None, **values: Any) -> Body:
    """Keep a new intent over `amount` minor units. `_owner` names the session or invoice that it pays."""
    intent = INTENT.new(
        account,
        clock,
        amount=amount,
        amount_capturable=0,
        amount_received=0,
        automatic_payment_methods={"allow_redirects": "always", "enabled": True},
        capture_method="automatic_async",
        confirmation_method="automatic",
        currency=currency,
        payment_method_types=_METHOD_TYPES,
        _clock=clock,
        **{"status": "requires_payment_method", **values},
    )
    intent["client_secret"] = ids.make(f"{intent['id']}_secret", 25)
    return account.add(intent, "payment_intent.created")


def confirm(
    account: Account, intent: Body, method: Body, off_session: bool = False, return_url: str | None = None
) -> Decline | None:
    """Try to take the money. Returns why it was declined, or None if it succeeded, is under way or needs the payer."""
    if intent["status"] not in CONFIRMABLE:
        raise unexpected_state(intent, "confirm")
    payment_methods.refuse_gone(method, intent["customer"])
    behaviour = payment_methods.behaviour(method)
    intent["payment_method"] = method["id"]
    wants_payer = behaviour.authentication == "always" or (
        behaviour.authentication == "once" and not method.get("_set_up")
    )
    if wants_payer and off_session:
        return _fail(account, intent, method, cards.AUTHENTICATION_REQUIRED, charged=True)
    if wants_payer:
        _ask_payer(account, intent, return_url)
        return None
    return _charge(account, intent, method, behaviour)


def authenticate(account: Account, intent: Body, passed: bool) -> Decline | None:
    """The payer's answer to 3-D Secure."""
    if intent["status"] != "requires_action":
        raise unexpected_state(intent, "authenticate")
    method = account.get(intent["payment_method"], "payment_method")
    if not passed:
        return _fail(account, intent, method, cards.AUTHENTICATION_FAILED, charged=False)
    if intent["setup_future_usage"]:
        method["_set_up"] = True
        account.save(method)
    return _charge(account, intent, method, payment_methods.behaviour(method))


def cancel(account: Account, intent: Body, reason: str | None) -> Body:
    """Give up an intent that has not been paid."""
    if intent["status"] not in CONFIRMABLE:
        raise unexpected_state(intent, "cancel")
    return account.change(
        intent,
        "payment_intent.canceled",
        status="canceled",
        canceled_at=account.now(intent["_clock"]),
        cancellation_reason=reason,
        next_action=None,
    )


def unexpected_state(intent: Body, verb: str) -> StripeError:
    """The intent is not in a state in which that can be done."""
    return StripeError(
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )


def card_error(intent: Body, decline: Decline) -> StripeError:
    """The 402 that tells of a decline; what was attempted stays recorded."""
    return StripeError(
        decline.message,
        code=decline.code,
        kind="card_error",
        status=402,
        keeps_effects=True,
        decline_code=decline.reason,
        charge=intent["latest_charge"],
        payment_intent=intent,
        payment_method=(intent["last_payment_error"] or {}).get("payment_method"),
    )


def _ask_payer(account: Account, intent: Body, return_url: str | None) -> None:
    redirect = {"return_url": return_url, "url": f"{account.public_url}/authenticate/{intent['id']}"}
    intent["next_action"] = build(
        stripe.PaymentIntent.NextAction, _NEXT_ACTION_TYPES, type="redirect_to_url", redirect_to_url=redirect
    )
    intent["status"] = "requires_action"
    account.save(intent)
    account.emit("payment_intent.requires_action", intent)


def _charge(account: Account, intent: Body, method: Body, behaviour: cards.Behaviour) -> Decline | None:
    if behaviour.asynchronous:
        charge = charges.make(account, intent, method, "pending", None, intent["_clock"])
        intent.update(status="processing", latest_charge=charge["id"], next_action=None)
        account.save(intent)
        account.emit("payment_intent.processing", intent)
        due = account.now(intent["_clock"]) + SETTLEMENT_SECONDS
        account.schedule(due, "settle_payment", intent, intent["_clock"])
        owner = account.find(intent.get("_owner"))
        if owner is not None and owner["object"] in PROCESSING:
            PROCESSING[owner["object"]](account, owner)
        return None
    if behaviour.decline:
        return _fail(account, intent, method, behaviour.decline, charged=True)
    charge = charges.make(account, intent, method, "succeeded", None, intent["_clock"])
    _succeed(account, intent, method, charge)
    return None


def _succeed(account: Account, intent: Body, method: Body, charge: Body) -> None:
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        last_payment_error=None,
        next_action=None,
    )
    account.save(intent)
    account.emit("payment_intent.succeeded", intent)
    if intent["setup_future_usage"] and intent["customer"]:
        method["_set_up"] = True
        account.save(method)
        payment_methods.attach(account, method, intent["customer"])
    _tell_owner(account, intent)
    for follow_up in AFTER_SUCCESS:
        follow_up(account, charge, method)


# What some test cards bring after a success, such as a dispute; filled by the modules that own it.
AFTER_SUCCESS: list[Callable[[Account, Body, Body], None]] = []


def _fail(account: Account, intent: Body, method: Body, decline: Decline, charged: bool) -> Decline:
    charge = charges.make(account, intent, method, "failed", decline, intent["_clock"]) if charged else None
    return _failed(account, intent, method, decline, charge["id"] if charge else None)


def _failed(account: Account, intent: Body, method: Body, decline: Decline, charge: str | None) -> Decline:
    intent.update(
        status="requires_payment_method",
        latest_charge=charge or intent["latest_charge"],
        payment_method=None,
        next_action=None,
        last_payment_error=build(
            stripe.PaymentIntent.LastPaymentError,
            frozenset({"payment_intent", "setup_intent", "source"}),
            charge=charge,
            code=decline.code,
            decline_code=decline.reason,
            message=decline.message,
            payment_method=method,
            type="card_error" if charge else "invalid_request_error",
        ),
    )
    account.save(intent)
    account.emit("payment_intent.payment_failed", intent)
    _tell_owner(account, intent)
    return decline


def _tell_owner(account: Account, intent: Body) -> None:
    owner = account.find(intent.get("_owner"))
    if owner is not None:
        OWNERS[owner["object"]](account, owner, intent)


@action("settle_payment")
def settle(account: Account, identifier: str) -> None:
    """The bank's answer to a debit that was under way."""
    intent = account.find(identifier, INTENT.kind)
    if intent is None or intent["status"] != "processing":
        return
    account.unschedule(intent, "settle_payment")
    method = account.get(intent["payment_method"], "payment_method")
    decline = payment_methods.behaviour(method).decline
    charge = charges.settle(account, account.get(intent["latest_charge"], "charge"), decline)
    if decline:
        _failed(account, intent, method, decline, charge["id"])
    else:
        _succeed(account, intent, method, charge)
