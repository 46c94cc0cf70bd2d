"""Selling, subscribing, renewing, giving back: at Stripe's test mode, or at the fake Stripe."""

from __future__ import annotations

from billing_app.domain.purchases.subscriptions import BillingInterval
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.payments import stripe_catalogue
from billing_app.services.payments.stripe_catalogue import Deed
from billing_app.services.plans import changes
from billing_app.services.usage import plans_in_force
from tests.real_stripe.customer import Customer


def plan(customer: Customer) -> str:
    """The plan that is held now."""
    with customer.shop.database.reading() as session:
        owner = organizations.by_address(session, customer.shop.address).pk
        return plans_in_force.plans(session, owner).subscribed_at(customer.now)


def test_the_key_is_of_test_mode(customer: Customer) -> None:
    assert not customer.shop.payments.account().livemode


def test_the_catalogue_is_put_there_once(customer: Customer) -> None:
    payments = customer.shop.payments
    with customer.shop.database.reading() as session:
        offers = stripe_catalogue.offers(versions.current(session, customer.now))
    stripe_catalogue.push(payments, stripe_catalogue.plan(payments, offers))
    assert {step.deed for step in stripe_catalogue.plan(payments, offers)} == {Deed.KEEP}


def test_a_payment_page_is_made_with_what_is_bought_and_expires(customer: Customer) -> None:
    started = customer.shop.start(key="k", mau_10k=2, sms_100=1)
    assert customer.shop.start(key="k", mau_10k=2, sms_100=1) == started
    session = customer.v1.checkout.sessions.retrieve(started.session_id, {"expand": ["line_items"]})
    assert (session.amount_total, session.metadata["organization"]) == (2 * 1400 + 650, customer.shop.address)
    assert [line.quantity for line in session.line_items.data] == [2, 1]
    customer.v1.checkout.sessions.expire(session.id)
    customer.hear("checkout.session.expired")
    assert customer.shop.order(started.order_id).state == "expired"
    assert customer.shop.come_back(session.id).state == "expired"


def test_a_pack_is_paid_on_the_hosted_page(fake: Customer) -> None:
    started = fake.shop.start("mau-10k")
    fake.shop.pay(started.session_id)
    fake.hear("checkout.session.completed")
    assert fake.shop.balance("mau") == 10_000
    fake.clean()


def test_a_plan_begins_and_what_an_upgrade_costs_is_what_was_shown(customer: Customer) -> None:
    customer.card()
    customer.subscribe("plan:essential:month", kind="plan")
    customer.hear("customer.subscription.created", "invoice.paid")
    assert plan(customer) == "essential"
    customer.advance(days=10)
    enter, payments = customer.shop.enter, customer.shop.payments
    shown = changes.preview(enter, payments, "pro", BillingInterval.MONTH)
    assert 0 < shown.due_cents < 9900 - 2900
    changes.change(enter, payments, "pro", BillingInterval.MONTH, shown.at)
    paid = customer.v1.invoices.list({"customer": customer.id, "limit": 1}).data[0]
    assert (paid.amount_paid, plan(customer)) == (shown.due_cents, "pro")
    customer.hear("customer.subscription.updated")
    assert plan(customer) == "pro"


def test_a_smaller_plan_waits_for_the_end_of_the_period(customer: Customer) -> None:
    customer.card()
    customer.subscribe("plan:pro:month", kind="plan")
    customer.hear("customer.subscription.created", "invoice.paid")
    enter, payments = customer.shop.enter, customer.shop.payments
    shown = changes.preview(enter, payments, "essential", BillingInterval.MONTH)
    assert shown.due_cents == 0
    changes.change(enter, payments, "essential", BillingInterval.MONTH, shown.at)
    assert plan(customer) == "pro"
    customer.advance(days=32)
    customer.hear("customer.subscription.updated", "invoice.paid")
    assert plan(customer) == "essential"
    assert customer.v1.invoices.list({"customer": customer.id, "limit": 1}).data[0].amount_paid == 2900


def test_a_plan_that_nobody_pays_for_is_past_due(customer: Customer) -> None:
    customer.card()
    subscription = customer.subscribe("plan:essential:month", kind="plan")
    customer.hear("customer.subscription.created", "invoice.paid")
    bad = customer.card("pm_card_chargeCustomerFail")
    customer.v1.subscriptions.update(subscription.id, {"default_payment_method": bad})
    customer.advance(days=32)
    customer.hear("invoice.payment_failed", "customer.subscription.updated")
    with customer.shop.database.reading() as session:
        owner = organizations.by_address(session, customer.shop.address).pk
        assert plans_in_force.plans(session, owner).past_due[-1].until is None
    assert plan(customer) == "essential"


def test_a_monthly_pack_renews_and_a_refund_takes_its_part_back(customer: Customer) -> None:
    customer.card()
    customer.subscribe("pack:sms-500-monthly", kind="packs")
    customer.hear("invoice.paid")
    customer.advance(days=32)
    customer.hear("invoice.paid")
    renewal = next(grant for grant in customer.shop.grants() if grant.paid_cents == 2700)
    assert (renewal.quantity, renewal.source) == (500, "recurring")
    before = customer.shop.balance("sms")
    refund = customer.v1.refunds.create({"payment_intent": renewal.payment_id, "amount": 1350})
    assert refund.status == "succeeded"
    customer.hear("refund.created")
    assert customer.shop.balance("sms") == before - 250
    customer.clean()
