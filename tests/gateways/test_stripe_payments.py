"""The Stripe gateway: signatures, errors as ours, and nothing secret in what it says."""

from __future__ import annotations

import json
import secrets
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from billing_app.domain.common.errors import BillingError, ConflictError, InvalidError, NotFoundError, UnavailableError
from billing_app.gateways.payments import CheckoutState, NewCheckout, NewCustomer, Offer, Product
from billing_app.gateways.stripe.mapping import checkout_state
from billing_app.gateways.stripe.payments import TOLERANCE_SECONDS, StripePayments, payments_of, verified_event
from billing_app.settings import Settings
from tests import loopback
from tests.support.shop import shared_fake_stripe

SECRET = "whsec_of_the_test"


@pytest.fixture
def key() -> str:
    """The key of an account of one's own."""
    return f"sk_test_{secrets.token_hex(16)}"


@pytest.fixture
def payments(key: str) -> StripePayments:
    """The gateway to that account."""
    return StripePayments(key, shared_fake_stripe().url)


def body(**changed: Any) -> str:
    event = {
        "id": "evt_1", "object": "event", "type": "checkout.session.completed", "created": 1_773_144_000,
        "livemode": False, "data": {"object": {"id": "cs_1", "object": "checkout.session", "customer": "cus_1"}},
    }  # fmt: skip
    return json.dumps(event | changed)


def signed(text: str, *, age: int = 0, secret: str = SECRET) -> str:
    return stripe.WebhookSignature.generate_signature_header(text, secret, int(time.time()) - age)


def test_a_signed_event_is_read() -> None:
    event = verified_event(body().encode(), signed(body()), SECRET)
    assert (event.id, event.type, event.thin) == ("evt_1", "checkout.session.completed", False)
    assert (event.object_id, event.customer_id, event.livemode) == ("cs_1", "cus_1", False)
    assert event.created_at == datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert event.payload == body()


@pytest.mark.parametrize(
    ("payload", "signature"),
    [
        (body().encode(), ""),
        (body().encode(), "t=1,v1=00"),
        (body().encode(), "nonsense"),
        (body().encode(), f"t={'9' * 5000},v1=00"),
        (body().encode(), f"t={int(time.time())},v1=é"),
        (body().encode(), signed(body(), secret="whsec_of_another")),
        (body().encode(), signed(body(), age=TOLERANCE_SECONDS + 5)),
        (body().encode() + b" ", signed(body())),
        (b"\xff\xfe", signed("x")),
    ],
    # Signatures hold the moment: without names, two test processes would not collect the same tests.
    ids=["none", "wrong", "nonsense", "huge", "no_ascii", "another_secret", "too_old", "another_body", "no_text"],
)
def test_what_stripe_did_not_sign_just_now_is_refused(payload: bytes, signature: str) -> None:
    with pytest.raises(BillingError) as refused:
        verified_event(payload, signature, SECRET)
    assert (refused.value.code, refused.value.status) == ("invalid_signature", 400)


def test_a_signature_may_be_almost_as_old_as_the_tolerance() -> None:
    verified_event(body().encode(), signed(body(), age=TOLERANCE_SECONDS - 30), SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{}", '"event"', "[" * 100_000,
        body(object="customer"), body(id=""), body(id=7), body(id="e\0vt"), body(id="x" * 300), body(type="é"),
        body(data={}), body(data={"object": []}), body(created="yesterday"), body(created=10**30), body(created=None),
    ],
)  # fmt: skip
def test_a_signed_body_that_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(BillingError) as refused:
        verified_event(text.encode(), signed(text), SECRET)
    assert (refused.value.code, refused.value.status) == ("invalid_event", 400)


def test_the_customer_of_an_event_about_a_customer_is_itself() -> None:
    text = body(type="customer.updated", data={"object": {"id": "cus_9", "object": "customer"}})
    assert verified_event(text.encode(), signed(text), SECRET).customer_id == "cus_9"


@pytest.mark.parametrize(
    ("status", "payment_status", "intent", "state"),
    [
        ("open", "unpaid", None, CheckoutState.OPEN),
        ("expired", "unpaid", None, CheckoutState.EXPIRED),
        ("complete", "paid", {"status": "succeeded"}, CheckoutState.PAID),
        ("complete", "no_payment_required", None, CheckoutState.PAID),
        ("complete", "unpaid", {"status": "processing"}, CheckoutState.PROCESSING),
        ("complete", "unpaid", {"status": "requires_payment_method"}, CheckoutState.FAILED),
        ("complete", "unpaid", {"status": "canceled"}, CheckoutState.FAILED),
    ],
)
def test_how_far_a_payment_is(status: str, payment_status: str, intent: Any, state: CheckoutState) -> None:
    session = {"status": status, "payment_status": payment_status, "payment_intent": intent}
    assert checkout_state(session) is state


