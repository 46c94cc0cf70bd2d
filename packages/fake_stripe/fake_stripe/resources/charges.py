"""Charges over the API: read, annotate."""

from fake_stripe import changes
from fake_stripe.account import Account
from fake_stripe.payments.charges import CHARGE
from fake_stripe.resource import Listing, Request, listing, operation, retrieve
from fake_stripe.storage.objects import Body

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
