"""Invoice lines: what one line says, and what a whole invoice adds up to. Amounts in minor units."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import stripe

from fake_stripe import ids
from fake_stripe.account import Account
from fake_stripe.contract.shapes import build
from fake_stripe.money import money
from fake_stripe.payments import baskets
from fake_stripe.payments import discounts as shares
from fake_stripe.storage.objects import Body


@dataclass(frozen=True)
class Draft:
    """One line before it is on an invoice; `start` and `end` in seconds since 1970."""

    price: Body
    quantity: int
    amount: int
    description: str
    start: int
    end: int
    metadata: dict[str, str]
    subscription: str | None = None
    item: str | None = None
    invoice_item: str | None = None
    proration: bool = False


def describe(price: Body, quantity: int, product: Body) -> str:
    """`2 × Pro (at $29.00 / month)`."""
    recurring = price["recurring"]
    rhythm = f" / {recurring['interval']}" if recurring else ""
    each = money(baskets.amount_of(price, 1), price["currency"])
    return f"{quantity} × {product['name']} (at {each}{rhythm})"


def whole(account: Account, item: Body, start: int, end: int) -> Draft:
    """A subscription item for a whole period."""
    price, quantity = item["price"], item["quantity"]
    product = account.get(price["product"], "product")
    return Draft(
        price,
        quantity,
        baskets.amount_of(price, quantity),
        describe(price, quantity, product),
        start,
        end,
        item["metadata"],
        item["subscription"],
        item["id"],
    )


def portion(amount: int, part_seconds: int, whole_seconds: int) -> int:
    """`amount` for a part of a period, rounded half away from zero."""
    exact = Decimal(amount) * part_seconds / whole_seconds
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def write(draft: Draft, invoice: str, taken: int, discount: str | None) -> Body:
    """The line as the API shows it; `taken` is what the discount takes off it."""
    proration_details = build(stripe.InvoiceLineItem.Parent.SubscriptionItemDetails.ProrationDetails)
    shared: dict[str, Any] = {
        "invoice_item": draft.invoice_item,
        "proration": draft.proration,
        "proration_details": proration_details,
        "subscription": draft.subscription,
    }
    if draft.item:
        details = {**shared, "subscription_item": draft.item}
        parent = {
            "type": "subscription_item_details",
            "subscription_item_details": details,
            "invoice_item_details": None,
        }
    else:
        details = {**shared, "invoice_item": draft.invoice_item or ids.make("ii")}
        parent = {"type": "invoice_item_details", "invoice_item_details": details, "subscription_item_details": None}
    price = draft.price
    return build(
        stripe.InvoiceLineItem,
        frozenset({"quantity_decimal"}),
        id=ids.make("il"),
        amount=draft.amount,
        currency=price["currency"],
        description=draft.description,
        discount_amounts=[{"amount": taken, "discount": discount}] if taken else [],
        discountable=not draft.proration,
        discounts=[discount] if taken else [],
        invoice=invoice,
        metadata=draft.metadata,
        parent=parent,
        period={"start": draft.start, "end": draft.end},
        pretax_credit_amounts=[],
        pricing={
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        quantity=draft.quantity,
        subscription=draft.subscription,
        subtotal=draft.amount,
        taxes=[],
    )


def totals(drafts: list[Draft], coupon: Body | None, discount: str | None) -> tuple[list[int], Body]:
    """What the discount takes off each line, and the invoice's sums. Prorations hold their discount already."""
    bases = [0 if draft.proration or draft.amount < 0 else draft.amount for draft in drafts]
    taken = shares.split(coupon, bases, [draft.price["product"] for draft in drafts])
    subtotal, off = sum(draft.amount for draft in drafts), sum(taken)
    sums = {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": subtotal - off,
        "total_excluding_tax": subtotal - off,
        "total_discount_amounts": [{"amount": off, "discount": discount}] if off else [],
        "discounts": [discount] if off else [],
    }
    return taken, sums
