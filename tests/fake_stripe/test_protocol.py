"""What holds for every call: keys, versions, errors, idempotency, cursors, expansion."""

import secrets
import threading

import pytest
import stripe

from tests import loopback
from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.answers import check
from tests.fake_stripe.process import FakeStripeServer


@pytest.mark.parametrize("key", ["sk_live_abcdefghijkl", "rk_live_abcdefghijkl", "pk_test_abcdefghijkl", "nonsense"])
def test_only_test_keys_are_taken(server: FakeStripeServer, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError) as refused, TestAccount(server.url, key) as account:
        account.v1.products.list()
    assert ("live keys" in str(refused.value)) == ("_live_" in key)


def test_a_request_without_a_key_is_refused(server: FakeStripeServer) -> None:
    assert loopback.get(f"{server.url}/v1/products").status_code == 401


def test_each_key_has_an_account_of_its_own(server: FakeStripeServer, account: TestAccount) -> None:
    product = account.v1.products.create({"name": "x"})
    with TestAccount(server.url, f"sk_test_{secrets.token_hex(8)}") as other:
        assert other.v1.products.list().data == []
        with pytest.raises(stripe.InvalidRequestError) as refused:
            other.v1.products.retrieve(product.id)
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_version_and_request_id_are_answered(account: TestAccount) -> None:
    answer = account.http.get("/v1/products")
    assert answer.headers["stripe-version"] == stripe.api_version
    assert answer.headers["request-id"].startswith("req_")
    other = account.http.get("/v1/products", headers={"Stripe-Version": "2020-08-27"})
    assert other.status_code == 400


def test_a_tool_that_names_no_version_may_send_what_older_ones_took(account: TestAccount) -> None:
    older = {"amount": "500", "currency": "usd", "payment_method_types[0]": "card"}
    assert account.http.post("/v1/payment_intents", data=older).status_code == 200
    named = account.http.post("/v1/payment_intents", data=older, headers={"Stripe-Version": stripe.api_version})
    assert named.json()["error"]["param"] == "payment_method_types"


def test_the_same_key_and_request_is_answered_once(account: TestAccount) -> None:
    once = {"idempotency_key": "order-1"}
    first = account.v1.customers.create({"email": "a@example.com"}, once)
    again = account.v1.customers.create({"email": "a@example.com"}, once)
    assert again.id == first.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert len(account.v1.customers.list().data) == 1


def test_the_same_key_for_another_request_is_refused(account: TestAccount) -> None:
    once = {"idempotency_key": "order-1"}
    account.v1.customers.create({"email": "a@example.com"}, once)
    with pytest.raises(stripe.IdempotencyError):
        account.v1.customers.create({"email": "b@example.com"}, once)
    with pytest.raises(stripe.IdempotencyError):
        account.v1.products.create({"name": "x"}, once)


def test_a_refused_request_does_not_use_up_its_key_but_a_decline_does(account: TestAccount) -> None:
    once = {"idempotency_key": "k"}
    with pytest.raises(stripe.InvalidRequestError):
        account.v1.customers.create({"nonsense": 1}, once)
    account.v1.customers.create({}, once)

    declined = {"amount": 500, "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": True}
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            account.v1.payment_intents.create(declined, {"idempotency_key": "pay"})
        assert refused.value.code == "card_declined"
    assert len(account.v1.payment_intents.list().data) == 1


def test_parallel_requests_with_one_key_have_one_effect(account: TestAccount) -> None:
    ids: list[str] = []

    def create() -> None:
        ids.append(account.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k"}).id)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 6
    assert len(set(ids)) == 1


def test_lists_are_walked_in_both_directions(account: TestAccount) -> None:
    made = [account.v1.customers.create({"name": str(number)}).id for number in range(5)]
    newest_first = list(reversed(made))
    page = check(account.v1.customers.list({"limit": 2}))
    assert [customer.id for customer in page.data] == newest_first[:2]
    assert page.has_more
    assert [customer.id for customer in page.auto_paging_iter()] == newest_first
    back = account.v1.customers.list({"limit": 2, "ending_before": newest_first[3]})
    assert [customer.id for customer in back.data] == newest_first[1:3]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        account.v1.customers.list({"starting_after": "cus_unknown"})
    assert refused.value.param == "starting_after"
    with pytest.raises(stripe.InvalidRequestError):
        account.v1.customers.list({"limit": 101})


def test_expansion_reaches_into_lists_and_levels(account: TestAccount) -> None:
    price = account.price()
    found = account.v1.prices.list({"expand": ["data.product"]}).data[0]
    assert found.product.name == "10,000 MAU"
    assert account.v1.prices.retrieve(price.id).product == found.product.id
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        account.v1.prices.retrieve(price.id, {"expand": ["nonsense"]})


def test_metadata_is_merged_and_unset(account: TestAccount) -> None:
    customer = account.customer(metadata={"a": "1", "b": "2"})
    changed = account.v1.customers.update(customer.id, {"metadata": {"a": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    assert account.v1.customers.update(customer.id, {"metadata": ""}).metadata.to_dict() == {}


def test_a_deleted_customer_is_a_gravestone(account: TestAccount) -> None:
    customer = account.customer()
    assert check(account.v1.customers.delete(customer.id)).deleted
    assert account.v1.customers.retrieve(customer.id).deleted
    assert account.v1.customers.list().data == []


def test_the_state_survives_being_killed(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.fake_stripe.process import fake_stripe

    with fake_stripe(tmp_path_factory.mktemp("killed")) as own, TestAccount(own.url, "sk_test_survivor1") as account:
        session = account.session((account.price(), 1))
        account.v1.customers.create({"name": "kept"}, {"idempotency_key": "k"})
        own.restart()
        assert account.pay(session)["session"]["payment_status"] == "paid"
        assert account.v1.customers.create({"name": "kept"}, {"idempotency_key": "k"}).name == "kept"
        assert len(account.v1.customers.list().data) == 1
