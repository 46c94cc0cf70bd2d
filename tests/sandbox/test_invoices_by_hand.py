"""Invoices made by hand."""

import pytest
import stripe

from tests.sandbox.account import TestAccount
from tests.sandbox.answers import check


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
