"""Invoices and their payments over the API, and previews of invoices to come."""

from fake_stripe import changes, errors
from fake_stripe.account import Account
from fake_stripe.billing import invoices
from fake_stripe.billing.invoices import INVOICE, INVOICE_PAYMENT
from fake_stripe.billing.prorations import INVOICE_ITEM
from fake_stripe.contract.parameters import Parameters
from fake_stripe.expansion import includable
from fake_stripe.payments import intents
from fake_stripe.resource import Listing, Request, bury, envelope, listing, operation, retrieve, slice_page
from fake_stripe.resources import payment_methods
from fake_stripe.storage.objects import Body


@operation("invoices.pay")
def pay(account: Account, request: Request) -> Body:
    """Collect an open invoice now. Raises StripeError (402) if the card is declined."""
    parameters = request.parameters
    invoice = account.get(request.ids[0], INVOICE.kind)
    parameters.get("off_session")
    if invoice["status"] == "draft":
        invoice = invoices.finalize(account, invoice)
    if invoice["status"] == "paid":
        return invoice
    if parameters.get("paid_out_of_band"):
        return _paid_elsewhere(account, invoice)
    method = _method(account, invoice, parameters.get("payment_method"))
    decline = invoices.pay(account, invoice, method)
    if decline:
        raise intents.card_error(account.get(invoice["_intent"], "payment_intent"), decline)
    intent = account.get(invoice["_intent"], "payment_intent")
    if intent["status"] == "requires_action":
        raise errors.StripeError(
            "The payment needs the customer to authenticate.",
            code="invoice_payment_intent_requires_action",
            kind="card_error",
            status=402,
            keeps_effects=True,
        )
    return account.get(invoice["id"], INVOICE.kind)


def _paid_elsewhere(account: Account, invoice: Body) -> Body:
    if invoice["status"] not in ("open", "uncollectible"):
        raise errors.StripeError(f"Invoice is {invoice['status']}.", code="invoice_not_editable")
    intent = account.find(invoice.get("_intent"), "payment_intent")
    if intent and intent["status"] in intents.CONFIRMABLE:
        intents.cancel(account, intent, "requested_by_customer")
    invoice["amount_paid_off_stripe"] = invoice["amount_due"]
    invoices.mark_paid(account, invoice)
    return account.change(invoice, None, amount_paid=invoice["amount_due"])


def _method(account: Account, invoice: Body, chosen: str | None) -> Body:
    if chosen and chosen.startswith(payment_methods.BY_NAME_PREFIX):
        return payment_methods.resolve(account, chosen)
    if chosen:
        return payment_methods.of_customer(account, chosen, invoice["customer"], "payment_method")
    subscription = account.find(invoice.get("_subscription"), "subscription") or {}
    customer = account.get(invoice["customer"], "customer")
    default = invoice["default_payment_method"] or subscription.get("default_payment_method")
    default = default or customer["invoice_settings"]["default_payment_method"]
    if not default:
        raise errors.StripeError("There is no default payment method to pay with.", code="resource_missing")
    return account.get(default, "payment_method")


@operation("invoices.finalize_invoice")
def finalize(account: Account, request: Request) -> Body:
    """Open a draft now."""
    request.parameters.get("auto_advance")
    return invoices.finalize(account, account.get(request.ids[0], INVOICE.kind))


@operation("invoices.void_invoice")
def void(account: Account, request: Request) -> Body:
    """Nobody owes it any more."""
    return invoices.void(account, account.get(request.ids[0], INVOICE.kind))


@operation("invoices.mark_uncollectible")
def mark_uncollectible(account: Account, request: Request) -> Body:
    """Nobody expects it to be paid."""
    return invoices.mark_uncollectible(account, account.get(request.ids[0], INVOICE.kind))


@operation("invoices.delete")
def delete(account: Account, request: Request) -> Body:
    """Only a draft that belongs to no subscription; what is finalized is voided instead."""
    body = account.get(request.ids[0], INVOICE.kind)
    if body["status"] != "draft" or body["_subscription"]:
        raise errors.StripeError("You can only delete draft invoices that are not for subscriptions.")
    for item in account.all(INVOICE_ITEM.kind, invoice=body["id"]):
        bury(account, item, "invoiceitem.deleted")
    return bury(account, body, "invoice.deleted")


@operation("invoices.update")
def update(account: Account, request: Request) -> Body:
    """Notes and metadata."""
    parameters = request.parameters
    body = account.get(request.ids[0], INVOICE.kind)
    wanted = changes.given(parameters, ("description", "footer", "auto_advance"))
    wanted["metadata"] = changes.metadata(parameters, body["metadata"])
    return account.change(body, "invoice.updated", **wanted)


@operation("invoices.line_items.list")
def line_items(account: Account, request: Request) -> Body:
    """All lines of an invoice."""
    return slice_page(request, account.get(request.ids[0], INVOICE.kind)["lines"]["data"])


@includable(INVOICE.kind, "payments")
def included_payments(account: Account, invoice: Body) -> Body:
    """The payments of an invoice."""
    return envelope("/v1/invoice_payments", account.all(INVOICE_PAYMENT.kind, invoice=invoice["id"]))


@includable(INVOICE.kind, "confirmation_secret")
def confirmation_secret(account: Account, invoice: Body) -> Body | None:
    """What a page of one's own would confirm the payment with."""
    intent = account.find(account.get(invoice["id"], INVOICE.kind).get("_intent"), "payment_intent")
    return {"client_secret": intent["client_secret"], "type": "payment_intent"} if intent else None


def _of_intent(body: Body, wanted: Parameters) -> bool:
    wanted.get("type")
    return body["payment"]["payment_intent"] == wanted.get("payment_intent")


retrieve("invoices.retrieve", INVOICE)
listing("invoices.list", Listing(INVOICE, members={"subscription": "_subscription"}))
retrieve("invoice_payments.retrieve", INVOICE_PAYMENT)
listing("invoice_payments.list", Listing(INVOICE_PAYMENT, tests={"payment": _of_intent}))
