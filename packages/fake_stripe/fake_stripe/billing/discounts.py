"""Discounts on subscriptions: a coupon tied to one of them, for once, some months or ever."""

import stripe

from fake_stripe import errors
from fake_stripe.account import Account
from fake_stripe.billing import periods
from fake_stripe.contract.parameters import Parameters
from fake_stripe.resource import Resource
from fake_stripe.resources import coupons, promotion_codes
from fake_stripe.storage.objects import Body

DISCOUNT = Resource(stripe.Discount, "di")


def attach(account: Account, subscription: Body, coupon: Body, code: Body | None, now: int) -> None:
    """Give a subscription its discount, in place of another."""
    end = None
    if coupon["duration"] == "repeating":
        end = periods.add(now, "month", coupon["duration_in_months"])
    discount = DISCOUNT.new(
        account,
        customer=subscription["customer"],
        end=end,
        promotion_code=code["id"] if code else None,
        source={"coupon": coupon["id"], "type": "coupon"},
        start=now,
        subscription=subscription["id"],
    )
    account.add(discount)
    subscription["discounts"] = [discount["id"]]
    coupons.redeem(account, coupon, code)
    account.emit("customer.discount.created", discount)


def from_parameters(account: Account, parameters: Parameters, currency: str) -> tuple[Body, Body | None] | None:
    """The coupon and code that `discounts` asks for. Raises StripeError for more than one."""
    sent = parameters.get("discounts") or []
    if len(sent) > 1:
        raise errors.unsupported("discounts[1]")
    return promotion_codes.resolve(account, sent[0], currency) if sent else None


def coupon_of(account: Account, subscription: Body, now: int) -> tuple[Body | None, str | None]:
    """The coupon that holds at `now`, and the id of its discount."""
    for identifier in subscription["discounts"]:
        discount = account.get(identifier, "discount")
        if discount["end"] is None or now < discount["end"]:
            return account.find(discount["source"]["coupon"], "coupon"), identifier
    return None, None


def use_up(account: Account, subscription: Body) -> None:
    """A coupon that is good for one invoice is gone after it."""
    for identifier in list(subscription["discounts"]):
        discount = account.get(identifier, "discount")
        coupon = account.find(discount["source"]["coupon"], "coupon")
        if coupon and coupon["duration"] == "once":
            subscription["discounts"] = []
            account.save(subscription)
            account.emit("customer.discount.deleted", discount)
