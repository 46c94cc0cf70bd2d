"""Buying with Checkout in payment mode, end to end over HTTP."""

import pytest
import stripe

from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.answers import check
from tests.fake_stripe.listener import Listener


def test_a_basket_of_two_packs_is_paid(account: TestAccount, listener: Listener) -> None:
    mau, storage = account.price(4900), account.price(1500, name="Storage")
    session = account.session(
        (mau, 2),
        (storage, 3),
        metadata={"order": "o1"},
        payment_intent_data={"metadata": {"order": "o1", "organization": "acme"}},
        client_reference_id="o1",
    )

    assert (session.status, session.payment_status, session.ui_mode) == ("open", "unpaid", "hosted_page")
    assert session.id.startswith("cs_test_")
    assert session.amount_subtotal == session.amount_total == 2 * 4900 + 3 * 1500

    answer = account.pay(session)

    assert answer["decline"] is None
    paid = check(
        account.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items", "payment_intent.latest_charge"]})
    )
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert [line.quantity for line in paid.line_items.data] == [2, 3]
    assert [line.amount_total for line in paid.line_items.data] == [9800, 4500]
    assert paid.payment_intent.metadata.to_dict() == {"order": "o1", "organization": "acme"}
    assert paid.payment_intent.latest_charge.amount_captured == 14300
    listener.wait_for("checkout.session.completed")
    assert (
        listener.types
        == [
            "product.created",
            "price.created",
            "product.created",
            "price.created",
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed",
        ][-len(listener.types) :]
    )


def test_session_metadata_is_not_copied_to_the_payment(account: TestAccount) -> None:
    session = account.session((account.price(), 1), metadata={"order": "o1"})
    account.pay(session)
    paid = account.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert paid.payment_intent.metadata.to_dict() == {}


def test_line_items_are_listed_with_cursors_and_expanded_products(account: TestAccount) -> None:
    prices = [account.price(1000 + place) for place in range(3)]
    session = account.session(*((price, 1) for price in prices))
    first = check(
        account.v1.checkout.sessions.line_items.list(session.id, {"limit": 2, "expand": ["data.price.product"]})
    )
    assert [line.price.id for line in first.data] == [price.id for price in prices[:2]]
    assert first.data[0].price.product.name == "10,000 MAU"
    assert first.has_more
    rest = account.v1.checkout.sessions.line_items.list(session.id, {"starting_after": first.data[-1].id})
    assert [line.price.id for line in rest.data] == [prices[2].id]
    assert not rest.has_more


def test_a_declined_card_leaves_the_session_open(account: TestAccount) -> None:
    session = account.session((account.price(), 1))
    answer = account.pay(session, "4000000000000002")
    assert answer["decline"]["code"] == "card_declined"
    again = check(account.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]}))
    assert (again.status, again.payment_status) == ("open", "unpaid")
    assert again.payment_intent.last_payment_error.decline_code == "generic_decline"
    assert again.payment_intent.latest_charge.status == "failed"
    assert account.event_types()[-2:] == ["charge.failed", "payment_intent.payment_failed"]

    assert account.pay(session)["session"]["payment_status"] == "paid"
    assert len(account.v1.payment_intents.list().data) == 1


@pytest.mark.parametrize(("answer", "status"), [("complete", "paid"), ("fail", "unpaid")])
def test_three_d_secure_waits_for_the_payer(account: TestAccount, answer: str, status: str) -> None:
    session = account.session((account.price(), 1))
    asked = account.pay(session, "4000002500003155")
    assert asked["session"]["status"] == "open"
    intent = check(account.v1.payment_intents.retrieve(asked["session"]["payment_intent"]))
    assert intent.status == "requires_action"
    account.control("POST", f"/payment_intents/{intent.id}/authenticate", passed=answer == "complete")
    assert account.v1.checkout.sessions.retrieve(session.id).payment_status == status


