"""Products: what is sold."""

from typing import Any

import stripe

from fake_stripe import changes
from fake_stripe.account import Account
from fake_stripe.errors import StripeError
from fake_stripe.resource import Listing, Request, Resource, bury, listing, operation, retrieve
from fake_stripe.resources import prices
from fake_stripe.storage.objects import Body

PRODUCT = Resource(stripe.Product, "prod", length=14)
_PLAIN = (
    "active",
    "description",
    "images",
    "marketing_features",
    "name",
    "package_dimensions",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "unit_label",
    "url",
)


@operation("products.create")
def create(account: Account, request: Request) -> Body:
    """A product, with a default price if one is described."""
    parameters = request.parameters
    identifier = parameters.get("id")
    if identifier and account.find(identifier):
        raise StripeError(f"Product already exists: {identifier}", code="resource_already_exists", param="id")
    body = make(account, identifier, type=parameters.get("type", "service"), **changes.given(parameters, _PLAIN))
    body["metadata"] = changes.metadata(parameters)
    account.add(body, "product.created")
    if "default_price_data" in parameters:
        price = prices.make(account, parameters.group("default_price_data"), body["id"])
        account.change(body, "product.updated", default_price=price["id"])
    return body


def make(account: Account, identifier: str | None = None, **values: Any) -> Body:
    """A product, not yet kept."""
    chosen = {"id": identifier} if identifier else {}
    return PRODUCT.new(account, **{"active": True, "type": "service", "updated": account.now(), **chosen, **values})


@operation("products.update")
def update(account: Account, request: Request) -> Body:
    """Change members; a default price must be one of this product."""
    parameters = request.parameters
    body = account.get(request.ids[0], PRODUCT.kind)
    wanted = changes.given(parameters, (*_PLAIN, "default_price"))
    if wanted.get("default_price"):
        account.get(wanted["default_price"], "price", "default_price")
    wanted["metadata"] = changes.metadata(parameters, body["metadata"])
    return account.change(body, "product.updated", updated=account.now(), **wanted)


@operation("products.delete")
def delete(account: Account, request: Request) -> Body:
    """Only a product without prices can go."""
    body = account.get(request.ids[0], PRODUCT.kind)
    if account.all("price", product=body["id"]):
        raise StripeError("This product cannot be deleted because it has one or more user-created prices.")
    return bury(account, body, "product.deleted")


retrieve("products.retrieve", PRODUCT)
listing(
    "products.list",
    Listing(PRODUCT, tests={"ids": lambda body, wanted: body["id"] in wanted}),
)
