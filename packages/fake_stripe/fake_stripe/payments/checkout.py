"""What happens to a Checkout Session: paid, declined, authenticated, completed, expired."""

from collections.abc import Callable
from dataclasses import dataclass, field

import stripe

from fake_stripe.account import Account
from fake_stripe.contract.shapes import build
from fake_stripe.errors import StripeError
from fake_stripe.payments import baskets, intents
from fake_stripe.payments.cards import Decline
from fake_stripe.resources import customers, payment_methods
from fake_stripe.storage.objects import Body
from fake_stripe.timers import action

KIND = "checkout.session"
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


@dataclass(frozen=True)
class Payer:
    """What the payer filled in; `number` is a card's or a bank account's. `quantities` go by line item id."""

    number: str
    name: str | None = None
    email: str | None = None
    expiry: tuple[int, int] = payment_methods.DEFAULT_EXPIRY
    country: str | None = None
    quantities: dict[str, int] = field(default_factory=dict)


# Session mode -> how it is paid; each returns a decline, or None if the payment succeeded or is under way.
PAY: dict[str, Callable[[Account, Body, Payer], Decline | None]] = {}


def pay(account: Account, session: Body, payer: Payer) -> Decline | None:
    """Pay an open session. Raises StripeError if it is not open or the payer's entries cannot be used."""
    if session["status"] != "open":
        raise StripeError(f"This Checkout Session is {session['status']}.", code="checkout_session_not_open")
    if session["customer"]:
        account.get(session["customer"], "customer", "customer")
    adjust(account, session, payer.quantities)
    account.save(session)
    return PAY[session["mode"]](account, session, payer)


def adjust(account: Account, session: Body, quantities: dict[str, int]) -> None:
    """Set the quantities that the payer may choose, and add up anew."""
    for line in session["_lines"]:
        wanted = quantities.get(line["id"], line["quantity"])
        bounds = line["adjustable_quantity"]
        if wanted == line["quantity"]:
            continue
        if bounds is None or not bounds["minimum"] <= wanted <= bounds["maximum"]:
            raise StripeError("This quantity is not on offer.", param="quantity")
        line["quantity"] = wanted
    total(account, session)


# How a promotion code is applied to an open session; set by the module that owns promotion codes.
REDEEM: list[Callable[[Account, Body, str], None]] = []


def redeem(account: Account, session: Body, code: str) -> None:
    """Apply the promotion code that a payer typed, and add up anew. Raises StripeError for one that is not good."""
    if session["status"] != "open":
        raise StripeError(f"This Checkout Session is {session['status']}.", code="checkout_session_not_open")
    REDEEM[0](account, session, code)
    total(account, session)
    account.save(session)


# Session mode -> what each line costs today, where that is not simply its price.
DUE: dict[str, Callable[[Account, Body], list[int]]] = {}


def total(account: Account, session: Body) -> None:
    """Add up the session's lines."""
    due = DUE[session["mode"]](account, session) if session["mode"] in DUE else None
    session.update(baskets.add_up(session["_lines"], session["_coupon"], due))


def method_of(account: Account, session: Body, payer: Payer) -> Body:
    """The payment method that the payer described."""
    return payment_methods.make(
        account, payer.number, payer.expiry, name=payer.name, email=payer.email or session["customer_email"]
    )


def customer_of(account: Account, session: Body, payer: Payer, needed: bool) -> str | None:
    """The session's customer, made now if one is `needed` and there is none."""
    if session["customer"] or not needed:
        return session["customer"]
    email = payer.email or session["customer_email"]
    customer = account.add(customers.new(account, email=email, name=payer.name), "customer.created")
    session["customer"] = customer["id"]
    return customer["id"]