def test_a_bank_debit_completes_first_and_is_paid_later(account: TestAccount, listener: Listener) -> None:
    session = account.session((account.price(), 1))
    answer = account.pay(session, "000123456789")
    assert (answer["session"]["status"], answer["session"]["payment_status"]) == ("complete", "unpaid")
    account.control("POST", f"/payment_intents/{answer['session']['payment_intent']}/settle")
    assert account.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    listener.wait_for("checkout.session.async_payment_succeeded")


def test_a_bank_debit_can_fail_later(account: TestAccount) -> None:
    session = account.session((account.price(), 1))
    answer = account.pay(session, "000222222227")
    account.control("POST", f"/payment_intents/{answer['session']['payment_intent']}/settle")
    assert account.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    assert account.event_types()[-1] == "checkout.session.async_payment_failed"


def test_an_expired_session_cannot_be_paid(account: TestAccount) -> None:
    session = account.session((account.price(), 1))
    expired = check(account.v1.checkout.sessions.expire(session.id))
    assert (expired.status, expired.url) == ("expired", None)
    assert account.event_types()[-1] == "checkout.session.expired"
    refused = account.http.post(f"/_sandbox/control/checkout/{session.id}/pay", json={})
    assert refused.json()["error"]["code"] == "checkout_session_not_open"
    with pytest.raises(stripe.InvalidRequestError):
        account.v1.checkout.sessions.expire(session.id)


def test_quantities_can_be_adjusted_within_bounds(account: TestAccount) -> None:
    price = account.price(1000)
    item = {"price": price.id, "quantity": 1, "adjustable_quantity": {"enabled": True, "minimum": 1, "maximum": 5}}
    session = account.session(line_items=[item])
    line = account.v1.checkout.sessions.line_items.list(session.id).data[0].id
    refused = account.http.post(f"/_sandbox/control/checkout/{session.id}/pay", json={"quantities": {line: 6}})
    assert refused.status_code == 400
    assert account.pay(session, quantities={line: 5})["session"]["amount_total"] == 5000


def test_a_guest_gets_a_customer_only_if_asked_for(account: TestAccount) -> None:
    price = account.price()
    guest = account.pay(account.session((price, 1)), email="guest@example.com")["session"]
    assert guest["customer"] is None
    assert guest["customer_details"]["email"] == "guest@example.com"
    known = account.pay(account.session((price, 1), customer_creation="always"), email="new@example.com")["session"]
    assert account.v1.customers.retrieve(known["customer"]).email == "new@example.com"


def test_a_card_is_saved_for_later_use(account: TestAccount) -> None:
    customer = account.customer()
    session = account.session(
        (account.price(), 1), customer=customer.id, payment_intent_data={"setup_future_usage": "off_session"}
    )
    account.pay(session, "4000002500003155", authentication="complete")
    methods = check(account.v1.customers.payment_methods.list(customer.id)).data
    assert [method.card.last4 for method in methods] == ["3155"]
    again = check(
        account.v1.payment_intents.create(
            {
                "amount": 2000,
                "currency": "usd",
                "customer": customer.id,
                "payment_method": methods[0].id,
                "off_session": True,
                "confirm": True,
            }
        )
    )
    assert again.status == "succeeded"


def test_an_invoice_is_made_when_asked_for(account: TestAccount) -> None:
    creation = {"enabled": True, "invoice_data": {"metadata": {"order": "o1"}}}
    session = account.session((account.price(1000), 3), invoice_creation=creation)
    done = account.pay(session, email="ada@example.com")["session"]
    invoice = check(account.v1.invoices.retrieve(done["invoice"], {"expand": ["payments"]}))
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 3000, "manual")
    assert invoice.parent is None
    assert invoice.metadata.to_dict() == {"order": "o1"}
    assert invoice.payments.data[0].payment.payment_intent == done["payment_intent"]
    assert account.event_types()[-1] == "checkout.session.completed"
