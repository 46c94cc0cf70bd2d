"""Every operation that the fake Stripe offers, called once through the SDK, its answer held against the SDK's class."""

import time
from collections.abc import Callable
from typing import Any

import pytest

import fake_stripe.api  # noqa: F401 - registers the operations
from fake_stripe.resource import OPERATIONS
from tests.fake_stripe import calls
from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.answers import check

DAY = 24 * 3600
URL = "http://127.0.0.1:9/hook"


class World:
    """Something of everything, made when it is first asked for."""

    def __init__(self, account: TestAccount) -> None:
        self.account = account
        self.v1 = account.v1
        self._made: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = getattr(self, f"make_{name}")()
        return self._made[name]

    def make_product(self) -> Any:
        return self.v1.products.create({"name": "Lonely"})

    def make_price(self) -> Any:
        return self.account.price()

    def make_plan(self) -> Any:
        return self.account.price(2900, recurring={"interval": "month"})

    def make_customer(self) -> Any:
        customer = self.account.customer(payment_method="pm_card_visa")
        method = self.v1.customers.payment_methods.list(customer.id).data[0].id
        return self.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method}})

    def make_method(self) -> Any:
        return self.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})

    def make_session(self) -> Any:
        return self.account.session((self.price, 1))

    def make_intent(self) -> Any:
        return self.v1.payment_intents.create({"amount": 500, "currency": "usd"})

    def make_paid(self) -> Any:
        return self.pay("pm_card_visa")

    def pay(self, method: str) -> Any:
        wanted = {"amount": 500, "currency": "usd", "payment_method": method, "confirm": True}
        return self.v1.payment_intents.create(wanted)

    def make_setup(self) -> Any:
        return self.v1.setup_intents.create({"customer": self.customer.id})

    def make_coupon(self) -> Any:
        return self.v1.coupons.create({"percent_off": 10})

    def make_code(self) -> Any:
        return self.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": self.coupon.id}})

    def make_refund(self) -> Any:
        return self.v1.refunds.create({"payment_intent": self.paid.id, "amount": 100})

    def dispute(self) -> str:
        return self.account.control("POST", "/disputes", payment_intent=self.pay("pm_card_visa").id)["id"]

    def make_clock(self) -> Any:
        return self.v1.test_helpers.test_clocks.create({"frozen_time": int(time.time())})

    def make_endpoint(self) -> Any:
        return self.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["*"]})

    def make_configuration(self) -> Any:
        return self.v1.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}})

    def subscribe(self, **more: Any) -> Any:
        return self.v1.subscriptions.create({"customer": self.customer.id, "items": [{"price": self.plan.id}], **more})

    def make_subscription(self) -> Any:
        return self.subscribe()

    def make_schedule(self) -> Any:
        return self.v1.subscription_schedules.create({"from_subscription": self.subscription.id})

    def make_pending(self) -> Any:
        item = self.subscription["items"].data[0].id
        self.v1.subscriptions.update(self.subscription.id, {"items": [{"id": item, "quantity": 3}]})
        return self.v1.invoice_items.list({"pending": True}).data[0]

    def unpaid(self) -> str:
        """The open invoice of a subscription whose payment was left to later."""
        return self.subscribe(payment_behavior="default_incomplete").latest_invoice

    def by_hand(self) -> Any:
        """An invoice over an item of one's own making."""
        item = {"customer": self.customer.id, "pricing": {"price": self.price.id}, "quantity": 2}
        self.v1.invoice_items.create(item)
        return self.v1.invoices.create({"customer": self.customer.id, "pending_invoice_items_behavior": "include"})

    def draft(self) -> str:
        """A renewal that is still a draft."""
        start = int(time.time())
        clock = self.v1.test_helpers.test_clocks.create({"frozen_time": start})
        customer = self.account.customer(test_clock=clock.id)
        subscription = self.v1.subscriptions.create(
            {"customer": customer.id, "items": [{"price": self.plan.id}], "trial_period_days": 1}
        )
        self.account.control("POST", f"/clocks/{clock.id}/advance", seconds=DAY + 60)
        return self.v1.subscriptions.retrieve(subscription.id).latest_invoice


