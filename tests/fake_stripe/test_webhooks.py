"""Deliveries: signed, retried, logged, resent, and spoiled on request."""

import pytest
import stripe

from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.answers import check
from tests.fake_stripe.listener import Listener
from tests.fake_stripe.process import fake_stripe
from tests.support.patience import eventually


def test_an_endpoint_of_the_api_gets_signed_events(account: TestAccount) -> None:
    with Listener() as listening:
        endpoint = check(
            account.v1.webhook_endpoints.create({"url": listening.url, "enabled_events": ["customer.created"]})
        )
        assert endpoint.secret.startswith("whsec_")
        assert "secret" not in account.v1.webhook_endpoints.retrieve(endpoint.id).to_dict()
        listening.secret = endpoint.secret
        account.v1.products.create({"name": "not listened to"})
        customer = account.customer()
        (event,) = listening.wait_for("customer.created")
        assert event.data.object.id == customer.id
        assert event.api_version == stripe.api_version
        assert listening.types == ["customer.created"]


def test_unknown_event_types_are_refused(account: TestAccount) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        account.v1.webhook_endpoints.create({"url": "http://127.0.0.1:1", "enabled_events": ["customer.exploded"]})
    assert refused.value.param == "enabled_events[0]"


def test_registering_a_url_again_only_changes_its_secret(account: TestAccount) -> None:
    first = account.control("PUT", "/webhook-endpoint", url="http://127.0.0.1:1/x", secret="whsec_a")
    again = account.control("PUT", "/webhook-endpoint", url="http://127.0.0.1:1/x", secret="whsec_b")
    assert first["id"] == again["id"]
    assert len(account.v1.webhook_endpoints.list().data) == 1


def test_a_refused_delivery_is_tried_again(account: TestAccount, listener: Listener) -> None:
    listener.answers = [500, 503]
    account.customer()
    (event,) = listener.wait_for("customer.created")
    log = account.control("GET", "/deliveries", event=event.id)["data"][0]
    eventually(lambda: account.v1.events.retrieve(event.id).pending_webhooks == 0)
    log = account.control("GET", "/deliveries", event=event.id)["data"][0]
    assert [attempt["status"] for attempt in log["log"]] == [500, 503, 200]
    assert (log["state"], log["attempts"]) == ("delivered", 3)


def test_undelivered_events_can_be_listed(account: TestAccount, listener: Listener) -> None:
    account.control("POST", "/faults", kind="drop", types=["customer.created"])
    dropped, delivered = account.customer(), account.customer()
    listener.wait_for("customer.created")
    assert [event.data.object.id for event in listener.events] == [delivered.id]
    eventually(lambda: len(account.v1.events.list({"delivery_success": True}).data) == 1)
    missed = check(account.v1.events.list({"delivery_success": False, "types": ["customer.created"]})).data
    assert [event.data.object.id for event in missed] == [dropped.id]
    account.control("POST", f"/events/{missed[0].id}/resend")
    listener.wait_for("customer.created", count=2)


def test_duplicates(account: TestAccount, listener: Listener) -> None:
    account.control("POST", "/faults", kind="duplicate", copies=3)
    account.customer()
    events = listener.wait_for("customer.created", count=3)
    assert len({event.id for event in events}) == 1


@pytest.mark.parametrize("order", [None, [1, 2, 0]])
def test_reordering(account: TestAccount, listener: Listener, order: list[int] | None) -> None:
    options = {"order": order} if order else {}
    account.control("POST", "/faults", kind="reorder", count=3, types=["customer.created"], **options)
    made = [account.customer().id for _ in range(3)]
    events = listener.wait_for("customer.created", count=3)
    assert [event.data.object.id for event in events] == [made[place] for place in order or [2, 1, 0]]


def test_a_delayed_event_arrives_after_later_ones(account: TestAccount, listener: Listener) -> None:
    account.control("POST", "/faults", kind="delay", seconds=0.5)
    late, early = account.customer(), account.customer()
    events = listener.wait_for("customer.created", count=2)
    assert [event.data.object.id for event in events] == [early.id, late.id]


@pytest.mark.parametrize(("kind", "reason"), [("corrupt_signature", "No signatures"), ("old_signature", "tolerance")])
def test_bad_signatures(account: TestAccount, listener: Listener, kind: str, reason: str) -> None:
    account.control("POST", "/faults", kind=kind)
    account.customer()
    listener.wait_for("customer.created")
    assert len(listener.refused) == 1
    assert reason in listener.refused[0]


def test_calls_fail_before_or_after_their_work(account: TestAccount) -> None:
    account.control("POST", "/faults", kind="api_error", count=2, path="/v1/customers", method="POST")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            account.customer()
    account.control("POST", "/faults", kind="api_error", when="after", method="POST")
    with pytest.raises(stripe.APIError):
        account.v1.customers.create({"name": "made all the same"}, {"idempotency_key": "k"})
    assert account.v1.customers.create({"name": "made all the same"}, {"idempotency_key": "k"}).name
    assert len(account.v1.customers.list().data) == 1


def test_calls_time_out(account: TestAccount) -> None:
    account.control("POST", "/faults", kind="api_timeout", seconds=0.2)
    with pytest.raises(stripe.APIError) as refused:
        account.v1.customers.list()
    assert refused.value.http_status == 504


def test_rate_limits(account: TestAccount) -> None:
    account.control("POST", "/faults", kind="api_error", status=429)
    with pytest.raises(stripe.RateLimitError):
        account.v1.customers.list()


def test_unknown_faults_and_options_are_refused(account: TestAccount) -> None:
    assert account.http.post("/_sandbox/control/faults", json={"kind": "gremlins"}).status_code == 400
    assert account.http.post("/_sandbox/control/faults", json={"kind": "drop", "copies": 2}).status_code == 400
    account.control("POST", "/faults", kind="drop", count=3)
    assert account.control("GET", "/faults")["data"] == [{"kind": "drop", "remaining": 3, "types": None}]
    assert account.control("DELETE", "/faults")["data"] == []


def test_what_was_queued_is_delivered_after_being_killed(tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        fake_stripe(tmp_path_factory.mktemp("queue")) as own,
        TestAccount(own.url, "sk_test_queue_owner") as account,
        Listener() as listening,
    ):
        account.control("PUT", "/webhook-endpoint", url=listening.url, secret=listening.secret)
        account.control("POST", "/faults", kind="delay", seconds=1.0, count=2)
        account.customer()
        account.customer()
        own.restart()
        listening.wait_for("customer.created", count=2)
