"""The webhook route: only Stripe gets in, everything is stored once, and the answer does not wait for the work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from billing_app.api.common.body_limits import MAX_BODY_BYTES
from billing_app.db import Database
from tests.api.serving import Site
from tests.support.patience import eventually
from tests.support.shop import Shop
from tests.support.storefront import SECRET, Storefront, a_storefront

COMPLETED = "checkout.session.completed"


@pytest.fixture
def storefront(site: Site, database: Database) -> Iterator[Storefront]:
    """Our API with Stripe."""
    with a_storefront(site, database) as made:
        yield made


def handled(shop: Shop) -> bool:
    return all(event.state == "handled" for event in shop.events())


def test_an_event_is_stored_answered_and_handled(storefront: Storefront) -> None:
    session_id = storefront.shop.buy("mau-10k")
    answer = storefront.send(storefront.event(session_id))
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert len(storefront.shop.events()) == 1
    eventually(lambda: handled(storefront.shop))
    assert [grant.quantity for grant in storefront.shop.grants()] == [10_000]


def test_delivered_three_times_it_is_one_event_and_one_grant(storefront: Storefront) -> None:
    payload = storefront.event(storefront.shop.buy("mau-10k"))
    assert [storefront.send(payload).status_code for _ in range(3)] == [200, 200, 200]
    eventually(lambda: handled(storefront.shop))
    assert (len(storefront.shop.events()), len(storefront.shop.grants())) == (1, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"signature": ""},
        {"signature": "t=1,v1=00"},
        {"signature": "nonsense"},
        {"secret": "whsec_of_another"},
        {"age": 301},
        {"age": 86_400},
    ],
)
def test_what_stripe_did_not_sign_now_is_refused_and_not_stored(storefront: Storefront, wrong: dict[str, Any]) -> None:
    answer = storefront.send(storefront.event(storefront.shop.buy("mau-10k")), **wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_signature")
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text
    assert (storefront.shop.events(), storefront.shop.grants()) == ([], [])


@pytest.mark.parametrize("payload", ["", "[]", "{}", "not json", json.dumps({"object": "event"})])
def test_a_signed_body_that_is_no_event_is_refused(storefront: Storefront, payload: str) -> None:
    answer = storefront.send(payload)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_event")
    assert storefront.shop.events() == []


def test_a_body_has_at_most_a_mebibyte(storefront: Storefront) -> None:
    answer = storefront.send(" " * (MAX_BODY_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_large_event_fits(storefront: Storefront) -> None:
    event = {"id": "evt_1", "object": "event", "type": "price.created", "created": 1, "data": {"object": {"id": "p"}}}
    payload = json.dumps(event | {"padding": "x" * (MAX_BODY_BYTES - 1000)})
    assert storefront.send(payload).status_code == 200


@pytest.mark.parametrize("missing", ["stripe_api_secret", "stripe_webhook_secret"])
def test_without_a_secret_there_is_no_endpoint(site: Site, database: Database, missing: str) -> None:
    with a_storefront(site, database, **{missing: ""}) as storefront:
        answer = storefront.send(json.dumps({"object": "event"}))
        assert (answer.status_code, answer.json()["code"]) == (503, "buying_unavailable")
        assert storefront.shop.events() == []


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "invoice.finalized_by_a_dragon"},
        {"object": "v2.core.event", "created": "2026-11-21T12:00:00Z", "data": None},
    ],
)
def test_unknown_and_thin_events_are_stored_and_ignored(storefront: Storefront, changed: dict[str, Any]) -> None:
    event = {"id": "evt_1", "object": "event", "type": COMPLETED, "created": 1, "livemode": False}
    answer = storefront.send(json.dumps(event | {"data": {"object": {"id": "cs_1"}}} | changed))
    assert answer.status_code == 200
    assert [event.state for event in storefront.shop.events()] == ["ignored"]


def test_the_answer_does_not_wait_for_stripe(storefront: Storefront) -> None:
    session_id = storefront.shop.buy("mau-10k")
    payload = storefront.event(session_id)
    path = f"/v1/checkout/sessions/{session_id}"
    storefront.shop.control("POST", "/faults", kind="api_timeout", count=1, seconds=3.0, path=path)
    assert storefront.send(payload).status_code == 200
    assert storefront.shop.grants() == [], "the answer came before Stripe's"
    eventually(lambda: len(storefront.shop.grants()) == 1)


def test_work_that_fails_leaves_the_event_for_the_sweep(storefront: Storefront) -> None:
    session_id = storefront.shop.buy("mau-10k")
    payload = storefront.event(session_id)
    path = f"/v1/checkout/sessions/{session_id}"
    storefront.shop.control("POST", "/faults", kind="api_error", count=1, status=400, path=path)
    assert storefront.send(payload).status_code == 200
    eventually(lambda: [event.state for event in storefront.shop.events()] == ["failed"])
    (event,) = storefront.shop.events()
    assert (event.attempts, event.next_try_at is not None) == (1, True)
    assert storefront.shop.grants() == []


def test_nothing_secret_is_written_down(storefront: Storefront, capfd: pytest.CaptureFixture[str]) -> None:
    payload = storefront.event(storefront.shop.buy("mau-10k"))
    storefront.send(payload, secret="whsec_wrong")
    storefront.send(payload)
    eventually(lambda: len(storefront.shop.grants()) == 1)
    written = "".join(capfd.readouterr())
    for secret in (SECRET, storefront.shop.key):
        assert secret not in written
