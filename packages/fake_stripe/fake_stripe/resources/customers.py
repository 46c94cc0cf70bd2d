"""Customers: who pays."""

from collections.abc import Callable
from typing import Any

import stripe

from fake_stripe import changes
from fake_stripe.account import Account
from fake_stripe.contract.parameters import Parameters
from fake_stripe.errors import StripeError
from fake_stripe.ids import make
from fake_stripe.resource import Listing, Request, Resource, bury, listing, operation, retrieve
from fake_stripe.resources import payment_methods
from fake_stripe.storage.objects import Body

CUSTOMER = Resource(
    stripe.Customer,
    "cus",
    frozenset(
        {"deleted", "sources", "subscriptions", "tax", "tax_ids", "cash_balance", "invoice_credit_balance"}
        | {"customer_account", "business_name", "individual_name"}
    ),
    length=14,
)
_PLAIN = (
    "address",
    "balance",
    "business_name",
    "description",
    "email",
    "individual_name",
    "invoice_prefix",
    "name",
    "next_invoice_sequence",
    "phone",
    "preferred_locales",
    "shipping",
    "tax_exempt",
)
_PARTS = {
    "address": ("city", "country", "line1", "line2", "postal_code", "state"),
    "shipping": ("address", "carrier", "name", "phone", "tracking_number"),
}


@operation("customers.create")
def create(account: Account, request: Request) -> Body:
    """A customer, in real time or attached to a test clock."""
    parameters = request.parameters
    clock = parameters.get("test_clock")
    if clock:
        account.get(clock, "test_helpers.test_clock", "test_clock")
    body = new(account, clock, **_members(parameters))
    body["metadata"] = changes.metadata(parameters)
    account.add(body, "customer.created")
    if "payment_method" in parameters:
        payment_methods.attach(account, payment_methods.resolve(account, parameters["payment_method"]), body["id"])
    _set_default(account, body, parameters)
    return body


def new(account: Account, clock: str | None = None, **values: Any) -> Body:
    """A customer, not yet kept."""
    defaults = {
        "balance": 0,
        "delinquent": False,
        "invoice_prefix": make("X", 8)[2:].upper(),
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
        "test_clock": clock,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
    }
    return CUSTOMER.new(account, clock, **{**defaults, **values})


def _members(parameters: Parameters) -> Body:
    wanted = changes.given(parameters, _PLAIN)
    for name, parts in _PARTS.items():
        if wanted.get(name):
            wanted[name] = {**dict.fromkeys(parts), **wanted[name]}
    if "tax_exempt" in wanted:
        wanted["tax_exempt"] = wanted["tax_exempt"] or "none"
    return wanted


def _set_default(account: Account, body: Body, parameters: Parameters) -> None:
    if "invoice_settings" not in parameters:
        return
    settings = dict(body["invoice_settings"])
    sent = parameters.group("invoice_settings")
    settings.update(changes.given(sent, ("custom_fields", "footer", "default_payment_method")))
    chosen = settings["default_payment_method"]
    if chosen:
        found = payment_methods.attached(account, chosen, body["id"]) or payment_methods.resolve(account, chosen)
        if found["customer"] != body["id"]:
            raise StripeError(
                f"The payment method {chosen} is not attached to this customer.",
                code="resource_missing",
                param="invoice_settings[default_payment_method]",
            )
        settings["default_payment_method"] = found["id"]
    account.change(body, "customer.updated", invoice_settings=settings)


@operation("customers.update")
def update(account: Account, request: Request) -> Body:
    """Change members; metadata is merged."""
    parameters = request.parameters
    body = account.get(request.ids[0], CUSTOMER.kind)
    wanted = _members(parameters)
    wanted["metadata"] = changes.metadata(parameters, body["metadata"])
    account.change(body, "customer.updated", **wanted)
    _set_default(account, body, parameters)
    return body


@operation("customers.delete")
def delete(account: Account, request: Request) -> Body:
    """For good; subscriptions end at once."""
    return remove(account, account.get(request.ids[0], CUSTOMER.kind))


def remove(account: Account, body: Body) -> Body:
    """Delete a customer with what hangs on it."""
    for ending in ON_DELETE:
        ending(account, body)
    for method in account.all("payment_method", customer=body["id"]):
        payment_methods.let_go(account, method)
    return bury(account, body, "customer.deleted")


# What else must happen when a customer goes; filled by the modules that own it.
ON_DELETE: list[Callable[[Account, Body], None]] = []

retrieve("customers.retrieve", CUSTOMER)
listing("customers.list", Listing(CUSTOMER))
