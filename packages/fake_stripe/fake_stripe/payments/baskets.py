"""The lines of a Checkout Session and what they add up to."""

from decimal import ROUND_HALF_UP, Decimal

import stripe

from fake_stripe import changes, errors, ids
from fake_stripe.account import Account
from fake_stripe.contract.parameters import Parameters
from fake_stripe.contract.shapes import build
from fake_stripe.payments import discounts
from fake_stripe.resources import prices
from fake_stripe.storage.objects import Body

MAX_LINES = 100
MAX_QUANTITY = 999_999
_ADJUSTABLE_MAXIMUM = 99


def lines_of(account: Account, sent: list[Parameters]) -> list[Body]:
    """Line items as described by a request. Raises StripeError, also for lines in different currencies."""
    if len(sent) > MAX_LINES:
        raise errors.invalid("line_items", f"At most {MAX_LINES} line items are allowed.")
    lines = [_line(account, item) for item in sent]
    if len({line["currency"] for line in lines}) > 1:
        raise errors.invalid("line_items", "All prices of a session must have the same currency.")
    return lines


def _line(account: Account, item: Parameters) -> Body:
    price = _price(account, item)
    if "quantity" not in item:
        raise errors.missing_parameter(item.path("quantity"))
    quantity = item["quantity"]
    if not 1 <= quantity <= MAX_QUANTITY:
        raise errors.invalid(item.path("quantity"), "Invalid quantity", "parameter_invalid_integer")
    adjustable = _adjustable(item.group("adjustable_quantity")) if "adjustable_quantity" in item else None
    product = account.get(price["product"], "product")
    return build(
        stripe.LineItem,
        frozenset({"taxes", "discounts"}),
        id=ids.make("li"),
        adjustable_quantity=adjustable,
        amount_discount=0,
        amount_subtotal=0,
        amount_tax=0,
        amount_total=0,
        currency=price["currency"],
        description=product["name"],
        metadata=changes.metadata(item),
        price=price,
        quantity=quantity,
    )


def _price(account: Account, item: Parameters) -> Body:
    if ("price" in item) == ("price_data" in item):
        raise errors.missing_parameter(item.path("price"))
    if "price" in item:
        return prices.sold(account, item["price"], item.path("price"))
    described = item.group("price_data")
    if "product" in described:
        product = account.get(described["product"], "product", described.path("product"))["id"]
    else:
        product = prices.product_of(account, described.group("product_data"))
    return prices.make(account, described, product, active=False)


def _adjustable(sent: Parameters) -> Body | None:
    if not sent["enabled"]:
        sent.plain()
        return None
    maximum, minimum = sent.get("maximum", _ADJUSTABLE_MAXIMUM), sent.get("minimum", 0)
    if not 0 <= minimum <= maximum <= MAX_QUANTITY:
        raise errors.invalid(sent.path("maximum"), "Invalid range of adjustable quantities.")
    return {"enabled": True, "maximum": maximum, "minimum": minimum}


def amount_of(price: Body, quantity: int) -> int:
    """What `quantity` units cost in minor units, rounded half up where a unit has fractions."""
    exact = Decimal(price["unit_amount_decimal"]) * quantity
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def add_up(lines: list[Body], coupon: Body | None, due: list[int] | None = None) -> Body:
    """Write each line's amounts and return the session's totals; `due` replaces the full price of each line."""
    subtotals = due if due is not None else [amount_of(line["price"], line["quantity"]) for line in lines]
    taken = discounts.split(coupon, subtotals, [line["price"]["product"] for line in lines])
    for line, subtotal, discount in zip(lines, subtotals, taken, strict=True):
        line.update(amount_subtotal=subtotal, amount_discount=discount, amount_total=subtotal - discount)
    details = {"amount_discount": sum(taken), "amount_shipping": 0, "amount_tax": 0}
    return {
        "amount_subtotal": sum(subtotals),
        "amount_total": sum(subtotals) - sum(taken),
        "total_details": build(stripe.checkout.Session.TotalDetails, frozenset({"breakdown"}), **details),
    }
