"""Checkout in subscription and in setup mode."""

import time
from typing import Any

import pytest
import stripe

from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.answers import check

DAY = 24 * 3600


def plan(account: TestAccount, amount: int = 2900, **more: Any) -> Any:
    """A monthly price."""
    return account.price(amount, name="Pro", recurring={"interval": "month"}, **more)


def subscribe(account: TestAccount, *lines: tuple[Any, int], **more: Any) -> Any:
    """A session in subscription mode."""
    return account.session(*lines, mode="subscription", **more)


def test_a_paid_session_starts_a_subscription(account: TestAccount) -> None:
    session = subscribe(
        account, (plan(account), 2), subscription_data={"metadata": {"organization": "acme"}}, metadata={"order": "o1"}
    )
    assert session.amount_total == 5800
    done = account.pay(session, email="ada@example.com")["session"]
    assert (done["status"], done["payment_status"], done["payment_intent"]) == ("complete", "paid", None)
    expanded = {"expand": ["subscription", "invoice", "customer"]}
    done = check(account.v1.checkout.sessions.retrieve(session.id, expanded))
    assert (done.subscription.status, done.subscription["items"].data[0].quantity) == ("active", 2)
    assert done.subscription.metadata.to_dict() == {"organization": "acme"}
    assert (done.invoice.status, done.invoice.billing_reason) == ("paid", "subscription_create")
    assert done.customer.email == "ada@example.com"
    assert done.subscription.default_payment_method
    types = account.event_types()
    assert types.index("customer.subscription.created") < types.index("invoice.paid")
    assert types[-1] == "checkout.session.completed"


def test_one_time_prices_are_on_the_first_invoice_only(account: TestAccount) -> None:
    session = subscribe(account, (plan(account), 1), (account.price(1000, name="Setup"), 1))
    done = account.pay(session)["session"]
    invoice = account.v1.invoices.retrieve(done["invoice"])
    assert invoice.total == session.amount_total == 3900
    assert len(account.v1.subscriptions.retrieve(done["subscription"])["items"].data) == 1


def test_a_declined_card_can_be_replaced(account: TestAccount) -> None:
    session = subscribe(account, (plan(account), 1))
    first = account.pay(session, "4000000000000002", email="ada@example.com")
    assert first["decline"]["code"] == "card_declined"
    assert (first["session"]["status"], first["session"]["subscription"]) == ("open", None)
    assert account.pay(session)["session"]["status"] == "complete"
    assert len(account.v1.subscriptions.list({"status": "all"}).data) == 1


@pytest.mark.parametrize(("answer", "status"), [("complete", "complete"), ("fail", "open")])
def test_three_d_secure(account: TestAccount, answer: str, status: str) -> None:
    session = subscribe(account, (plan(account), 1))
    done = account.pay(session, "4000002500003155", authentication=answer)["session"]
    assert done["status"] == status


def test_a_trial_saves_the_card_and_takes_nothing(account: TestAccount) -> None:
    session = subscribe(account, (plan(account), 1), subscription_data={"trial_period_days": 14})
    assert session.amount_total == 0
    done = account.pay(session)["session"]
    assert (done["status"], done["payment_status"]) == ("complete", "no_payment_required")
    subscription = check(account.v1.subscriptions.retrieve(done["subscription"]))
    assert subscription.status == "trialing"
    assert subscription.default_payment_method


def test_an_anchor_prorates_the_first_part(account: TestAccount) -> None:
    anchor = int(time.time()) + 10 * DAY
    session = subscribe(account, (plan(account, 3100), 1), subscription_data={"billing_cycle_anchor": anchor})
    assert 950 <= session.amount_total <= 1150
    done = account.pay(session)["session"]
    assert account.v1.invoices.retrieve(done["invoice"]).total == pytest.approx(session.amount_total, abs=1)
    assert account.v1.subscriptions.retrieve(done["subscription"]).billing_cycle_anchor == anchor


def test_a_promotion_code_goes_on_to_the_subscription(account: TestAccount) -> None:
    coupon = account.v1.coupons.create({"percent_off": 25, "duration": "forever"})
    session = subscribe(account, (plan(account, 2000), 1), discounts=[{"coupon": coupon.id}])
    assert session.amount_total == 1500
    done = account.pay(session)["session"]
    found = check(account.v1.subscriptions.retrieve(done["subscription"], {"expand": ["discounts.source.coupon"]}))
    assert found.discounts[0].source.coupon.percent_off == 25
    assert account.v1.invoices.retrieve(done["invoice"]).amount_paid == 1500


def test_a_bank_debit_is_active_first_and_paid_later(account: TestAccount) -> None:
    session = subscribe(account, (plan(account), 1))
    done = account.pay(session, "000123456789")["session"]
    assert (done["status"], done["payment_status"]) == ("complete", "unpaid")
    intent = account.v1.payment_intents.list().data[0]
    account.control("POST", f"/payment_intents/{intent.id}/settle")
    assert account.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert account.event_types()[-1] == "checkout.session.async_payment_succeeded"


def test_modes_and_prices_must_fit(account: TestAccount) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="recurring"):
        account.session((plan(account), 1))
    with pytest.raises(stripe.InvalidRequestError, match="recurring"):
        subscribe(account, (account.price(), 1))
    with pytest.raises(stripe.InvalidRequestError) as refused:
        subscribe(account, (plan(account), 1), payment_intent_data={"metadata": {"a": "b"}})
    assert refused.value.param == "payment_intent_data"


def test_setup_mode_saves_a_card(account: TestAccount) -> None:
    customer = account.customer()
    session = check(
        account.v1.checkout.sessions.create(
            {
                "mode": "setup",
                "customer": customer.id,
                "currency": "usd",
                "success_url": "https://shop.example/saved",
                "setup_intent_data": {"metadata": {"purpose": "top-up"}},
            }
        )
    )
    done = account.pay(session, "4000002500003155", authentication="complete")["session"]
    assert (done["status"], done["payment_status"]) == ("complete", "no_payment_required")
    intent = check(account.v1.setup_intents.retrieve(done["setup_intent"], {"expand": ["payment_method"]}))
    assert (intent.status, intent.payment_method.customer) == ("succeeded", customer.id)
    assert intent.metadata.to_dict() == {"purpose": "top-up"}


def test_setup_intents_of_the_api(account: TestAccount) -> None:
    customer = account.customer()
    wanted = {"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True}
    assert check(account.v1.setup_intents.create(wanted)).status == "succeeded"
    with pytest.raises(stripe.CardError):
        account.v1.setup_intents.create({**wanted, "payment_method": "pm_card_chargeDeclined"})
