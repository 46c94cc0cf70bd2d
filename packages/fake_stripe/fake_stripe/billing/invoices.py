"""The life of an invoice: draft, open, paid, void or uncollectible, and the payments that meet it."""

from collections.abc import Callable

import stripe

from fake_stripe import errors
from fake_stripe.account import Account
from fake_stripe.billing import lines
from fake_stripe.billing.lines import Draft
from fake_stripe.contract.shapes import build
from fake_stripe.payments import intents
from fake_stripe.payments.cards import Decline
from fake_stripe.resource import Resource
from fake_stripe.storage.objects import Body

INVOICE = Resource(stripe.Invoice, "in", frozenset({"deleted", "payments", "confirmation_secret"}))
INVOICE_PAYMENT = Resource(stripe.InvoicePayment, "inpay")
# An invoice of a running subscription stays a draft for this long, so that it can still be changed.
DRAFT_SECONDS = 3600
# Called when an invoice was paid, failed to be paid, or waits for the payer or the bank; filled by subscriptions.
ON_PAID: list[Callable[[Account, Body], None]] = []
ON_FAILED: list[Callable[[Account, Body], None]] = []
ON_PROCESSING: list[Callable[[Account, Body], None]] = []
ON_GIVEN_UP: list[Callable[[Account, Body], None]] = []


def make(
    account: Account,
    customer: Body,
    drafts: list[Draft],
    reason: str,
    *,
    currency: str,
    subscription: Body | None = None,
    coupon: Body | None = None,
    discount: str | None = None,
    kept: bool = True,
    **values: object,
) -> Body:
    """A draft invoice with these lines. With `kept` false it is only a preview, and nothing is written."""
    taken, sums = lines.totals(drafts, coupon, discount)
    now = account.now(customer["test_clock"])
    invoice = INVOICE.new(
        account,
        customer["test_clock"],
        account_country="US",
        account_name="Sandbox",
        attempt_count=0,
        billing_reason=reason,
        collection_method="charge_automatically",
        currency=currency,
        customer=customer["id"],
        customer_address=customer["address"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        customer_phone=customer["phone"],
        customer_shipping=customer["shipping"],
        customer_tax_exempt=customer["tax_exempt"],
        customer_tax_ids=[],
        issuer={"type": "self", "account": None},
        lines={},
        parent=_parent(subscription),
        status="draft",
        test_clock=customer["test_clock"],
        total_pretax_credit_amounts=[],
        total_taxes=[],
        _subscription=subscription["id"] if subscription else None,
        **{**_no_money(), "auto_advance": True, "metadata": {}, **sums, **_period(drafts, now), **values},
    )
    data = [lines.write(draft, invoice["id"], off, discount) for draft, off in zip(drafts, taken, strict=True)]
    invoice["lines"] = {"object": "list", "data": data, "has_more": False, "url": f"/v1/invoices/{invoice['id']}/lines"}
    settle_amounts(invoice, customer)
    return account.add(invoice, "invoice.created") if kept else invoice


def _no_money() -> Body:
    names = ("amount_due", "amount_overpaid", "amount_paid", "amount_remaining", "amount_shipping")
    notes = ("post_payment_credit_notes_amount", "pre_payment_credit_notes_amount", "starting_balance")
    return {**dict.fromkeys((*names, *notes), 0), "amount_paid_off_stripe": 0}


def _period(drafts: list[Draft], now: int) -> Body:
    return {
        "period_start": min((draft.start for draft in drafts), default=now),
        "period_end": max((draft.end for draft in drafts), default=now),
    }


def _parent(subscription: Body | None) -> Body | None:
    if subscription is None:
        return None
    details = {
        "metadata": dict(subscription["metadata"]),
        "subscription": subscription["id"],
        "subscription_proration_date": None,
    }
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


def settle_amounts(invoice: Body, customer: Body) -> None:
    """The customer's balance (minus: credit) is set against the total."""
    balance, total = customer["balance"], invoice["total"]
    due = max(0, total + min(0, balance)) if total > 0 else 0
    invoice.update(starting_balance=balance, amount_due=due, amount_remaining=due - invoice["amount_paid"])


def _ending_balance(balance: int, total: int) -> int:
    """The customer's balance afterwards: a negative total adds credit, a positive one uses what credit there is."""
    if total < 0:
        return balance + total
    return min(0, balance + total) if balance < 0 else balance


def finalize(account: Account, invoice: Body) -> Body:
    """Give it its number and open it; an invoice over nothing is paid at once. Raises StripeError unless a draft."""
    if invoice["status"] != "draft":
        raise errors.StripeError("This invoice is already finalized.", code="invoice_not_editable")
    customer = account.get(invoice["customer"], "customer")
    settle_amounts(invoice, customer)
    ending = _ending_balance(customer["balance"], invoice["total"])
    if ending != customer["balance"]:
        account.change(customer, "customer.updated", balance=ending)
    _open(account, invoice, customer)
    if invoice["amount_due"] == 0:
        mark_paid(account, invoice)
    else:
        _request_payment(account, invoice)
    return invoice


def _open(account: Account, invoice: Body, customer: Body) -> None:
    """Number it and tell of it."""
    sequence = customer["next_invoice_sequence"]
    now = account.now(invoice["test_clock"])
    account.unschedule(invoice, "finalize_invoice")
    account.change(customer, None, next_invoice_sequence=sequence + 1)
    invoice.update(
        status="open",
        number=f"{customer['invoice_prefix']}-{sequence:04d}",
        ending_balance=customer["balance"],
        effective_at=now,
        automatically_finalizes_at=None,
        hosted_invoice_url=f"{account.public_url}/invoices/{invoice['id']}",
        invoice_pdf=f"{account.public_url}/invoices/{invoice['id']}",
        status_transitions={**invoice["status_transitions"], "finalized_at": now},
    )
    account.save(invoice)
    account.emit("invoice.finalized", invoice)


def _request_payment(account: Account, invoice: Body) -> None:
    intent = intents.make(
        account,
        invoice["amount_due"],
        invoice["currency"],
        invoice["test_clock"],
        customer=invoice["customer"],
        description=f"Payment for Invoice {invoice['number']}",
        setup_future_usage="off_session" if invoice["billing_reason"] == "subscription_create" else None,
        _owner=invoice["id"],
    )
    _link(account, invoice, intent)


def _link(account: Account, invoice: Body, intent: Body) -> None:
    """Ask for the invoice's money through this intent."""
    payment = INVOICE_PAYMENT.new(
        account,
        invoice["test_clock"],
        amount_paid=None,
        amount_requested=invoice["amount_due"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment=build(
            stripe.InvoicePayment.Payment,
            frozenset({"charge", "payment_record"}),
            type="payment_intent",
            payment_intent=intent["id"],
        ),
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )
    account.add(payment)
    invoice["_intent"] = intent["id"]
    account.save(invoice)


def settle_with(account: Account, invoice: Body, intent: Body) -> None:
    """Open an invoice that a succeeded intent has paid already."""
    _open(account, invoice, account.get(invoice["customer"], "customer"))
    _link(account, invoice, intent)
    mark_paid(account, invoice, intent["amount_received"])


def payment_of(account: Account, invoice: Body) -> Body | None:
    """The payment that is asked for, or was made."""
    return next(iter(account.all(INVOICE_PAYMENT.kind, invoice=invoice["id"])), None)


def pay(account: Account, invoice: Body, method: Body, payer_present: bool = False) -> Decline | None:
    """Try to collect. Raises StripeError unless the invoice is open (or uncollectible).

    A bank that asks for the payer is a failed attempt unless the payer is there.
    """
    if invoice["status"] not in ("open", "uncollectible"):
        raise errors.StripeError(f"Invoice is {invoice['status']}.", code="invoice_not_editable")
    intent = account.get(invoice["_intent"], "payment_intent")
    account.change(invoice, None, attempted=True, attempt_count=invoice["attempt_count"] + 1)
    decline = intents.confirm(account, intent, method)
    if intent["status"] == "requires_action" and not payer_present:
        for follow_up in ON_FAILED:
            follow_up(account, invoice)
        account.emit("invoice.payment_action_required", invoice)
        account.emit("invoice.payment_failed", invoice)
    return decline


def mark_paid(account: Account, invoice: Body, amount: int = 0) -> None:
    """Paid by `amount` minor units of money, the rest by balance or because nothing is due."""
    now = account.now(invoice["test_clock"])
    account.unschedule(invoice)
    invoice.update(
        status="paid",
        amount_paid=amount,
        amount_remaining=0,
        attempted=True,
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], "paid_at": now},
    )
    account.save(invoice)
    payment = payment_of(account, invoice)
    if payment and amount:
        transitions = {**payment["status_transitions"], "paid_at": now}
        account.change(payment, None, status="paid", amount_paid=amount, status_transitions=transitions)
        account.emit("invoice_payment.paid", payment)
    account.emit("invoice.paid", invoice)
    account.emit("invoice.payment_succeeded", invoice)
    for follow_up in ON_PAID:
        follow_up(account, invoice)


