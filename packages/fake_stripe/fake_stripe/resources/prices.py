"""Prices: what one unit of a product costs. Amounts in the currency's minor unit."""

from decimal import Decimal

import stripe

from fake_stripe import changes, errors
from fake_stripe.account import Account
from fake_stripe.contract.parameters import Parameters
from fake_stripe.contract.shapes import build
from fake_stripe.resource import Listing, Request, Resource, operation, page, retrieve
from fake_stripe.storage.objects import Body

PRICE = Resource(stripe.Price, "price", frozenset({"deleted", "tiers", "currency_options"}))
MAX_UNIT_AMOUNT = 99_999_999
MAX_LOOKUP_KEYS = 10
MAX_INTERVAL_COUNT = {"day": 1095, "week": 156, "month": 36, "year": 3}


@operation("prices.create")
def create(account: Account, request: Request) -> Body:
    """A price of an existing product, or of one described on the spot."""
    parameters = request.parameters
    if ("product" in parameters) == ("product_data" in parameters):
        raise errors.invalid("product", "Give exactly one of product and product_data.", "parameter_missing")
    if "product" in parameters:
        product = account.get(parameters["product"], "product", "product")["id"]
    else:
        product = product_of(account, parameters.group("product_data"))
    return make(account, parameters, product)


def product_of(account: Account, described: Parameters) -> str:
    """Keep the product that a request describes; its id."""
    from fake_stripe.resources import products  # products make default prices: the two know each other

    values = changes.given(described, ("name", "description", "images", "active", "unit_label", "tax_code"))
    body = products.make(account, described.get("id"), metadata=changes.metadata(described), **values)
    return account.add(body, "product.created")["id"]


def make(account: Account, parameters: Parameters, product: str, active: bool = True) -> Body:
    """Keep a price as described by `parameters` (those of a price, or any `price_data`)."""
    amount, decimal = _amounts(parameters)
    recurring = _recurring(parameters)
    body = PRICE.new(
        account,
        active=parameters.get("active", active),
        billing_scheme=parameters.get("billing_scheme", "per_unit"),
        currency=currency(parameters),
        metadata=changes.metadata(parameters),
        nickname=parameters.get("nickname"),
        product=product,
        recurring=recurring,
        tax_behavior=parameters.get("tax_behavior", "unspecified"),
        type="recurring" if recurring else "one_time",
        unit_amount=amount,
        unit_amount_decimal=decimal,
    )
    if "lookup_key" in parameters:
        body["lookup_key"] = _claim(account, parameters, None)
    return account.add(body, "price.created")


def currency(parameters: Parameters, name: str = "currency") -> str:
    """Three letters, in lower case. Raises StripeError for anything else."""
    code = parameters[name].lower()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise errors.invalid(parameters.path(name), f"Invalid currency: {code}")
    return code


def _amounts(parameters: Parameters) -> tuple[int | None, str]:
    if ("unit_amount" in parameters) == ("unit_amount_decimal" in parameters):
        raise errors.missing_parameter(parameters.path("unit_amount"))
    if "unit_amount" in parameters:
        exact = Decimal(parameters["unit_amount"])
    else:
        exact = Decimal(parameters["unit_amount_decimal"])
    if not 0 <= exact <= MAX_UNIT_AMOUNT:
        raise errors.invalid(
            parameters.path("unit_amount"),
            f"Invalid amount: must be from 0 to {MAX_UNIT_AMOUNT}",
            "parameter_invalid_integer",
        )
    whole = exact == exact.to_integral_value()
    return int(exact) if whole else None, str(int(exact)) if whole else format(exact.normalize(), "f")


def _recurring(parameters: Parameters) -> Body | None:
    if "recurring" not in parameters:
        return None
    wanted = parameters.group("recurring")
    interval, count = wanted["interval"], wanted.get("interval_count", 1)
    if not 1 <= count <= MAX_INTERVAL_COUNT[interval]:
        raise errors.invalid(wanted.path("interval_count"), "Prices recur at least every three years.")
    if wanted.get("usage_type", "licensed") != "licensed":
        raise errors.unsupported(wanted.path("usage_type"))
    return build(stripe.Price.Recurring, interval=interval, interval_count=count, usage_type="licensed")


def sold(account: Account, identifier: str, param: str) -> Body:
    """The price of this id, which something new is sold at. Raises StripeError if it, or its product, is archived."""
    price = account.get(identifier, PRICE.kind, param)
    if not price["active"]:
        raise errors.invalid(param, "The price specified is inactive. This field only accepts active prices.")
    if not account.get(price["product"], "product")["active"]:
        message = f"Price `{identifier}` is not available to be purchased because its product is not active."
        raise errors.invalid(param, message)
    return price


def _claim(account: Account, parameters: Parameters, own: str | None) -> str:
    """The lookup key asked for; from another price only with `transfer_lookup_key`."""
    key = parameters["lookup_key"]
    transfer = parameters.get("transfer_lookup_key", False)
    for holder in account.all("price", lookup_key=key):
        if holder["id"] == own:
            continue
        if not transfer:
            raise errors.invalid(
                "lookup_key", f"The price {holder['id']} already uses the lookup key {key}.", "resource_already_exists"
            )
        account.change(holder, "price.updated", lookup_key=None)
    return key


@operation("prices.update")
def update(account: Account, request: Request) -> Body:
    """Amount and interval never change: a changed price is a new one."""
    parameters = request.parameters
    body = account.get(request.ids[0], PRICE.kind)
    wanted = changes.given(parameters, ("active", "nickname", "tax_behavior"))
    if "lookup_key" in parameters:
        wanted["lookup_key"] = _claim(account, parameters, body["id"])
    wanted["metadata"] = changes.metadata(parameters, body["metadata"])
    return account.change(body, "price.updated", **wanted)


@operation("prices.list")
def list_prices(account: Account, request: Request) -> Body:
    """At most ten lookup keys at once, as at Stripe."""
    if len(request.parameters.get("lookup_keys", [])) > MAX_LOOKUP_KEYS:
        raise errors.invalid("lookup_keys", f"At most {MAX_LOOKUP_KEYS} lookup keys can be asked for at once.")
    return page(account, request, _LISTING, {})


_LISTING = Listing(PRICE, tests={"lookup_keys": lambda body, wanted: body["lookup_key"] in wanted})
retrieve("prices.retrieve", PRICE)
