"""Payment methods: a card or a bank account, loose or attached to a customer."""

from collections.abc import Callable
from typing import Any

import stripe

from fake_stripe import changes, errors
from fake_stripe.account import Account
from fake_stripe.contract.parameters import Parameters
from fake_stripe.contract.shapes import annotations_of, build
from fake_stripe.payments import cards
from fake_stripe.resource import Listing, Request, Resource, listing, operation, page, retrieve
from fake_stripe.storage.objects import Body

# The SDK's class has a field for every type of method; an answer shows only its own.
_TYPES = frozenset(annotations_of(stripe.PaymentMethod)) - {
    "allow_redisplay",
    "billing_details",
    "created",
    "customer",
    "id",
    "livemode",
    "metadata",
    "object",
    "type",
}
PAYMENT_METHOD = Resource(stripe.PaymentMethod, "pm", _TYPES | {"deleted"})
DEFAULT_EXPIRY = (12, 2034)
BY_NAME_PREFIX = "pm_card_"
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def make(account: Account, number: str, expiry: tuple[int, int] = DEFAULT_EXPIRY, **billing: Any) -> Body:
    """Keep a method for a card or bank account number. Raises StripeError (402) for what is not a number."""
    behaviour = cards.behaviour_of(number)
    if behaviour is None:
        raise _bad_number(number)
    kind = cards.BANK_ACCOUNT if behaviour.asynchronous else "card"
    details = _bank_account(number) if behaviour.asynchronous else _card(number, behaviour, expiry)
    body = PAYMENT_METHOD.new(
        account,
        allow_redisplay="unspecified",
        billing_details=build(stripe.PaymentMethod.BillingDetails, **{"address": dict.fromkeys(_ADDRESS), **billing}),
        metadata={},
        type=kind,
        _number=number,
        **{kind: details},
    )
    return account.add(body)


def _bad_number(number: str) -> errors.StripeError:
    if number.isdigit() and 12 <= len(number) <= 19 and cards.passes_check_digit(number):
        message, code = "Your card was declined: the fake Stripe takes Stripe's test cards only.", "card_declined"
    else:
        message, code = "Your card number is incorrect.", "incorrect_number"
    return errors.StripeError(message, code=code, param="number", kind="card_error", status=402)