def _intent_changed(account: Account, invoice: Body, intent: Body) -> None:
    """An invoice hears how its payment went."""
    if intent["status"] == "succeeded":
        mark_paid(account, invoice, intent["amount_received"])
        return
    for follow_up in ON_FAILED:
        follow_up(account, invoice)
    account.emit("invoice.payment_failed", invoice)


def _intent_processing(account: Account, invoice: Body) -> None:
    for follow_up in ON_PROCESSING:
        follow_up(account, invoice)


intents.OWNERS[INVOICE.kind] = _intent_changed
intents.PROCESSING[INVOICE.kind] = _intent_processing


def void(account: Account, invoice: Body) -> Body:
    """As if it had never been asked for. Raises StripeError for one that is paid."""
    return _give_up(account, invoice, "void", "voided_at", "invoice.voided")


def mark_uncollectible(account: Account, invoice: Body) -> Body:
    """Nobody expects the money any more, but it may still be paid."""
    return _give_up(account, invoice, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")


def _give_up(account: Account, invoice: Body, status: str, when: str, event: str) -> Body:
    if invoice["status"] not in ("open", "uncollectible"):
        raise errors.StripeError(f"You can only do this to open invoices; this one is {invoice['status']}.")
    account.unschedule(invoice)
    transitions = {**invoice["status_transitions"], when: account.now(invoice["test_clock"])}
    account.change(invoice, None, status=status, status_transitions=transitions, next_payment_attempt=None)
    intent = account.find(invoice.get("_intent"), "payment_intent")
    if status == "void" and intent and intent["status"] in intents.CONFIRMABLE:
        intents.cancel(account, intent, "void_invoice")
    account.emit(event, invoice)
    for follow_up in ON_GIVEN_UP:
        follow_up(account, invoice)
    return invoice
