"""Lines of a draft that is made by hand: put on it, and taken off again."""

from fake_stripe import errors
from fake_stripe.account import Account
from fake_stripe.billing import invoices, lines
from fake_stripe.billing.lines import Draft
from fake_stripe.storage.objects import Body


def add_line(account: Account, invoice: Body, draft: Draft) -> None:
    """One more line on a draft without discounts. Raises StripeError for one that is open already."""
    if invoice["status"] != "draft":
        raise errors.StripeError("This invoice is already finalized.", code="invoice_not_editable")
    if draft.price["currency"] != invoice["currency"]:
        raise errors.invalid("currency", "The items of an invoice must have its currency.")
    _set_lines(account, invoice, [*invoice["lines"]["data"], lines.write(draft, invoice["id"], 0, None)])


def remove_line(account: Account, invoice: Body, item: str) -> None:
    """Takes the line of an invoice item off a draft. Raises StripeError for one that is open already."""
    if invoice["status"] != "draft":
        raise errors.StripeError("This invoice is already finalized.", code="invoice_not_editable")
    _set_lines(account, invoice, [line for line in invoice["lines"]["data"] if _item_of(line) != item])


def _item_of(line: Body) -> str | None:
    return ((line["parent"] or {}).get("invoice_item_details") or {}).get("invoice_item")


def _set_lines(account: Account, invoice: Body, data: list[Body]) -> None:
    total = sum(line["amount"] for line in data)
    sums = ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax")
    invoice.update(dict.fromkeys(sums, total), lines={**invoice["lines"], "data": data})
    invoices.settle_amounts(invoice, account.get(invoice["customer"], "customer"))
    account.save(invoice)
    account.emit("invoice.updated", invoice)
