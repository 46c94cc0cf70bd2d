"""The invoice that a Checkout Session in payment mode leaves behind when it was asked to: paid from the start."""

from fake_stripe.account import Account
from fake_stripe.billing import invoices, lines
from fake_stripe.billing.lines import Draft
from fake_stripe.payments import checkout
from fake_stripe.storage.objects import Body


def _draft(account: Account, line: Body, now: int) -> Draft:
    product = account.get(line["price"]["product"], "product")
    words = lines.describe(line["price"], line["quantity"], product)
    return Draft(line["price"], line["quantity"], line["amount_subtotal"], words, now, now, line["metadata"])


def _invoice(account: Account, session: Body, intent: Body) -> None:
    creation = session["invoice_creation"] or {}
    if session["mode"] != "payment" or not creation.get("enabled"):
        return
    customer = account.get(session["customer"], "customer")
    now = account.now(customer["test_clock"])
    data = creation["invoice_data"]
    invoice = invoices.make(
        account,
        {**customer, "balance": 0},
        [_draft(account, line, now) for line in session["_lines"]],
        "manual",
        currency=session["currency"],
        coupon=session["_coupon"],
        discount=session["_coupon"] and session["_coupon"]["id"],
        auto_advance=False,
        description=data["description"],
        footer=data["footer"],
        metadata=data["metadata"] or {},
    )
    invoices.settle_with(account, invoice, intent)
    session["invoice"] = invoice["id"]


checkout.AFTER_PAYMENT.append(_invoice)