def _pay_once(account: Account, session: Body, payer: Payer) -> Decline | None:
    data = session["_data"]
    invoiced = (session["invoice_creation"] or {}).get("enabled", False)
    needed = session["customer_creation"] == "always" or bool(data.get("setup_future_usage")) or invoiced
    customer = customer_of(account, session, payer, needed)
    session["customer_details"] = details(account, session, payer)
    if session["amount_total"] == 0:
        session["payment_status"] = "no_payment_required"
        complete(account, session)
        return None
    method = method_of(account, session, payer)
    intent = account.find(session["payment_intent"])
    if intent is None:
        intent = _intent(account, session, customer)
        session["payment_intent"] = intent["id"]
    elif intent["amount"] != session["amount_total"]:
        account.change(intent, None, amount=session["amount_total"])
    account.save(session)
    return intents.confirm(account, intent, method, return_url=session["success_url"])


PAY["payment"] = _pay_once


def _intent(account: Account, session: Body, customer: str | None) -> Body:
    data = session["_data"]
    return intents.make(
        account,
        session["amount_total"],
        session["currency"],
        session["_clock"],
        customer=customer,
        description=data.get("description"),
        metadata=data.get("metadata", {}),
        receipt_email=data.get("receipt_email"),
        setup_future_usage=data.get("setup_future_usage"),
        statement_descriptor_suffix=data.get("statement_descriptor_suffix"),
        _owner=session["id"],
    )


def details(account: Account, session: Body, payer: Payer) -> Body:
    """`customer_details`: what is known of who paid."""
    customer = account.find(session["customer"], "customer") or {}
    return build(
        stripe.checkout.Session.CustomerDetails,
        address={**dict.fromkeys(_ADDRESS), "country": payer.country or "US"},
        email=customer.get("email") or payer.email or session["customer_email"],
        name=payer.name or customer.get("name"),
        tax_exempt="none",
        tax_ids=[],
    )


def _intent_changed(account: Account, session: Body, intent: Body) -> None:
    """A session hears how its payment went."""
    if intent["status"] == "succeeded":
        session["payment_status"] = "paid"
        for follow_up in AFTER_PAYMENT:
            follow_up(account, session, intent)
    if intent["status"] == "succeeded" and session["status"] == "open":
        complete(account, session)
    elif intent["status"] == "succeeded":
        account.save(session)
        account.emit("checkout.session.async_payment_succeeded", session)
    elif session["status"] == "complete":
        account.emit("checkout.session.async_payment_failed", session)


intents.OWNERS[KIND] = _intent_changed


def under_way(account: Account, session: Body) -> None:
    """The payer is done, the money is not here yet: an asynchronous method."""
    if session["status"] == "open":
        complete(account, session)


intents.PROCESSING[KIND] = under_way


def complete(account: Account, session: Body) -> None:
    """The payer's part is over; webhooks hear of it."""
    session.update(status="complete", url=None)
    account.unschedule(session, "expire_session")
    account.save(session)
    for follow_up in AFTER_COMPLETION:
        follow_up(account, session)
    account.emit("checkout.session.completed", session)


# What a payment brings, such as an invoice; filled by the modules that own it.
AFTER_PAYMENT: list[Callable[[Account, Body, Body], None]] = []
# What else a completed session brings, such as its invoice; filled by the modules that own it.
AFTER_COMPLETION: list[Callable[[Account, Body], None]] = []


@action("expire_session")
def expire(account: Account, identifier: str) -> None:
    """Nobody paid in time; an intent that was tried is given up."""
    session = account.find(identifier, KIND)
    if session is None or session["status"] != "open":
        return
    account.unschedule(session)
    intent = account.find(session["payment_intent"])
    if intent and intent["status"] in intents.CONFIRMABLE:
        intents.cancel(account, intent, "abandoned")
    session.update(status="expired", url=None)
    account.save(session)
    account.emit("checkout.session.expired", session)


def intent_of(session: Body) -> str | None:
    """The intent that pays a session or saves its card, directly or through its first invoice."""
    return session["payment_intent"] or session["setup_intent"] or session.get("_intent")


def success_address(session: Body) -> str:
    """Where the payer goes afterwards."""
    return (session["success_url"] or "").replace("{CHECKOUT_SESSION_ID}", session["id"])
