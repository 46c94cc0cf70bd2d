"""Invoices made by hand."""

import pytest
import stripe

from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.answers import check


def test_items_wait_for_the_invoice_that_takes_them_up(account: TestAccount) -> None:
    customer = account.customer(
        payment_method="pm_card_visa", invoice_settings={"default_payment_method": "pm_card_visa"}
    )
    item = {"customer": customer.id, "amount": 2000, "currency": "usd", "description": "Setup"}
    made = check(account.v1.invoice_items.create(item))
    empty = check(account.v1.invoices.create({"customer": customer.id}))
    assert (empty.total, account.v1.invoice_items.retrieve(made.id).invoice) == (0, None)
    invoice = account.v1.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})
    assert (check(invoice).status, invoice.total, invoice.lines.data[0].description) == ("draft", 2000, "Setup")
    assert account.v1.invoice_items.retrieve(made.id).invoice == invoice.id
    paid = check(account.v1.invoices.pay(invoice.id))
    assert (paid.status, paid.amount_paid, paid.parent) == ("paid", 2000, None)


def test_a_declined_card_leaves_it_open(account: TestAccount) -> None:
    customer = account.customer()
    account.v1.invoice_items.create({"customer": customer.id, "amount": 2000, "currency": "usd"})
    invoice = account.v1.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})
    with pytest.raises(stripe.CardError):
        account.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_chargeDeclined"})
    assert account.v1.invoices.retrieve(invoice.id).status == "open"
    assert account.event_types()[-1] == "invoice.payment_failed"


def test_a_line_is_put_on_a_draft(account: TestAccount) -> None:
    customer, price = account.customer(), account.price(1400)
    draft = check(account.v1.invoices.create({"customer": customer.id, "currency": "usd"}))
    item = {"customer": customer.id, "invoice": draft.id, "pricing": {"price": price.id}, "quantity": 2}
    assert check(account.v1.invoice_items.create(item)).invoice == draft.id
    opened = check(account.v1.invoices.finalize_invoice(draft.id, {"auto_advance": False}))
    assert (opened.status, opened.total, opened.amount_due) == ("open", 2800, 2800)
    with pytest.raises(stripe.InvalidRequestError, match="already finalized"):
        account.v1.invoice_items.create(item)
    paid = check(account.v1.invoices.pay(draft.id, {"payment_method": "pm_card_visa", "off_session": True}))
    assert (paid.status, paid.lines.data[0].quantity) == ("paid", 2)


def test_a_card_that_wants_its_owner_leaves_it_open(account: TestAccount) -> None:
    customer, price = account.customer(), account.price(1400)
    draft = account.v1.invoices.create({"customer": customer.id, "currency": "usd"})
    account.v1.invoice_items.create({"customer": customer.id, "invoice": draft.id, "pricing": {"price": price.id}})
    account.v1.invoices.finalize_invoice(draft.id)
    card = account.v1.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer.id})
    with pytest.raises(stripe.CardError):
        account.v1.invoices.pay(draft.id, {"payment_method": card.id, "off_session": True})
    found = check(account.v1.invoices.retrieve(draft.id, {"expand": ["payments.data.payment.payment_intent"]}))
    assert (found.status, found.payments.data[0].payment.payment_intent.status) == ("open", "requires_action")
