"""Invoice items: prorations that wait for, or are on, an invoice."""

from billing_app.sandbox.account import Account
from billing_app.sandbox.billing import draft_lines, invoices
from billing_app.sandbox.billing.prorations import INVOICE_ITEM
from billing_app.sandbox.contract.parameters import Parameters
from billing_app.sandbox.resource import Listing, Request, bury, listing, operation, retrieve
from billing_app.sandbox.storage.objects import Body


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
