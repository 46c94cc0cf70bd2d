"""An operator at work over HTTP: a refund, an event that was lost, everything compared; on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from billing_app.db import Database
from billing_app.jobs import reconciliation as job
from tests.api.serving import Site
from tests.support.builders import a_key
from tests.support.refunds import buy, plan, refund, use
from tests.support.storefront import Storefront, a_storefront


@pytest.fixture
def storefront(site: Site, database: Database) -> Iterator[Storefront]:
    """Our API, to which Stripe sends nothing."""
    with a_storefront(site, database) as made:
        plan(made.shop)
        yield made


@pytest.fixture
def operator(storefront: Storefront) -> Iterator[httpx.Client]:
    """A program of the operator's."""
    with storefront.shop.database.writing() as session:
        secret = a_key(session, None)[0]
    with storefront.api.program(secret) as client:
        yield client


def test_a_refund_is_shown_made_once_and_refused_beyond_the_price(
    storefront: Storefront, operator: httpx.Client
) -> None:
    buy(storefront.shop, "sms-100")
    use(storefront.shop, "sms", 80)
    storefront.api.now = storefront.shop.clock()
    grant = storefront.shop.grants()[0].id
    shown = operator.get(f"/admin/grants/{grant}/refund", params={"amount_cents": 325}).json()
    assert (shown["taken_back"], shown["debt"], shown["refundable_cents"]) == (20, 30, 650)
    body, key = {"amount_cents": 325, "reason": "By mistake"}, {"Idempotency-Key": "k1"}
    made = [operator.post(f"/admin/grants/{grant}/refund", json=body, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json() == made[1].json()
    too_much = operator.post(
        f"/admin/grants/{grant}/refund",
        json={"amount_cents": 326, "reason": "More"},
        headers={"Idempotency-Key": "k2"},
    )
    assert (too_much.status_code, too_much.json()["code"]) == (422, "refund_too_large")
    assert operator.get("/admin/grants/none/refund").status_code == 404


def test_what_was_lost_is_replayed_or_found_by_the_comparison(storefront: Storefront, operator: httpx.Client) -> None:
    shop = storefront.shop
    payment = buy(shop, "sms-100")
    event = shop.event_id("refund.created", refund(shop, payment, 325))
    replayed = operator.post(f"/admin/stripe-events/{event}/replay").json()
    assert (replayed["state"], replayed["address"], shop.balance("sms")) == ("handled", "acme", 50)
    assert operator.get(f"/admin/stripe-events/{event}").json()["payload"]["id"] == event
    listed = operator.get("/admin/stripe-events", params={"state": "handled", "organization": "acme"}).json()
    assert [each["id"] for each in listed["items"]] == [event]
    refund(shop, payment)
    assert operator.get("/admin/reconciliation/latest").status_code == 404
    asked = operator.post("/admin/reconciliation", json={})
    assert asked.status_code == 202
    assert job.catch_up(shop.database, storefront.api.settings)
    report = operator.get("/admin/reconciliation/latest").json()
    assert (report["id"], report["state"], report["remaining"]) == (asked.json()["run"], "finished", 0)
    assert {finding["code"] for finding in report["findings"]} == {"event_missed"}
    assert shop.balance("sms") == 0
    assert not job.catch_up(shop.database, storefront.api.settings)


def test_recounts_are_listed_and_asked_for(storefront: Storefront, operator: httpx.Client) -> None:
    buy(storefront.shop, "sms-100")
    storefront.api.now = storefront.shop.clock()
    assert operator.post("/admin/recounts").status_code == 200
    (run,) = operator.get("/admin/recounts").json()["items"]
    assert (run["trigger"], run["error"]) == ("demand", "")
