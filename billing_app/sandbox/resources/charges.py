"""Charges over the API: read, annotate."""

from billing_app.sandbox import changes
from billing_app.sandbox.account import Account
from billing_app.sandbox.payments.charges import CHARGE
from billing_app.sandbox.resource import Listing, Request, listing, operation, retrieve
from billing_app.sandbox.storage.objects import Body

retrieve("charges.retrieve", CHARGE)
listing("charges.list", Listing(CHARGE))


@operation("charges.update")
def update(account: Account, request: Request) -> Body:
    """Description, receipt and metadata."""
    parameters = request.parameters
    body = account.get(request.ids[0], CHARGE.kind)
    wanted = changes.given(parameters, ("description", "receipt_email"))
    wanted["metadata"] = changes.metadata(parameters, body["metadata"])
    return account.change(body, "charge.updated", **wanted)
