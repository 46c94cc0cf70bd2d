"""Invoice items: prorations that wait for, or are on, an invoice."""

from fake_stripe.account import Account
from fake_stripe.billing import draft_lines, invoices
from fake_stripe.billing.prorations import INVOICE_ITEM
from fake_stripe.contract.parameters import Parameters
from fake_stripe.resource import Listing, Request, bury, listing, operation, retrieve
from fake_stripe.storage.objects import Body


def _visible(body: Body, parameters: Parameters) -> bool:
    pending = parameters.get("pending")
    return pending is None or (body["invoice"] is None) == pending


@operation("invoice_items.delete")
def delete(account: Account, request: Request) -> Body:
    """Takes it off the draft that it is on; what is on a finalized invoice stays."""
    body = account.get(request.ids[0], INVOICE_ITEM.kind)
    invoice = account.find(body["invoice"], invoices.INVOICE.kind)
    if invoice is not None:
        draft_lines.remove_line(account, invoice, body["id"])
    return bury(account, body, "invoiceitem.deleted")


retrieve("invoice_items.retrieve", INVOICE_ITEM)
listing("invoice_items.list", Listing(INVOICE_ITEM, tests={"pending": lambda body, wanted: True}, always=_visible))