META = {"metadata": {"a": "b"}}
WALK: dict[str, Callable[[World], Any]] = {
    "accounts.retrieve_current": lambda w: w.v1.accounts.retrieve_current(),
    "products.create": lambda w: w.product,
    "products.retrieve": lambda w: w.v1.products.retrieve(w.product.id),
    "products.update": lambda w: w.v1.products.update(w.product.id, META),
    "products.list": lambda w: w.product and w.v1.products.list({"active": True, "ids": [w.product.id]}),
    "products.delete": lambda w: w.v1.products.delete(w.product.id),
    "prices.create": lambda w: w.price,
    "prices.retrieve": lambda w: w.v1.prices.retrieve(w.price.id),
    "prices.update": lambda w: w.v1.prices.update(w.price.id, {"nickname": "x", **META}),
    "prices.list": lambda w: w.price and w.v1.prices.list({"created": {"gte": 1}, "expand": ["data.product"]}),
    "customers.create": lambda w: w.customer,
    "customers.retrieve": lambda w: w.v1.customers.retrieve(w.customer.id),
    "customers.update": lambda w: w.v1.customers.update(w.customer.id, {"address": {"country": "DE"}, **META}),
    "customers.list": lambda w: w.customer and w.v1.customers.list({"email": "ada@example.com"}),
    "customers.delete": lambda w: w.v1.customers.delete(w.customer.id),
    "customers.payment_methods.list": lambda w: w.v1.customers.payment_methods.list(w.customer.id, {"type": "card"}),
    "customers.payment_methods.retrieve": lambda w: w.v1.customers.payment_methods.retrieve(
        w.customer.id, w.customer.invoice_settings.default_payment_method
    ),
    "payment_methods.create": lambda w: w.method,
    "payment_methods.retrieve": lambda w: w.v1.payment_methods.retrieve(w.method.id),
    "payment_methods.update": lambda w: w.v1.payment_methods.update(w.method.id, META),
    "payment_methods.list": lambda w: w.v1.payment_methods.list({"customer": w.customer.id}),
    "payment_methods.attach": lambda w: w.v1.payment_methods.attach("pm_card_mastercard", {"customer": w.customer.id}),
    "payment_methods.detach": lambda w: w.v1.payment_methods.detach(w.customer.invoice_settings.default_payment_method),
    "checkout.sessions.create": lambda w: w.session,
    "checkout.sessions.retrieve": lambda w: w.v1.checkout.sessions.retrieve(w.session.id, {"expand": ["line_items"]}),
    "checkout.sessions.update": lambda w: w.v1.checkout.sessions.update(w.session.id, META),
    "checkout.sessions.list": lambda w: w.session and w.v1.checkout.sessions.list({"status": "open"}),
    "checkout.sessions.line_items.list": lambda w: w.v1.checkout.sessions.line_items.list(w.session.id),
    "checkout.sessions.expire": lambda w: w.v1.checkout.sessions.expire(w.session.id),
    "payment_intents.create": lambda w: w.intent,
    "payment_intents.retrieve": lambda w: w.v1.payment_intents.retrieve(w.intent.id),
    "payment_intents.update": lambda w: w.v1.payment_intents.update(w.intent.id, {"amount": 600, **META}),
    "payment_intents.confirm": lambda w: w.v1.payment_intents.confirm(w.intent.id, {"payment_method": "pm_card_visa"}),
    "payment_intents.cancel": lambda w: w.v1.payment_intents.cancel(w.intent.id),
    "payment_intents.list": lambda w: w.paid and w.v1.payment_intents.list(),
    "charges.retrieve": lambda w: w.v1.charges.retrieve(w.paid.latest_charge, {"expand": ["refunds"]}),
    "charges.update": lambda w: w.v1.charges.update(w.paid.latest_charge, META),
    "charges.list": lambda w: w.v1.charges.list({"payment_intent": w.paid.id}),
    "setup_intents.create": lambda w: w.setup,
    "setup_intents.retrieve": lambda w: w.v1.setup_intents.retrieve(w.setup.id),
    "setup_intents.confirm": lambda w: w.v1.setup_intents.confirm(w.setup.id, {"payment_method": "pm_card_visa"}),
    "setup_intents.cancel": lambda w: w.v1.setup_intents.cancel(w.setup.id),
    "setup_intents.list": lambda w: w.setup and w.v1.setup_intents.list(),
    "coupons.create": lambda w: w.coupon,
    "coupons.retrieve": lambda w: w.v1.coupons.retrieve(w.coupon.id, {"expand": ["applies_to"]}),
    "coupons.update": lambda w: w.v1.coupons.update(w.coupon.id, {"name": "Ten", **META}),
    "coupons.list": lambda w: w.coupon and w.v1.coupons.list(),
    "coupons.delete": lambda w: w.v1.coupons.delete(w.coupon.id),
    "promotion_codes.create": lambda w: w.code,
    "promotion_codes.retrieve": lambda w: w.v1.promotion_codes.retrieve(w.code.id, {"expand": ["promotion.coupon"]}),
    "promotion_codes.update": lambda w: w.v1.promotion_codes.update(w.code.id, {"active": False}),
    "promotion_codes.list": lambda w: w.code and w.v1.promotion_codes.list({"coupon": w.coupon.id}),
    "refunds.create": lambda w: w.refund,
    "refunds.retrieve": lambda w: w.v1.refunds.retrieve(w.refund.id, {"expand": ["charge", "payment_intent"]}),
    "refunds.update": lambda w: w.v1.refunds.update(w.refund.id, META),
    "refunds.list": lambda w: w.refund and w.v1.refunds.list({"charge": w.paid.latest_charge}),
    "refunds.cancel": lambda w: w.v1.refunds.cancel(
        w.v1.refunds.create({"payment_intent": w.pay("pm_card_pendingRefund").id}).id
    ),
    "disputes.retrieve": lambda w: w.v1.disputes.retrieve(w.dispute(), {"expand": ["charge"]}),
    "disputes.update": lambda w: w.v1.disputes.update(w.dispute(), {"evidence": {"customer_name": "Ada"}}),
    "disputes.close": lambda w: w.v1.disputes.close(w.dispute()),
    "disputes.list": lambda w: w.dispute() and w.v1.disputes.list(),
    "events.list": lambda w: w.paid and w.v1.events.list({"types": ["charge.succeeded", "payment_intent.*"]}),
    "events.retrieve": lambda w: w.product and w.v1.events.retrieve(w.v1.events.list().data[0].id),
    "webhook_endpoints.create": lambda w: w.endpoint,
    "webhook_endpoints.retrieve": lambda w: w.v1.webhook_endpoints.retrieve(w.endpoint.id),
    "webhook_endpoints.update": lambda w: w.v1.webhook_endpoints.update(w.endpoint.id, {"disabled": True}),
    "webhook_endpoints.list": lambda w: w.endpoint and w.v1.webhook_endpoints.list(),
    "webhook_endpoints.delete": lambda w: w.v1.webhook_endpoints.delete(w.endpoint.id),
    "test_helpers.test_clocks.create": lambda w: w.clock,
    "test_helpers.test_clocks.retrieve": lambda w: w.v1.test_helpers.test_clocks.retrieve(w.clock.id),
    "test_helpers.test_clocks.list": lambda w: w.clock and w.v1.test_helpers.test_clocks.list(),
    "test_helpers.test_clocks.advance": lambda w: w.v1.test_helpers.test_clocks.advance(
        w.clock.id, {"frozen_time": w.clock.frozen_time + DAY}
    ),
    "test_helpers.test_clocks.delete": lambda w: w.v1.test_helpers.test_clocks.delete(w.clock.id),
    "subscriptions.create": lambda w: w.subscription,
    "subscriptions.retrieve": lambda w: w.v1.subscriptions.retrieve(
        w.subscription.id, {"expand": ["customer", "latest_invoice.payments", "default_payment_method"]}
    ),
    "subscriptions.update": lambda w: w.v1.subscriptions.update(w.subscription.id, {"cancel_at": "min_period_end"}),
    "subscriptions.list": lambda w: w.v1.subscriptions.list({"price": w.subscription["items"].data[0].price.id}),
    "subscriptions.cancel": lambda w: w.v1.subscriptions.cancel(w.subscription.id),
    "subscriptions.pause": lambda w: w.v1.subscriptions.pause(w.subscription.id),
    "subscriptions.resume": lambda w: w.v1.subscriptions.resume(w.v1.subscriptions.pause(w.subscription.id).id),
    "subscription_schedules.create": lambda w: w.schedule,
    "subscription_schedules.retrieve": lambda w: w.v1.subscription_schedules.retrieve(
        w.schedule.id, {"expand": ["subscription", "phases.items.price"]}
    ),
    "subscription_schedules.update": lambda w: w.v1.subscription_schedules.update(w.schedule.id, META),
    "subscription_schedules.list": lambda w: w.schedule and w.v1.subscription_schedules.list(),
    "subscription_schedules.release": lambda w: w.v1.subscription_schedules.release(w.schedule.id),
    "subscription_schedules.cancel": lambda w: w.v1.subscription_schedules.cancel(w.schedule.id),
    "subscription_items.retrieve": lambda w: w.v1.subscription_items.retrieve(w.subscription["items"].data[0].id),
    "subscription_items.list": lambda w: w.v1.subscription_items.list({"subscription": w.subscription.id}),
    "invoices.retrieve": lambda w: w.v1.invoices.retrieve(w.unpaid(), {"expand": ["confirmation_secret", "payments"]}),
    "invoices.list": lambda w: w.v1.invoices.list({"subscription": w.subscription.id, "expand": ["data.customer"]}),
    "invoices.update": lambda w: w.v1.invoices.update(w.unpaid(), {"footer": "Thanks", **META}),
    "invoices.pay": lambda w: w.v1.invoices.pay(w.unpaid()),
    "invoices.void_invoice": lambda w: w.v1.invoices.void_invoice(w.unpaid()),
    "invoices.mark_uncollectible": lambda w: w.v1.invoices.mark_uncollectible(w.unpaid()),
    "invoices.finalize_invoice": lambda w: w.v1.invoices.finalize_invoice(w.draft()),
    "invoices.line_items.list": lambda w: w.v1.invoices.line_items.list(w.subscription.latest_invoice),
    "invoices.create_preview": lambda w: w.v1.invoices.create_preview({"subscription": w.subscription.id}),
    "invoice_payments.list": lambda w: w.v1.invoice_payments.list({"invoice": w.subscription.latest_invoice}),
    "invoice_payments.retrieve": lambda w: w.v1.invoice_payments.retrieve(
        w.v1.invoice_payments.list({"invoice": w.subscription.latest_invoice}).data[0].id
    ),
    "invoice_items.list": lambda w: w.pending and w.v1.invoice_items.list({"customer": w.customer.id}),
    "invoice_items.create": lambda w: w.v1.invoice_items.create(
        {"customer": w.customer.id, "amount": 500, "currency": "usd", "description": "By hand"}
    ),
    "invoices.create": lambda w: w.by_hand(),
    "invoices.delete": lambda w: w.v1.invoices.delete(w.by_hand().id),
    "invoice_items.delete": lambda w: w.v1.invoice_items.delete(
        w.v1.invoice_items.create({"customer": w.customer.id, "amount": 700, "currency": "usd"}).id
    ),
    "invoice_items.retrieve": lambda w: w.v1.invoice_items.retrieve(w.pending.id),
    "billing_portal.configurations.create": lambda w: w.configuration,
    "billing_portal.configurations.retrieve": lambda w: w.v1.billing_portal.configurations.retrieve(w.configuration.id),
    "billing_portal.configurations.update": lambda w: w.v1.billing_portal.configurations.update(
        w.configuration.id, {"features": {"subscription_cancel": {"enabled": True}}}
    ),
    "billing_portal.configurations.list": lambda w: w.configuration and w.v1.billing_portal.configurations.list(),
    "billing_portal.sessions.create": lambda w: w.v1.billing_portal.sessions.create(
        {
            "customer": w.customer.id,
            "flow_data": {"type": "subscription_cancel", "subscription_cancel": {"subscription": w.subscription.id}},
        }
    ),
}


def test_the_walk_leaves_nothing_out() -> None:
    assert set(WALK) == {operation.contract.name for operation in OPERATIONS}


def test_the_walk_has_every_operation_that_the_console_calls() -> None:
    wanted = calls.operations()
    assert {"checkout.sessions.create", "invoices.retrieve", "refunds.create"} <= wanted
    assert wanted <= set(WALK)


def test_calls_are_found_also_when_they_are_handed_on() -> None:
    source = """def a(self):
    s = self._v1.subscription_schedules
    s.create({})
    found = self._v1.prices.list({"limit": 1}).data
    everything(self._v1.refunds.list)
"""
    assert set(calls.used(source)) == {"subscription_schedules.create", "prices.list", "refunds.list"}
    with pytest.raises(AssertionError, match="cannot be followed"):
        set(calls.used("def a(self):\n    other(self._v1.refunds)\n"))


@pytest.mark.parametrize("name", WALK)
def test_operation(account: TestAccount, name: str) -> None:
    answer = check(WALK[name](World(account)))
    if answer.object == "list":
        assert answer.data, "an empty list proves nothing"
    for event in account.v1.events.list({"limit": 100}).data:
        check(event)
