"""What a change in the middle of a period costs: credit for the unused old, charge for the rest with the new."""

from typing import Any

import stripe

from fake_stripe import errors
from fake_stripe.account import Account
from fake_stripe.billing import discounts, lines
from fake_stripe.billing.lines import Draft
from fake_stripe.contract.shapes import build
from fake_stripe.payments import baskets
from fake_stripe.payments import discounts as shares
from fake_stripe.resource import Resource
from fake_stripe.storage.objects import Body

INVOICE_ITEM = Resource(stripe.InvoiceItem, "ii", frozenset({"deleted"}))


def drafts(account: Account, subscription: Body, old: list[Body], new: list[Body], at: int) -> list[Draft]:
    """One credit per item that changed or went, one charge per item that changed or came; `at` in seconds.

    Raises StripeError if `at` lies outside the running period.
    """
    start, end = old[0]["current_period_start"], old[0]["current_period_end"]
    if not start <= at <= end:
        raise errors.invalid("proration_date", "proration_date must lie in the running period.")
    before = {item["id"]: item for item in old}
    after = {item["id"]: item for item in new}
    coupon, _ = discounts.coupon_of(account, subscription, at)
    found = []
    for identifier in dict.fromkeys([*before, *after]):
        was, becomes = before.get(identifier), after.get(identifier)
        if was and becomes and (was["price"]["id"], was["quantity"]) == (becomes["price"]["id"], becomes["quantity"]):
            continue
        if was:
            found.append(_part(account, was, coupon, at, (start, end), -1))
        if becomes:
            found.append(_part(account, becomes, coupon, at, (start, end), 1))
    return found


def unused(account: Account, subscription: Body, items: list[Body], at: int) -> list[Draft]:
    """Credit for what is left of the period."""
    start, end = items[0]["current_period_start"], items[0]["current_period_end"]
    coupon, _ = discounts.coupon_of(account, subscription, at)
    return [_part(account, item, coupon, at, (start, end), -1) for item in items if end > start]


def _part(account: Account, item: Body, coupon: Body | None, at: int, period: tuple[int, int], sign: int) -> Draft:
    start, end = period
    price, quantity = item["price"], item["quantity"]
    product = account.get(price["product"], "product")
    full = baskets.amount_of(price, quantity)
    full -= shares.split(coupon, [full], [price["product"]])[0]
    words = "Unused time on" if sign < 0 else "Remaining time on"
    return Draft(
        price,
        quantity,
        sign * lines.portion(full, end - at, end - start),
        f"{words} {quantity} × {product['name']}",
        at,
        end,
        item["metadata"],
        item["subscription"],
        item["id"],
        proration=True,
    )


def keep_pending(account: Account, subscription: Body, found: list[Draft]) -> None:
    """Put prorations on the customer's next invoice of this subscription."""
    for draft in found:
        if draft.amount == 0:
            continue
        item = INVOICE_ITEM.new(
            account,
            amount=draft.amount,
            currency=subscription["currency"],
            customer=subscription["customer"],
            date=draft.start,
            description=draft.description,
            discountable=False,
            discounts=[],
            metadata=draft.metadata,
            net_amount=draft.amount,
            parent=_parent(draft),
            period={"start": draft.start, "end": draft.end},
            pricing=pricing(draft),
            proration=True,
            proration_details=build(stripe.InvoiceItem.ProrationDetails),
            quantity=draft.quantity,
            quantity_decimal=str(draft.quantity),
            tax_rates=[],
            test_clock=subscription["test_clock"],
            _draft={**vars(draft)},
            _subscription=subscription["id"],
        )
        account.add(item, "invoiceitem.created")


def _parent(draft: Draft) -> dict[str, Any]:
    details = {"subscription": draft.subscription, "subscription_item": draft.item}
    return {"type": "subscription_details", "subscription_details": details}


def pricing(draft: Draft) -> dict[str, Any]:
    """The price of a line, as invoice items show it."""
    price = draft.price
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def pending(account: Account, subscription: Body) -> list[Draft]:
    """Prorations that wait for an invoice, oldest first."""
    waiting = account.all(INVOICE_ITEM.kind, _subscription=subscription["id"], invoice=None)
    return [Draft(**{**item["_draft"], "invoice_item": item["id"]}) for item in reversed(waiting)]


def take(account: Account, found: list[Draft], invoice: Body) -> None:
    """What was pending is on `invoice` now."""
    for draft in found:
        item = account.find(draft.invoice_item, INVOICE_ITEM.kind)
        if item:
            account.change(item, None, invoice=invoice["id"])
