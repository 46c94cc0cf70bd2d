"""Invoices made by hand: items first, then the invoice that takes them up."""

from dataclasses import replace

import stripe

from fake_stripe import changes, errors
from fake_stripe.account import Account
from fake_stripe.billing import draft_lines, invoices, prorations
from fake_stripe.billing.lines import Draft
from fake_stripe.billing.prorations import INVOICE_ITEM
from fake_stripe.contract.parameters import Parameters
from fake_stripe.contract.shapes import build
from fake_stripe.payments import baskets
from fake_stripe.resource import Request, operation
from fake_stripe.resources import payment_methods, prices, products
from fake_stripe.storage.objects import Body


@operation("invoice_items.create")
def create_item(account: Account, request: Request) -> Body:
    """Something to pay for: an `amount`, or a price. On the draft `invoice`, else on the next one made by hand."""
    parameters = request.parameters
    invoice = account.get(parameters["invoice"], invoices.INVOICE.kind, "invoice") if "invoice" in parameters else None
    customer = account.get(parameters.get("customer") or "", "customer", "customer")
    now = account.now(customer["test_clock"])
    price, quantity = _price(account, parameters), parameters.get("quantity", 1)
    amount = parameters.get("amount")
    draft = Draft(
        price,
        quantity,
        amount if amount is not None else baskets.amount_of(price, quantity),
        parameters.get("description") or account.get(price["product"], "product")["name"],
        now,
        now,
        changes.metadata(parameters),
    )
    item = INVOICE_ITEM.new(
        account,
        customer["test_clock"],
        amount=draft.amount,
        currency=price["currency"],
        customer=customer["id"],
        date=now,
        description=draft.description,
        discountable=True,
        discounts=[],
        metadata=draft.metadata,
        net_amount=draft.amount,
        period={"start": now, "end": now},
        pricing=prorations.pricing(draft),
        proration_details=build(stripe.InvoiceItem.ProrationDetails),
        quantity=quantity,
        quantity_decimal=str(quantity),
        tax_rates=[],
        test_clock=customer["test_clock"],
        _draft={**vars(draft)},
        _subscription=None,
    )
    account.add(item, "invoiceitem.created")
    if invoice is not None:
        draft_lines.add_line(account, invoice, replace(draft, invoice_item=item["id"]))
        account.change(item, None, invoice=invoice["id"])
    return item


def _price(account: Account, parameters: Parameters) -> Body:
    """The price named or described; a bare amount gets one of its own, as at Stripe."""
    if "pricing" in parameters:
        return prices.sold(account, parameters.group("pricing").get("price") or "", "pricing[price]")
    if "price_data" in parameters:
        described = parameters.group("price_data")
        product = account.get(described["product"], "product", described.path("product"))["id"]
        return prices.make(account, described, product, active=False)
    if "amount" not in parameters or "currency" not in parameters:
        raise errors.missing_parameter("amount" if "amount" not in parameters else "currency")
    name = parameters.get("description") or "Invoice item"
    product = account.add(products.make(account, name=name, active=False, metadata={}))
    price = prices.PRICE.new(
        account,
        billing_scheme="per_unit",
        currency=prices.currency(parameters),
        product=product["id"],
        tax_behavior="unspecified",
        type="one_time",
        unit_amount=parameters["amount"],
        unit_amount_decimal=str(parameters["amount"]),
    )
    return account.add(price)


@operation("invoices.create")
def create_invoice(account: Account, request: Request) -> Body:
    """A draft; with `pending_invoice_items_behavior=include` it takes up what waits for the customer."""
    parameters = request.parameters
    customer = account.get(parameters.get("customer") or "", "customer", "customer")
    if parameters.get("collection_method", "charge_automatically") != "charge_automatically":
        raise errors.unsupported("collection_method")
    method = parameters.get("default_payment_method")
    if method:
        method = payment_methods.of_customer(account, method, customer["id"], "default_payment_method")["id"]
    waiting: list[Body] = []
    if parameters.get("pending_invoice_items_behavior", "exclude") == "include":
        found = account.all(INVOICE_ITEM.kind, customer=customer["id"], invoice=None)
        waiting = [item for item in reversed(found) if item["_subscription"] is None]
    drafts = [Draft(**{**item["_draft"], "invoice_item": item["id"]}) for item in waiting]
    currency = parameters.get("currency") or (waiting[0]["currency"] if waiting else "usd")
    if any(item["currency"] != currency for item in waiting):
        raise errors.invalid("currency", "The items of an invoice must have its currency.")
    invoice = invoices.make(
        account,
        customer,
        drafts,
        "manual",
        currency=currency,
        auto_advance=parameters.get("auto_advance", False),
        default_payment_method=method,
        description=parameters.get("description"),
        footer=parameters.get("footer"),
        metadata=changes.metadata(parameters),
    )
    prorations.take(account, drafts, invoice)
    return invoice
