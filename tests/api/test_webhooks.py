"""The webhook route: only Stripe gets in, everything is stored once, and the answer does not wait for the work."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import stripe
from fastapi import BackgroundTasks

from billing_app import clock
from billing_app.api.bodies import MAX_BODY_BYTES
from billing_app.api.routes import webhooks
from billing_app.db import Database
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.shop import Shop, a_shop

SECRET = "whsec_of_the_test"
COMPLETED = "checkout.session.completed"
PATIENCE_SECONDS = 10.0


class Console:
    """Our API, with the shop's account at Stripe behind it."""

    def __init__(self, site: Site, database: Database, **settings: Any) -> None:
        """Connects the two."""
        self.site = site
        self.shop = a_shop(database)
        given = {
            "stripe_api_secret": self.shop.key,
            "stripe_webhook_secret": SECRET,
            "stripe_api_base": self.shop.url,
        }
        self.api = Api(site, database, **(given | settings))
        self.api.now = clock.now()
        self.client = self.api.client()

    def close(self) -> None:
        """Ends it."""
        self.client.close()
        self.site.app = None

    def send(self, payload: str, *, age: int = 0, secret: str = SECRET, signature: str | None = None) -> httpx.Response:
        """What Stripe's own server would do."""
        made = stripe.WebhookSignature.generate_signature_header(payload, secret, int(time.time()) - age)
        headers = {"Stripe-Signature": made if signature is None else signature, "Content-Type": "application/json"}
        if signature == "":
            del headers["Stripe-Signature"]
        return self.client.post("/webhooks/stripe", content=payload, headers=headers)

    def event(self, session_id: str) -> str:
        """The event of a paid session, as Stripe would send it."""
        return self.shop.payments.event(self.shop.event_id(COMPLETED, session_id)).payload


@pytest.fixture
def console(site: Site, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """Our API with Stripe. It ends when all work after answers has ended, for that uses the test's database."""
    begun, done, work, add = [], [], webhooks._work, BackgroundTasks.add_task

    def adding(tasks: BackgroundTasks, *arguments: Any) -> None:
        begun.append(1)
        add(tasks, *arguments)

    async def working(*arguments: Any) -> None:
        await work(*arguments)
        done.append(1)

    monkeypatch.setattr(BackgroundTasks, "add_task", adding)
    monkeypatch.setattr(webhooks, "_work", working)
    made = Console(site, database)
    yield made
    eventually(lambda: len(begun) == len(done))
    made.close()


def eventually(true: Callable[[], bool]) -> None:
    """Waits until it is."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def handled(shop: Shop) -> bool:
    return all(event.state == "handled" for event in shop.events())


def test_an_event_is_stored_answered_and_handled(console: Console) -> None:
    session_id = console.shop.buy("mau-10k")
    answer = console.send(console.event(session_id))
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert len(console.shop.events()) == 1
    eventually(lambda: handled(console.shop))
    assert [grant.quantity for grant in console.shop.grants()] == [10_000]


def test_delivered_three_times_it_is_one_event_and_one_grant(console: Console) -> None:
    payload = console.event(console.shop.buy("mau-10k"))
    assert [console.send(payload).status_code for _ in range(3)] == [200, 200, 200]
    eventually(lambda: handled(console.shop))
    assert (len(console.shop.events()), len(console.shop.grants())) == (1, 1)


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
def test_what_stripe_did_not_sign_now_is_refused_and_not_stored(console: Console, wrong: dict[str, Any]) -> None:
    answer = console.send(console.event(console.shop.buy("mau-10k")), **wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_signature")
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text
    assert (console.shop.events(), console.shop.grants()) == ([], [])


@pytest.mark.parametrize("payload", ["", "[]", "{}", "not json", json.dumps({"object": "event"})])
def test_a_signed_body_that_is_no_event_is_refused(console: Console, payload: str) -> None:
    answer = console.send(payload)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_event")
    assert console.shop.events() == []


def test_a_body_has_at_most_a_mebibyte(console: Console) -> None:
    answer = console.send(" " * (MAX_BODY_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_large_event_fits(console: Console) -> None:
    event = {"id": "evt_1", "object": "event", "type": "price.created", "created": 1, "data": {"object": {"id": "p"}}}
    payload = json.dumps(event | {"padding": "x" * (MAX_BODY_BYTES - 1000)})
    assert console.send(payload).status_code == 200


@pytest.mark.parametrize("missing", ["stripe_api_secret", "stripe_webhook_secret"])
def test_without_a_secret_there_is_no_endpoint(site: Site, database: Database, missing: str) -> None:
    console = Console(site, database, **{missing: ""})
    answer = console.send(json.dumps({"object": "event"}))
    assert (answer.status_code, answer.json()["code"]) == (503, "buying_unavailable")
    assert console.shop.events() == []
    console.close()


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "invoice.finalized_by_a_dragon"},
        {"object": "v2.core.event", "created": "2026-11-21T12:00:00Z", "data": None},
    ],
)
def test_unknown_and_thin_events_are_stored_and_ignored(console: Console, changed: dict[str, Any]) -> None:
    event = {"id": "evt_1", "object": "event", "type": COMPLETED, "created": 1, "livemode": False}
    answer = console.send(json.dumps(event | {"data": {"object": {"id": "cs_1"}}} | changed))
    assert answer.status_code == 200
    assert [event.state for event in console.shop.events()] == ["ignored"]


def test_the_answer_does_not_wait_for_stripe(console: Console) -> None:
    session_id = console.shop.buy("mau-10k")
    payload = console.event(session_id)
    path = f"/v1/checkout/sessions/{session_id}"
    console.shop.control("POST", "/faults", kind="api_timeout", count=1, seconds=3.0, path=path)
    began = time.monotonic()
    assert console.send(payload).status_code == 200
    assert time.monotonic() - began < 2
    eventually(lambda: len(console.shop.grants()) == 1)


def test_work_that_fails_leaves_the_event_for_the_sweep(console: Console) -> None:
    session_id = console.shop.buy("mau-10k")
    payload = console.event(session_id)
    path = f"/v1/checkout/sessions/{session_id}"
    console.shop.control("POST", "/faults", kind="api_error", count=1, status=400, path=path)
    assert console.send(payload).status_code == 200
    eventually(lambda: [event.state for event in console.shop.events()] == ["failed"])
    (event,) = console.shop.events()
    assert (event.attempts, event.next_try_at is not None) == (1, True)
    assert console.shop.grants() == []


def test_nothing_secret_is_written_down(console: Console, capfd: pytest.CaptureFixture[str]) -> None:
    payload = console.event(console.shop.buy("mau-10k"))
    console.send(payload, secret="whsec_wrong")
    console.send(payload)
    eventually(lambda: len(console.shop.grants()) == 1)
    written = "".join(capfd.readouterr())
    for secret in (SECRET, console.shop.key):
        assert secret not in written
