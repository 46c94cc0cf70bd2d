"""What is detached, deleted, archived or expired does not work any more, as at Stripe."""

from __future__ import annotations

import time
from typing import Any

import pytest
import stripe

from tests.fake_stripe.account import TestAccount


def refused(call: Any, *arguments: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as error:
        call(*arguments)
    return error.value


def test_a_detached_card_pays_for_nothing_and_cannot_come_back(account: TestAccount) -> None:
    v1, customer = account.v1, account.customer()
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer.id}).id
    v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card}})
    draft = v1.invoices.create({"customer": customer.id, "currency": "usd", "default_payment_method": card}).id
    v1.invoice_items.create({"customer": customer.id, "invoice": draft, "amount": 900, "currency": "usd"})
    v1.payment_methods.detach(card)
    assert v1.customers.retrieve(customer.id).invoice_settings.default_payment_method is None
    assert "not be used again" in str(refused(v1.payment_methods.attach, card, {"customer": customer.id}))
    wanted: Any = {"amount": 900, "currency": "usd", "customer": customer.id, "payment_method": card, "confirm": True}
    assert "may not be used again" in str(refused(v1.payment_intents.create, wanted))
    said: Any = {"customer": customer.id, "currency": "usd", "default_payment_method": card}
    gone = refused(v1.invoices.create, said)
    assert (gone.code, gone.param) == ("resource_missing", "default_payment_method")
    gone = refused(v1.invoices.pay, draft, {"payment_method": card, "off_session": True})
    assert (gone.code, gone.param) == ("resource_missing", "payment_method")
    refused(v1.invoices.pay, draft)
    assert v1.charges.list({"customer": customer.id}).data == []


def test_a_card_of_somebody_elses_is_not_charged(account: TestAccount) -> None:
    v1, one, other = account.v1, account.customer(), account.customer()
    card = v1.payment_methods.attach("pm_card_visa", {"customer": one.id}).id
    wanted: Any = {"amount": 900, "currency": "usd", "customer": other.id, "payment_method": card, "confirm": True}
    assert refused(v1.payment_intents.create, wanted).param == "payment_method"


def test_a_subscription_whose_card_was_detached_cannot_collect(account: TestAccount) -> None:
    v1 = account.v1
    clock = v1.test_helpers.test_clocks.create({"frozen_time": 1_767_225_600}).id
    customer = v1.customers.create({"test_clock": clock}).id
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    product = v1.products.create({"name": "Plan"}).id
    monthly: Any = {"product": product, "unit_amount": 900, "currency": "usd", "recurring": {"interval": "month"}}
    price = v1.prices.create(monthly).id
    said: Any = {"customer": customer, "items": [{"price": price}], "default_payment_method": card}
    subscription = v1.subscriptions.create(said)
    v1.payment_methods.detach(card)
    assert v1.subscriptions.retrieve(subscription.id).default_payment_method is None
    account.control("POST", f"/clocks/{clock}/advance", seconds=32 * 24 * 3600)
    assert v1.subscriptions.retrieve(subscription.id).status == "past_due"
    assert len(v1.charges.list({"customer": customer}).data) == 1
    gone = refused(v1.subscriptions.update, subscription.id, {"default_payment_method": card})
    assert gone.code == "resource_missing"


@pytest.mark.parametrize("archived", ["price", "product"])
def test_what_is_archived_is_not_sold_anew(account: TestAccount, archived: str) -> None:
    v1, customer = account.v1, account.customer(payment_method="pm_card_visa")
    product = v1.products.create({"name": "Pack"}).id
    once = v1.prices.create({"product": product, "unit_amount": 900, "currency": "usd"}).id
    monthly: Any = {"product": product, "unit_amount": 900, "currency": "usd", "recurring": {"interval": "month"}}
    each_month = v1.prices.create(monthly).id
    card = v1.customers.payment_methods.list(customer.id).data[0].id
    running: Any = {"customer": customer.id, "items": [{"price": each_month}], "default_payment_method": card}
    subscription = v1.subscriptions.create(running)
    if archived == "price":
        for price in (once, each_month):
            v1.prices.update(price, {"active": False})
    else:
        v1.products.update(product, {"active": False})
    session: Any = {
        "mode": "payment", "line_items": [{"price": once, "quantity": 1}], "success_url": "https://example.com",
    }  # fmt: skip
    refused(v1.checkout.sessions.create, session)
    refused(v1.subscriptions.create, running)
    item: Any = {"customer": customer.id, "pricing": {"price": once}}
    refused(v1.invoice_items.create, item)
    # What runs goes on at its price.
    assert v1.subscriptions.update(subscription.id, {"metadata": {"a": "b"}}).status == "active"


def test_a_deleted_customer_buys_nothing(account: TestAccount) -> None:
    v1, customer = account.v1, account.customer(payment_method="pm_card_visa")
    card = v1.customers.payment_methods.list(customer.id).data[0].id
    price: Any = {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Pack"}}
    session: Any = {
        "mode": "payment", "line_items": [{"price_data": price, "quantity": 1}], "success_url": "https://example.com",
        "customer": customer.id,
    }  # fmt: skip
    opened = v1.checkout.sessions.create(session).id
    v1.customers.delete(customer.id)
    assert v1.payment_methods.retrieve(card).customer is None
    gone = refused(v1.checkout.sessions.create, session)
    assert (gone.code, gone.param) == ("resource_missing", "customer")
    refused(v1.billing_portal.sessions.create, {"customer": customer.id})
    refused(v1.invoices.create, {"customer": customer.id})
    with pytest.raises(AssertionError, match="No such customer"):
        account.control("POST", f"/checkout/{opened}/pay")


def test_a_clock_that_runs_dates_what_is_bought_now_and_does_what_falls_due(account: TestAccount) -> None:
    v1, began = account.v1, int(time.time()) - 40 * 24 * 3600
    clock = v1.test_helpers.test_clocks.create({"frozen_time": began}).id
    customer = v1.customers.create({"test_clock": clock}).id
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    v1.customers.update(customer, {"invoice_settings": {"default_payment_method": card}})
    price = account.price(recurring={"interval": "month"})
    subscription = v1.subscriptions.create({"customer": customer, "items": [{"price": price.id}]}).id
    account.control("POST", f"/clocks/{clock}/run")
    opened = account.session((account.price(), 1), customer=customer)
    assert account.control("POST", f"/checkout/{opened.id}/pay")["decline"] is None
    (charge, *_) = v1.charges.list({"customer": customer}).data
    assert abs(charge.created - time.time()) < 60
    patience = time.monotonic() + 30
    while len(v1.invoices.list({"subscription": subscription, "status": "paid"}).data) < 2:
        assert time.monotonic() < patience, "the renewal that was due did not come"
        time.sleep(0.1)
    renewal = v1.invoices.list({"subscription": subscription}).data[0]
    assert renewal.created < time.time() - 5 * 24 * 3600  # at its own moment
