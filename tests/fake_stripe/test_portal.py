"""The billing portal, over HTTP as a browser would."""

from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe

from tests import loopback
from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.answers import check


class Visitor:
    """Somebody who was let into the portal."""

    def __init__(self, account: TestAccount, customer: str, **more: Any) -> None:
        wanted = {"customer": customer, "return_url": "https://shop.example/account", **more}
        self.session = check(account.v1.billing_portal.sessions.create(wanted))
        self.path = urlsplit(self.session.url).path
        self.url = account.url

    def page(self) -> str:
        """What is on the page."""
        answer = loopback.get(self.url + self.path)
        assert answer.status_code == 200
        return answer.text

    def send(self, name: str, status: int = 200, **fields: str) -> str:
        """Send one of the page's forms."""
        address = f"{self.url}{self.path}/{name}"
        answer = loopback.post(address, data=fields, follow_redirects=True)
        assert answer.status_code == status, answer.text
        return answer.text


@pytest.fixture
def customer(account: TestAccount) -> Any:
    """With a card and a plan."""
    made = account.customer(payment_method="pm_card_visa")
    method = account.v1.customers.payment_methods.list(made.id).data[0].id
    account.v1.customers.update(made.id, {"invoice_settings": {"default_payment_method": method}})
    return made


def subscribe(account: TestAccount, customer: Any, price: Any) -> Any:
    """A subscription of this customer."""
    return account.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})


def monthly(account: TestAccount, amount: int, name: str) -> Any:
    """A plan."""
    return account.price(amount, name=name, recurring={"interval": "month"})


def test_a_subscription_is_cancelled_and_kept(account: TestAccount, customer: Any) -> None:
    subscription = subscribe(account, customer, monthly(account, 2900, "Pro"))
    visitor = Visitor(account, customer.id)
    page = visitor.page()
    assert "TEST MODE" in page
    assert "1 × Pro, $29.00 per month" in page
    assert "Ends on" in visitor.send("cancel", subscription=subscription.id)
    assert account.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end
    visitor.send("keep", subscription=subscription.id)
    assert not account.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end


def test_a_new_card_becomes_the_default_and_a_declined_one_does_not(account: TestAccount, customer: Any) -> None:
    visitor = Visitor(account, customer.id)
    assert "was declined" in visitor.send("card", 402, number="4000 0000 0000 0002", expiry="12/34")
    visitor.send("card", number="5555 5555 5555 4444", expiry="12/34")
    expanded = {"expand": ["invoice_settings.default_payment_method"]}
    found = check(account.v1.customers.retrieve(customer.id, expanded))
    assert found.invoice_settings.default_payment_method.card.last4 == "4444"


def test_plans_are_switched_only_among_those_offered(account: TestAccount, customer: Any) -> None:
    pro, business = monthly(account, 2900, "Pro"), monthly(account, 9900, "Business")
    other = monthly(account, 1, "Secret")
    subscription = subscribe(account, customer, pro)
    update = {
        "enabled": True,
        "default_allowed_updates": ["price"],
        "proration_behavior": "always_invoice",
        "products": [{"product": price.product, "prices": [price.id]} for price in (pro, business)],
    }
    configuration = check(
        account.v1.billing_portal.configurations.create({"features": {"subscription_update": update}})
    )
    visitor = Visitor(account, customer.id, configuration=configuration.id)
    visitor.send("switch", 400, subscription=subscription.id, price=other.id)
    visitor.send("switch", subscription=subscription.id, price=business.id)
    changed = account.v1.subscriptions.retrieve(subscription.id)
    assert changed["items"].data[0].price.id == business.id
    assert account.v1.invoices.list({"customer": customer.id}).data[0].total == 7000
    visitor.send("cancel", 403, subscription=subscription.id)


def test_invoices_can_be_seen(account: TestAccount, customer: Any) -> None:
    subscribe(account, customer, monthly(account, 2900, "Pro"))
    invoice = account.v1.invoices.list({"customer": customer.id}).data[0]
    assert invoice.number in Visitor(account, customer.id).page()
    shown = loopback.get(invoice.hosted_invoice_url).text
    assert "$29.00" in shown


def test_nobody_reaches_another_customer(account: TestAccount, customer: Any) -> None:
    other = subscribe(account, customer, monthly(account, 2900, "Pro"))
    stranger = Visitor(account, account.customer().id)
    stranger.send("cancel", 404, subscription=other.id)
    by_id = f"{account.url}/_sandbox/portal/{stranger.session.id}"
    assert loopback.get(by_id).status_code == 404


def test_unknown_customers_are_refused(account: TestAccount) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        account.v1.billing_portal.sessions.create({"customer": "cus_nobody"})
    assert refused.value.param == "customer"
