"""Coupons: what is taken off, by percent or by amount."""

import time

import stripe

from fake_stripe import changes, errors, ids
from fake_stripe.account import Account
from fake_stripe.contract.parameters import Parameters
from fake_stripe.expansion import includable
from fake_stripe.resource import Listing, Request, Resource, delete, listing, operation, retrieve
from fake_stripe.resources import prices
from fake_stripe.storage.objects import Body

COUPON = Resource(stripe.Coupon, "co", frozenset({"deleted", "applies_to", "currency_options"}))


@operation("coupons.create")
def create(account: Account, request: Request) -> Body:
    """Exactly one of `percent_off` (above 0, at most 100) and `amount_off` (minor units)."""
    parameters = request.parameters
    identifier = parameters.get("id")
    if identifier and account.find(identifier):
        raise errors.invalid("id", f"Coupon already exists: {identifier}", "resource_already_exists")
    duration = parameters.get("duration", "once")
    months = parameters.get("duration_in_months")
    if (duration == "repeating") != (months is not None):
        raise errors.invalid("duration_in_months", "duration_in_months goes with duration=repeating, and only with it.")
    body = COUPON.new(
        account,
        id=identifier or ids.make("", 8)[1:],
        duration=duration,
        duration_in_months=months,
        max_redemptions=parameters.get("max_redemptions"),
        metadata=changes.metadata(parameters),
        name=parameters.get("name"),
        redeem_by=parameters.get("redeem_by"),
        times_redeemed=0,
        valid=True,
        _products=_products(account, parameters),
        **_value(parameters),
    )
    return account.add(body, "coupon.created")


def _value(parameters: Parameters) -> Body:
    percent, amount = parameters.get("percent_off"), parameters.get("amount_off")
    if (percent is None) == (amount is None):
        raise errors.missing_parameter("percent_off")
    if percent is not None and not 0 < percent <= 100:
        raise errors.invalid("percent_off", "percent_off must be above 0 and at most 100.")
    if amount is not None and (amount < 1 or "currency" not in parameters):
        raise errors.missing_parameter("currency" if amount >= 1 else "amount_off")
    currency = prices.currency(parameters) if amount is not None else None
    return {"percent_off": percent, "amount_off": amount, "currency": currency}


def _products(account: Account, parameters: Parameters) -> list[str] | None:
    products = parameters.group("applies_to").get("products")
    for identifier in products or []:
        account.get(identifier, "product", "applies_to[products]")
    return products


@includable(COUPON.kind, "applies_to")
def applies_to(account: Account, coupon: Body) -> Body | None:
    """The products it is good for, shown only when expanded."""
    products = account.get(coupon["id"], COUPON.kind)["_products"]
    return {"products": products} if products else None


def refuse_unusable(coupon: Body, currency: str, param: str) -> None:
    """Raises StripeError for a coupon that is used up, too late, or in another currency."""
    if coupon["max_redemptions"] is not None and coupon["times_redeemed"] >= coupon["max_redemptions"]:
        raise errors.invalid(param, f"Coupon {coupon['id']} is used up.", "coupon_expired")
    if coupon["redeem_by"] is not None and coupon["redeem_by"] < time.time():
        raise errors.invalid(param, f"Coupon {coupon['id']} is expired.", "coupon_expired")
    if coupon["currency"] not in (None, currency):
        raise errors.invalid(param, f"Coupon {coupon['id']} is for {coupon['currency']}, not {currency}.")


def redeem(account: Account, coupon: Body, promotion_code: Body | None) -> None:
    """Count one use."""
    used = coupon["times_redeemed"] + 1
    limit = coupon["max_redemptions"]
    account.change(coupon, "coupon.updated", times_redeemed=used, valid=limit is None or used < limit)
    if promotion_code:
        used = promotion_code["times_redeemed"] + 1
        limit = promotion_code["max_redemptions"]
        still = promotion_code["active"] and (limit is None or used < limit)
        account.change(promotion_code, "promotion_code.updated", times_redeemed=used, active=still)


@operation("coupons.update")
def update(account: Account, request: Request) -> Body:
    """Name and metadata; what it takes off never changes."""
    parameters = request.parameters
    body = account.get(request.ids[0], COUPON.kind)
    wanted = changes.given(parameters, ("name",))
    wanted["metadata"] = changes.metadata(parameters, body["metadata"])
    return account.change(body, "coupon.updated", **wanted)


retrieve("coupons.retrieve", COUPON)
delete("coupons.delete", COUPON, "coupon.deleted")
listing("coupons.list", Listing(COUPON))