def _card(number: str, behaviour: cards.Behaviour, expiry: tuple[int, int]) -> Body:
    return build(
        stripe.PaymentMethod.Card,
        brand=behaviour.brand,
        checks={"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        country="US",
        display_brand=behaviour.brand,
        exp_month=expiry[0],
        exp_year=expiry[1],
        fingerprint=f"fp{number[-8:]}{number[:4]}",
        funding="debit" if "debit" in behaviour.name else "credit",
        last4=number[-4:],
        networks={"available": [behaviour.brand], "preferred": None},
        three_d_secure_usage={"supported": True},
    )


def _bank_account(number: str) -> Body:
    return build(
        stripe.PaymentMethod.UsBankAccount,
        account_holder_type="company",
        account_type="checking",
        bank_name="STRIPE TEST BANK",
        last4=number[-4:],
        routing_number="110000000",
        networks={"preferred": "ach", "supported": ["ach"]},
    )


def resolve(account: Account, identifier: str, param: str = "payment_method") -> Body:
    """The method of this id; `pm_card_visa` and its kin are made on the spot."""
    number = cards.BY_NAME.get(identifier.removeprefix(BY_NAME_PREFIX))
    if identifier.startswith(BY_NAME_PREFIX) and number:
        return make(account, number)
    return account.get(identifier, PAYMENT_METHOD.kind, param)


def attached(account: Account, token: str, customer: str) -> Body | None:
    """The customer's method that was made from a test id such as `pm_card_visa`, if there is one."""
    number = cards.BY_NAME.get(token.removeprefix(BY_NAME_PREFIX))
    if not token.startswith(BY_NAME_PREFIX) or number is None:
        return None
    return next(iter(account.all(PAYMENT_METHOD.kind, customer=customer, _number=number)), None)


def attach(account: Account, body: Body, customer: str) -> Body:
    """Give a loose method to a customer. Raises StripeError if it is another's."""
    if body["customer"] == customer:
        return body
    if body["customer"]:
        raise errors.StripeError("The payment method you provided has already been attached to a customer.")
    if body.get("_detached"):
        raise errors.StripeError(
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
            "Customer, and may not be used again."
        )
    body["customer"] = customer
    account.save(body)
    account.emit("payment_method.attached", body)
    return body


def refuse_gone(body: Body, customer: str | None) -> None:
    """Raises StripeError for a method that cannot be charged for `customer`: detached from one, or another's."""
    if body.get("_detached"):
        raise errors.StripeError(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared "
            "with a connected account without Customer attachment, or was detached from a Customer. It may not be used "
            "again. To use a PaymentMethod multiple times, you must attach it to a Customer first."
        )
    if body["customer"] not in (None, customer):
        raise not_of(body["id"], "payment_method")


def not_of(identifier: str, param: str) -> errors.StripeError:
    """The customer has no such method."""
    return errors.StripeError(
        f"The customer does not have a payment method with the ID {identifier}. The payment method must be attached "
        "to the customer.",
        code="resource_missing",
        param=param,
    )


def of_customer(account: Account, identifier: str, customer: str, param: str) -> Body:
    """The method of this id, which has to be attached to the customer, to be its default for something."""
    found = attached(account, identifier, customer) or resolve(account, identifier, param)
    if found["customer"] != customer:
        raise not_of(identifier, param)
    return found


def behaviour(body: Body) -> cards.Behaviour:
    """What charging this method does."""
    return cards.behaviour_of(body["_number"]) or cards.CARDS["4242424242424242"]


@operation("payment_methods.create")
def create(account: Account, request: Request) -> Body:
    """From a test token (`tok_visa`) or a test number."""
    parameters = request.parameters
    if parameters.get("type") != "card":
        raise errors.invalid("type", "The fake Stripe makes payment methods of type card here.")
    card = parameters.group("card")
    if "token" in card:
        number = cards.BY_NAME.get(card["token"].removeprefix("tok_"), "")
    else:
        card.get("cvc")
        number = card.get("number", "")
    expiry = (card.get("exp_month", DEFAULT_EXPIRY[0]), card.get("exp_year", DEFAULT_EXPIRY[1]))
    body = make(account, number, expiry, **_billing(parameters))
    body["metadata"] = changes.metadata(parameters)
    body["allow_redisplay"] = parameters.get("allow_redisplay", "unspecified")
    return account.save(body)


def _billing(parameters: Parameters) -> Body:
    details = changes.given(parameters.group("billing_details"), ("address", "email", "name", "phone", "tax_id"))
    if details.get("address"):
        details["address"] = {**dict.fromkeys(_ADDRESS), **details["address"]}
    return details


@operation("payment_methods.update")
def update(account: Account, request: Request) -> Body:
    """Billing details, metadata and when to show it again."""
    parameters = request.parameters
    body = account.get(request.ids[0], PAYMENT_METHOD.kind)
    wanted = changes.given(parameters, ("allow_redisplay",))
    wanted["billing_details"] = {**body["billing_details"], **_billing(parameters)}
    wanted["metadata"] = changes.metadata(parameters, body["metadata"])
    return account.change(body, "payment_method.updated", **wanted)


@operation("payment_methods.attach")
def attach_operation(account: Account, request: Request) -> Body:
    """Attach to a customer."""
    customer = account.get(request.parameters.get("customer") or "", "customer", "customer")
    return attach(account, resolve(account, request.ids[0]), customer["id"])


@operation("payment_methods.detach")
def detach(account: Account, request: Request) -> Body:
    """Take from its customer; a default that named it names nothing."""
    body = account.get(request.ids[0], PAYMENT_METHOD.kind)
    if body["customer"] is None:
        raise errors.StripeError("The payment method you provided is not attached to a customer.")
    customer = account.find(body["customer"], "customer")
    if customer and customer["invoice_settings"]["default_payment_method"] == body["id"]:
        settings = {**customer["invoice_settings"], "default_payment_method": None}
        account.change(customer, "customer.updated", invoice_settings=settings)
    return let_go(account, body)


def let_go(account: Account, body: Body) -> Body:
    """Off its customer for good; whatever it was the default of has none."""
    for following in ON_DETACH:
        following(account, body)
    previous = {"customer": body["customer"]}
    body.update(customer=None, _detached=True)
    account.save(body)
    account.emit("payment_method.detached", body, previous)
    return body


# What else forgets a method that is detached; filled by the modules that own it.
ON_DETACH: list[Callable[[Account, Body], None]] = []
retrieve("payment_methods.retrieve", PAYMENT_METHOD)
listing("payment_methods.list", Listing(PAYMENT_METHOD, always=lambda body, _: body["customer"] is not None))


@operation("customers.payment_methods.list")
def list_of_customer(account: Account, request: Request) -> Body:
    """Those attached to one customer."""
    account.get(request.ids[0], "customer")
    return page(account, request, Listing(PAYMENT_METHOD), {"customer": request.ids[0]})


@operation("customers.payment_methods.retrieve")
def retrieve_of_customer(account: Account, request: Request) -> Body:
    """One attached to this customer."""
    body = account.get(request.ids[1], PAYMENT_METHOD.kind)
    if body["customer"] != request.ids[0]:
        raise errors.missing("payment_method", request.ids[1])
    return body
