"""Promotion codes: words that a customer types to get a coupon."""

import secrets
import string
import time

import stripe

from fake_stripe import changes, errors
from fake_stripe.account import Account
from fake_stripe.contract.parameters import Parameters
from fake_stripe.contract.shapes import build
from fake_stripe.payments import checkout
from fake_stripe.resource import Listing, Request, Resource, listing, operation, retrieve
from fake_stripe.resources import checkout_sessions, coupons
from fake_stripe.storage.objects import Body

PROMOTION_CODE = Resource(stripe.PromotionCode, "promo", frozenset({"deleted"}))
_CODE_ALPHABET = string.ascii_uppercase + string.digits
_CODE_LENGTH = 8


@operation("promotion_codes.create")
def create(account: Account, request: Request) -> Body:
    """A code for a coupon; codes are unique among the active ones, whatever the case of their letters."""
    parameters = request.parameters
    promotion = parameters.group("promotion")
    promotion.get("type")
    coupon = account.get(promotion.get("coupon") or "", "coupon", "promotion[coupon]")
    code = parameters.get("code") or "".join(secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_LENGTH))
    if find(account, code):
        raise errors.invalid("code", f"An active promotion code with code {code} already exists.")
    customer = parameters.get("customer")
    if customer:
        account.get(customer, "customer", "customer")
    restrictions = changes.given(
        parameters.group("restrictions"), ("first_time_transaction", "minimum_amount", "minimum_amount_currency")
    )
    body = PROMOTION_CODE.new(
        account,
        active=parameters.get("active", True),
        code=code,
        customer=customer,
        expires_at=parameters.get("expires_at"),
        max_redemptions=parameters.get("max_redemptions"),
        metadata=changes.metadata(parameters),
        promotion={"coupon": coupon["id"], "type": "coupon"},
        restrictions=build(stripe.PromotionCode.Restrictions, frozenset({"currency_options"}), **restrictions),
        times_redeemed=0,
    )
    return account.add(body, "promotion_code.created")


def find(account: Account, code: str) -> Body | None:
    """The active code of these letters."""
    wanted = code.strip().casefold()
    return next(
        (body for body in account.all("promotion_code", active=True) if body["code"].casefold() == wanted), None
    )


@operation("promotion_codes.update")
def update(account: Account, request: Request) -> Body:
    """Whether it works, and metadata."""
    parameters = request.parameters
    body = account.get(request.ids[0], PROMOTION_CODE.kind)
    wanted = changes.given(parameters, ("active",))
    wanted["metadata"] = changes.metadata(parameters, body["metadata"])
    return account.change(body, "promotion_code.updated", **wanted)


retrieve("promotion_codes.retrieve", PROMOTION_CODE)
listing(
    "promotion_codes.list",
    Listing(
        PROMOTION_CODE,
        members={"coupon": "promotion.coupon"},
        tests={"code": lambda body, wanted: body["code"].casefold() == wanted.casefold()},
    ),
)


def resolve(account: Account, sent: Parameters, currency: str) -> tuple[Body, Body | None]:
    """The coupon, and the promotion code if one led to it, of one entry of `discounts`. Raises StripeError."""
    if "promotion_code" in sent:
        code = account.get(sent["promotion_code"], PROMOTION_CODE.kind, sent.path("promotion_code"))
        if not code["active"]:
            raise errors.invalid(sent.path("promotion_code"), "This promotion code is not active.")
        coupon = account.get(code["promotion"]["coupon"], "coupon", sent.path("promotion_code"))
    elif "coupon" in sent:
        code, coupon = None, account.get(sent["coupon"], "coupon", sent.path("coupon"))
    else:
        raise errors.missing_parameter(sent.path("coupon"))
    coupons.refuse_unusable(coupon, currency, sent.path("promotion_code" if code else "coupon"))
    return coupon, code


def _redeem_on_page(account: Account, session: Body, text: str) -> None:
    """What the payer typed; a code that is not good is refused with a sentence."""
    code = find(account, text)
    problem = errors.StripeError("This code is not valid.", code="promotion_code_invalid", param="promotion_code")
    if not session["allow_promotion_codes"] or code is None:
        raise problem
    restrictions = code["restrictions"]
    previous = session["customer"] and account.all("charge", customer=session["customer"], status="succeeded")
    if (
        (code["expires_at"] is not None and code["expires_at"] < time.time())
        or code["customer"] not in (None, session["customer"])
        or (restrictions["first_time_transaction"] and (previous or not session["customer"]))
        or (restrictions["minimum_amount"] or 0) > session["amount_subtotal"]
    ):
        raise problem
    coupon = account.get(code["promotion"]["coupon"], "coupon")
    coupons.refuse_unusable(coupon, session["currency"], "promotion_code")
    apply(session, coupon, code)


def apply(session: Body, coupon: Body, code: Body | None) -> None:
    """Give a session its discount."""
    session["_coupon"] = coupon
    session["_promotion_code"] = code["id"] if code else None
    session["discounts"] = [{"coupon": None if code else coupon["id"], "promotion_code": code["id"] if code else None}]


def _prepare(account: Account, session: Body, parameters: Parameters) -> None:
    sent = parameters.get("discounts") or []
    if len(sent) > 1:
        raise errors.invalid("discounts", "A session takes one discount.")
    for entry in sent:
        apply(session, *resolve(account, entry, session["currency"]))


def _count(account: Account, session: Body) -> None:
    """A completed payment has used its coupon; subscriptions count theirs themselves."""
    if session["_coupon"] and session["mode"] == "payment":
        coupon = account.find(session["_coupon"]["id"], "coupon")
        code = account.find(session.get("_promotion_code"), PROMOTION_CODE.kind)
        if coupon:
            coupons.redeem(account, coupon, code)


checkout.REDEEM.append(_redeem_on_page)
checkout_sessions.PREPARE.append(_prepare)
checkout.AFTER_COMPLETION.append(_count)
