"""One trouble at a time: every order of news, every write the last one, two replicas at once, Stripe out of reach."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from stripe._http_client import HTTPClient

from billing_app.db import Database
from billing_app.gateways.stripe import connection as stripe_connection
from billing_app.gateways.stripe.payments import verified_event
from billing_app.services.stripe import inbox, reconciliation
from billing_app.services.stripe.event_handlers import HANDLERS
from billing_app.services.stripe.findings import Sync
from billing_app.store.common.runs import LEASE_TIME
from tests.money.town import Town, signed
from tests.support import crashes
from tests.support.patience import PATIENCE_SECONDS
from tests.support.shop import Shop

WRITES = 400
"""More than any handler makes."""

_processes = multiprocessing.get_context("forkserver")


@pytest.fixture
def town(database: Database) -> Town:
    """One organization, with a postman who does what a test says."""
    return Town(database, 1, random.Random(1))


def basket(town: Town) -> None:
    """One Checkout for packs that are paid once and every month."""
    town.shop.buy("sms-100", "mau-10k-monthly", storage_50gb=2)


def reversed_(town: Town) -> None:
    """A basket, a part of which is refunded, then disputed and lost, before we hear of any of it."""
    session_id = town.shop.buy("sms-100", "mau-1k")
    payment = str(town.v1.checkout.sessions.retrieve(session_id).payment_intent)
    town.v1.refunds.create({"payment_intent": payment, "amount": 333})
    found = town.shop.control("POST", "/disputes", payment_intent=payment, amount=500)
    town.shop.control("POST", f"/disputes/{found['id']}/close", outcome="lost")


def renewed(town: Town) -> None:
    """A monthly pack whose renewal fails and is paid three days later; all news come afterwards."""
    town.shop.buy("sms-500-monthly")
    town.collect()
    (subscription,) = town.v1.subscriptions.list({"customer": town.households[0].customer_id}).data
    town.shop.control("POST", f"/subscriptions/{subscription.id}/fail-next-renewal", count=1)
    town.advance(days=31, hours=2)
    town.advance(days=4)


STORIES: dict[str, tuple[Callable[[Town], None], tuple[str, ...]]] = {
    "basket": (basket, ("checkout.session.completed", "invoice.paid", "customer.subscription.created")),
    "reversed": (
        reversed_,
        ("checkout.session.completed", "refund.created", "charge.dispute.created", "charge.dispute.closed"),
    ),
    "renewed": (renewed, ("checkout.session.completed", "invoice.paid", "invoice.payment_failed", "invoice.paid")),
}


def news(town: Town, types: tuple[str, ...] | None = None) -> list[str]:
    """What has happened and does something here: in the order of `types`, or all of it, oldest first."""
    told = [payload for payload in town.carried() if json.loads(payload)["type"] in HANDLERS]
    if types is None:
        return told
    found = []
    for kind in types:
        payload = next(each for each in told if json.loads(each)["type"] == kind)
        told.remove(payload)
        found.append(payload)
    return found


@pytest.mark.parametrize("most", [6, pytest.param(24, marks=pytest.mark.long)])
@pytest.mark.parametrize("story", STORIES)
def test_every_order_of_news_leads_to_the_same(database: Database, story: str, most: int) -> None:
    """All six orders of a purchase's three events; of four events six of the 24, or all in the long run."""
    tell, types = STORIES[story]
    orders = list(itertools.permutations(range(len(types))))
    orders = orders[:: max(1, len(orders) // most)]
    town = Town(database, len(orders), random.Random(1))
    for house, order in zip(town.households, orders, strict=True):
        alone = town.only(house)
        tell(alone)
        told = news(alone, types)
        for place in order:
            alone.receive(told[place])
        assert alone.differences() == [], [types[place] for place in order]


@pytest.mark.both_databases
@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("story", STORIES)
def test_ended_before_any_write_it_is_finished_by_the_next_one(town: Town, story: str, stride: int) -> None:
    """Each event is worked on by somebody who ends before the first write, then a later one, until one survives."""
    STORIES[story][0](town)
    deaths = 0
    for payload in news(town):
        event = verified_event(payload.encode(), signed(payload), "whsec_of_the_town")
        with town.database.writing() as session:
            inbox.receive(session, event, town.now)
        subject = inbox.subject_of(event)
        for write in range(1 + deaths % stride, WRITES, stride):
            if crashes.survives(town.database, write, lambda at=subject: inbox.work(town.worker(), at)):
                break
            deaths += 1
            town.now += LEASE_TIME + timedelta(seconds=1)
    assert deaths * stride > 30, "there were more writes than that to die before"
    assert town.unfinished() == []
    assert town.differences() == []


def work_alone(database: Database, key: str, url: str, subject: str, now: Any) -> None:
    """What a process of its own does about an event."""
    shop = Shop(database, "house-0", key, clock=lambda: now, url=url)
    inbox.work(shop.worker(), subject)


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("write", [7, *(pytest.param(write, marks=pytest.mark.long) for write in (2, 15))])
def test_killed_it_is_finished_by_the_next_one(town: Town, database_url: str, story: str, write: int) -> None:
    STORIES[story][0](town)
    told = news(town)
    for payload in told:
        event = verified_event(payload.encode(), signed(payload), "whsec_of_the_town")
        with town.database.writing() as session:
            inbox.receive(session, event, town.now)
    subject = inbox.subject_of(event)
    assert crashes.killed(database_url, write, work_alone, town.shop.key, town.shop.url, subject, town.now)
    town.now += LEASE_TIME + timedelta(seconds=1)
    inbox.sweep(town.worker())
    assert town.unfinished() == []
    assert town.differences() == []


def hear(url: str, key: str, stripe: str, payloads: list[str], now: Any, gate: Any) -> None:
    """One replica: a process with its own connections, told at the same moment as the other one."""
    database = Database(url)
    shop = Shop(database, "house-0", key, clock=lambda: now, url=stripe)
    for payload in payloads:
        event = verified_event(payload.encode(), signed(payload), "whsec_of_the_town")
        gate.wait(PATIENCE_SECONDS)
        with database.writing() as session:
            inbox.receive(session, event, now)
        inbox.work(shop.worker(), inbox.subject_of(event))
    database.close()


@pytest.mark.parametrize("story", STORIES)
def test_two_replicas_are_told_the_same_at_the_same_moment(town: Town, database_url: str, story: str) -> None:
    STORIES[story][0](town)
    told, gate = news(town), _processes.Barrier(2)
    arguments = (database_url, town.shop.key, town.shop.url, told, town.now, gate)
    replicas = [_processes.Process(target=hear, args=arguments) for _ in range(2)]
    for replica in replicas:
        replica.start()
    for replica in replicas:
        replica.join(PATIENCE_SECONDS)
        assert replica.exitcode == 0
    town.now += LEASE_TIME + timedelta(seconds=1)
    inbox.sweep(town.worker())
    assert len(town.shop.events()) == len(told)
    assert town.unfinished() == []
    assert town.differences() == []


@pytest.mark.parametrize("story", STORIES)
def test_what_nobody_told_us_the_sync_finds(town: Town, story: str) -> None:
    STORIES[story][0](town)
    assert town.differences() != []
    for _ in range(2):
        sync = Sync(town.database.writing, town.shop.payments, town.time, town.now - timedelta(days=60))
        reconciliation.run(sync, "test", "test")
        assert town.differences() == []


TROUBLES: dict[str, dict[str, Any]] = {
    "500 for the first calls": {"kind": "api_error", "status": 500, "count": 4},
    "500 after the work was done": {"kind": "api_error", "status": 500, "count": 4, "when": "after"},
    "too many requests": {"kind": "api_error", "status": 429, "count": 2},
    "no answer in time": {"kind": "api_timeout", "seconds": 1.0, "count": 4},
    "no answer in time though the work was done": {"kind": "api_timeout", "seconds": 1.0, "count": 4, "when": "after"},
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_stripe_is_out_of_reach_while_we_sell_and_while_we_listen(
    database: Database, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HTTPClient, "INITIAL_DELAY", 0.005)
    monkeypatch.setattr(HTTPClient, "MAX_DELAY", 0.01)
    monkeypatch.setattr(stripe_connection, "TIMEOUT_SECONDS", (1.0, 0.4))
    town = Town(database, 1, random.Random(1))
    town.troubles = [dict(TROUBLES[trouble])]
    wanted = {"sms_100": 1, "mau_10k_monthly": 2}
    assert town.ask(town.shop.start, key="k", **wanted) is None
    started = town.shop.start(key="k", **wanted)
    assert len(town.v1.checkout.sessions.list().data) == 1
    town.shop.pay(started.session_id)
    first, *others = news(town)
    town.troubles = [dict(TROUBLES[trouble])]
    with town.trouble():
        town.receive(first)
    assert [event.state for event in town.shop.events()] == ["failed"]
    for payload in others:
        town.receive(payload)
    town.now += timedelta(hours=1)
    inbox.sweep(town.worker())
    assert town.unfinished() == []
    assert town.differences() == []
    assert sorted(grant.pack or "" for grant in town.shop.grants()) == ["mau-10k-monthly", "sms-100"]
