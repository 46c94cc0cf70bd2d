"""Invoice items: prorations that wait for, or are on, an invoice."""

from billing_app.sandbox.billing.prorations import INVOICE_ITEM
from billing_app.sandbox.contract.parameters import Parameters
from billing_app.sandbox.resource import Listing, listing, retrieve
from billing_app.sandbox.storage.objects import Body


def _visible(body: Body, parameters: Parameters) -> bool:
    pending = parameters.get("pending")
    return pending is None or (body["invoice"] is None) == pending


retrieve("invoice_items.retrieve", INVOICE_ITEM)
listing("invoice_items.list", Listing(INVOICE_ITEM, tests={"pending": lambda body, wanted: True}, always=_visible))