def test_everything_paid_for_by_a_coupon_was_paid_when_the_session_was_made(payments: StripePayments, key: str) -> None:
    offer = an_offer(price_cents=0)
    payments.put_product(offer.product)
    customer = payments.create_customer(NewCustomer("c", "Acme", {}))
    price = payments.create_price(offer, "")
    opened = payments.create_checkout(NewCheckout("k", customer, ((price.id, 1),), "https://a", "https://b", "r", {}))
    pay = f"{shared_fake_stripe().url}/_sandbox/control/checkout/{opened.id}/pay"
    assert loopback.post(pay, json={}, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    found = payments.checkout(opened.id)
    assert (found.state, found.total_cents, found.payment_id) == (CheckoutState.PAID, 0, None)
    assert found.paid_at is not None
    assert [line.amount_cents for line in found.lines] == [0]


def an_offer(lookup_key: str = "pack:mau-10k", **changed: Any) -> Offer:
    facts: dict[str, Any] = {
        "lookup_key": lookup_key, "product": Product("pack_mau-10k", "10,000 MAU"), "price_cents": 1400,
        "currency": "usd", "interval": "once", "metadata": {"pack": "mau-10k", "metric": "mau", "quantity": "10000"},
    }  # fmt: skip
    return Offer(**(facts | changed))


def test_what_is_made_twice_with_one_key_is_one(payments: StripePayments) -> None:
    offer = an_offer()
    for _ in range(2):
        payments.put_product(offer.product)
    assert payments.create_price(offer, "").id == payments.create_price(offer, "").id
    wanted = NewCustomer("key", "Acme", {"organization": "acme"})
    customer = payments.create_customer(wanted)
    assert payments.create_customer(wanted) == customer
    price = payments.prices([offer.lookup_key])[offer.lookup_key]
    assert price.says(offer)
    assert price.product == offer.product

    begin = NewCheckout("or_1", customer, ((price.id, 2),), "https://a", "https://b", "or_1", {})
    assert payments.create_checkout(begin) == payments.create_checkout(begin)
    with pytest.raises(ConflictError) as conflict:
        payments.create_checkout(NewCheckout("or_1", customer, ((price.id, 3),), "https://a", "https://b", "or_1", {}))
    assert conflict.value.code == "payments_conflict"


def test_more_prices_than_stripe_takes_in_one_question_are_found(payments: StripePayments) -> None:
    offers = [an_offer(f"pack:{place}") for place in range(23)]
    payments.put_product(offers[0].product)
    for offer in offers:
        payments.create_price(offer, "")
    assert set(payments.prices(offer.lookup_key for offer in offers)) == {offer.lookup_key for offer in offers}
    assert payments.prices([]) == {}


def test_what_does_not_exist_is_not_found(payments: StripePayments) -> None:
    with pytest.raises(NotFoundError) as missing:
        payments.checkout("cs_test_none")
    assert missing.value.code == "checkout_not_found"
    with pytest.raises(NotFoundError) as missing:
        payments.event("evt_none")
    assert missing.value.code == "event_not_found"


def test_what_stripe_refuses_is_refused_with_its_reason(payments: StripePayments) -> None:
    with pytest.raises(InvalidError, match="Stripe refused this") as refused:
        payments.create_checkout(NewCheckout("k", "cus_none", (("price_none", 1),), "https://a", "https://b", "r", {}))
    assert refused.value.code == "payments_refused"


def test_an_account_is_asked_for_once(payments: StripePayments) -> None:
    account = payments.account()
    assert account.id.startswith("acct_")
    assert not account.livemode
    assert payments.account() is account


def test_a_refused_key_is_told_without_the_key(capsys: pytest.CaptureFixture[str]) -> None:
    key = "pk_wrong_0123456789abcdef"
    with pytest.raises(UnavailableError) as refused:
        StripePayments(key, shared_fake_stripe().url).account()
    assert refused.value.code == "payments_misconfigured"
    assert key not in f"{refused.value} {refused.value.__cause__} {capsys.readouterr()}"


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(UnavailableError) as failed:
        StripePayments("sk_test_x", "http://127.0.0.1:9").prices(["pack:x"])
    assert failed.value.code == "payments_unreachable"


@pytest.mark.parametrize(("api", "webhook"), [("", ""), ("sk_test_x", ""), ("", "whsec_x")])
def test_without_both_secrets_nothing_is_sold(api: str, webhook: str) -> None:
    settings = Settings(_env_file=None, stripe_api_secret=api, stripe_webhook_secret=webhook)
    with pytest.raises(UnavailableError) as refused:
        payments_of(settings)
    assert refused.value.code == "buying_unavailable"
