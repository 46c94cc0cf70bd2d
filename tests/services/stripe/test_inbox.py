"""Events from Stripe: stored once, handled one subject at a time, tried again, given up, replayed."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from billing_app.db import Database
from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.purchases.baskets import OrderState
from billing_app.gateways.payments import Checkout, Payments
from billing_app.gateways.stripe import mapping
from billing_app.services.purchases import status
from billing_app.services.stripe import inbox
from billing_app.services.stripe.inbox import State, Worker
from billing_app.store.common.runs import LEASE_TIME
from billing_app.store.stripe import inbox as store
from billing_app.store.tables.stripe import InboxEvent
from tests.support import crashes
from tests.support.builders import an_organization
from tests.support.patience import PATIENCE_SECONDS
from tests.support.shop import Shop, a_shop

COMPLETED = "checkout.session.completed"


@pytest.fixture
def shop(database: Database) -> Shop:
    """An organization that buys."""
    return a_shop(database)


def only_event(shop: Shop) -> InboxEvent:
    (event,) = shop.events()
    return event


def work_at(shop: Shop, moment: datetime, subject: str, **worker: Any) -> inbox.Worked:
    return inbox.work(replace(shop.worker(**worker), now=lambda: moment), subject)


def an_event(shop: Shop, **changed: Any) -> inbox.ReceivedEvent:
    body = {
        "id": "evt_1", "object": "event", "type": COMPLETED, "created": int(shop.clock().timestamp()),
        "livemode": False, "data": {"object": {"id": "cs_1", "object": "checkout.session", "customer": "cus_1"}},
    }  # fmt: skip
    return mapping.event(json.dumps(body | changed))


def test_an_event_is_kept_as_it_came(shop: Shop) -> None:
    event = an_event(shop)
    with shop.database.writing() as session:
        assert inbox.receive(session, event, shop.clock())
        assert not inbox.receive(session, event, shop.clock())
    kept = only_event(shop)
    assert (kept.id, kept.type, kept.subject, kept.object_id) == ("evt_1", COMPLETED, "cus_1", "cs_1")
    assert (kept.payload, kept.state, kept.attempts) == (event.payload, State.NEW, 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "price.something_new"},
        {"type": "charge.succeeded"},
        {"object": "v2.core.event", "type": "v1.billing.meter.no_meter_found", "created": "2026-03-10T12:00:00.000Z"},
        {"object": "v2.core.event", "type": COMPLETED, "created": "2026-03-10T12:00:00.000Z"},
    ],
)
def test_unknown_and_thin_events_are_kept_and_ignored(shop: Shop, changed: dict[str, Any]) -> None:
    event = an_event(shop, **changed)
    with shop.database.writing() as session:
        assert not inbox.receive(session, event, shop.clock())
    assert only_event(shop).state == State.IGNORED
    assert inbox.sweep(shop.worker()) == inbox.Worked()


def test_a_handled_event_says_whose_it_was_and_is_not_handled_again(shop: Shop) -> None:
    session_id = shop.buy("mau-10k")
    subject = shop.receive(COMPLETED, session_id)
    assert inbox.work(shop.worker(), subject) == inbox.Worked(handled=1)
    assert inbox.work(shop.worker(), subject) == inbox.Worked()
    event = only_event(shop)
    with shop.enter() as buyer:
        assert event.organization_id == buyer.organization.id
    assert (event.state, event.attempts, event.error) == (State.HANDLED, 1, "")


def test_what_fails_is_tried_again_ever_later_and_then_given_up(shop: Shop) -> None:
    session_id = shop.buy("mau-10k")
    subject = shop.receive(COMPLETED, session_id)
    shop.control(
        "POST", "/faults", kind="api_error", count=10_000, status=400, path=f"/v1/checkout/sessions/{session_id}"
    )
    began = now = only_event(shop).received_at
    waits = []
    for attempt in range(1, inbox.MAX_TRIES + 1):
        assert work_at(shop, now, subject).failed == 1
        event = only_event(shop)
        assert (event.state, event.attempts) == (State.FAILED, attempt)
        if event.next_try_at is None:
            break
        assert work_at(shop, event.next_try_at - timedelta(seconds=1), subject) == inbox.Worked()
        waits.append(event.next_try_at - now)
        now = event.next_try_at
    assert waits == sorted(waits)
    assert timedelta(days=2, hours=20) < now - began < timedelta(days=3, hours=4)
    assert only_event(shop).error.startswith("Given up after 25 tries: Stripe refused this")

    shop.control("DELETE", "/faults")
    with shop.database.writing() as session:
        assert inbox.requeue(session, only_event(shop).id, now) == subject
    assert work_at(shop, now, subject).handled == 1
    assert len(shop.grants()) == 1


def test_only_what_was_received_can_be_replayed(shop: Shop) -> None:
    with pytest.raises(NotFoundError), shop.database.writing() as session:
        inbox.requeue(session, "evt_unheard_of", shop.clock())


def test_a_replayed_event_grants_nothing_twice(shop: Shop) -> None:
    session_id = shop.buy("mau-10k")
    shop.hear(COMPLETED, session_id)
    for _ in range(2):
        with shop.database.writing() as session:
            subject = inbox.requeue(session, only_event(shop).id, shop.clock())
        assert inbox.work(shop.worker(), subject).handled == 1
    assert len(shop.grants()) == 1


def test_a_bug_in_a_handler_neither_stops_the_others_nor_comes_back_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = shop.buy("mau-10k"), shop.buy("mau-1k")
    subject = shop.receive(COMPLETED, first)
    shop.receive(COMPLETED, second)
    settle = inbox.HANDLERS[COMPLETED]

    def buggy(payments: Any, event: InboxEvent) -> Any:
        if event.object_id == first:
            raise ZeroDivisionError("sk_test_secret")
        return settle(payments, event)

    monkeypatch.setattr(inbox, "HANDLERS", {COMPLETED: buggy})
    assert inbox.work(shop.worker(), subject) == inbox.Worked(handled=1, failed=1)
    failed = next(event for event in shop.events() if event.object_id == first)
    assert failed.error == "ZeroDivisionError; the log has more"
    assert [grant.pack for grant in shop.grants()] == ["mau-1k"]


def test_a_crash_leaves_an_event_for_the_sweep(shop: Shop) -> None:
    shop.receive(COMPLETED, shop.buy("mau-10k"))
    assert only_event(shop).state == State.NEW
    assert inbox.sweep(shop.worker()).handled == 1
    assert len(shop.grants()) == 1


class Slow:
    """The real gateway, stopped after it has read a payment until the test lets it go on."""

    def __init__(self, payments: Payments) -> None:
        self.payments = payments
        self.has_read, self.go_on = threading.Event(), threading.Event()
        self.reads: list[str] = []
        self.account = payments.account

    def checkout(self, session_id: str) -> Checkout:
        found = self.payments.checkout(session_id)
        self.reads.append(session_id)
        self.has_read.set()
        assert self.go_on.wait(PATIENCE_SECONDS)
        return found


def begun(shop: Shop, subject: str, **more: Any) -> tuple[Slow, threading.Thread, list[inbox.Worked]]:
    """A worker that has read a payment and has not written what it means."""
    slow, worked = Slow(shop.payments), []
    worker = Worker(shop.database.writing, slow, shop.clock, **more)  # ty: ignore[invalid-argument-type]
    thread = threading.Thread(target=lambda: worked.append(inbox.work(worker, subject)))
    thread.start()
    assert slow.has_read.wait(PATIENCE_SECONDS)
    return slow, thread, worked


@pytest.mark.both_databases
def test_events_of_one_customer_are_handled_one_at_a_time(shop: Shop) -> None:
    first = shop.buy("mau-10k")
    subject = shop.receive(COMPLETED, first)
    slow, thread, worked = begun(shop, subject)
    second = shop.buy("mau-1k")
    assert shop.receive(COMPLETED, second) == subject

    assert inbox.work(shop.worker(), subject) == inbox.Worked()
    assert shop.grants() == []

    slow.go_on.set()
    thread.join(PATIENCE_SECONDS)
    assert worked == [inbox.Worked(handled=2)]
    assert slow.reads == [first, second]
    assert len(shop.grants()) == 2


@pytest.mark.both_databases
def test_events_of_another_customer_need_not_wait(shop: Shop) -> None:
    subject = shop.receive(COMPLETED, shop.buy("mau-10k"))
    slow, thread, _ = begun(shop, subject)
    with shop.database.writing() as session:
        an_organization(session, "other")
    other = Shop(shop.database, "other", shop.key)
    assert other.hear(COMPLETED, other.buy("mau-1k")).handled == 1
    slow.go_on.set()
    thread.join(PATIENCE_SECONDS)
    assert (len(shop.grants()), len(other.grants())) == (1, 1)


@pytest.mark.both_databases
def test_a_worker_that_was_too_slow_does_not_write_its_old_reading(shop: Shop) -> None:
    started = shop.start("mau-10k")
    shop.control("POST", f"/checkout/{started.session_id}/expire")
    subject = shop.receive("checkout.session.expired", started.session_id)
    slow, thread, worked = begun(shop, subject)
    later = shop.clock() + LEASE_TIME + timedelta(seconds=1)
    assert work_at(shop, later, subject, holder="another").handled == 1
    slow.go_on.set()
    thread.join(PATIENCE_SECONDS)
    assert worked[0].failed == 0
    assert only_event(shop).attempts == 1
    assert shop.told() == ["purchase.expired"]


def test_two_replicas_with_the_same_event_make_one_grant(shop: Shop, database_url: str) -> None:
    session_id = shop.buy("mau-10k", "storage-50gb")
    replicas = [Shop(Database(database_url), key=shop.key) for _ in range(2)]
    barrier, worked = threading.Barrier(2), []

    def hear(replica: Shop) -> None:
        event = replica.payments.event(replica.event_id(COMPLETED, session_id))
        barrier.wait()
        with replica.database.writing() as session:
            inbox.receive(session, event, replica.clock())
        worked.append(inbox.work(replica.worker(), inbox.subject_of(event)))

    threads = [threading.Thread(target=hear, args=(replica,)) for replica in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert sum(each.handled for each in worked) == 1
    assert sorted(grant.metric for grant in shop.grants()) == ["mau", "storage"]
    assert (len(shop.events()), shop.told()) == (1, ["purchase.paid"])
    for replica in replicas:
        replica.database.close()


def returning(shop: Shop, session_id: str) -> None:
    """What the return page does."""
    status.status(shop.enter, shop.payments, session_id)


def handling(shop: Shop, subject: str) -> None:
    """What is done after a webhook was answered."""
    inbox.work(shop.worker(), subject)


def alone(database: Database, way: str, address: str, key: str, url: str, about: str) -> None:
    """One of these in a process of its own."""
    WAYS[way](Shop(database, address, key, url=url), about)


WAYS = {"return": returning, "webhook": handling}


def finish(shop: Shop, session_id: str) -> None:
    """What happens anyway after a death: the sweep once the lease has ended, and somebody who looks at the page."""
    later = shop.clock() + LEASE_TIME
    inbox.sweep(replace(shop.worker(), now=lambda: later))
    assert shop.come_back(session_id).state is OrderState.PAID
    assert sorted(grant.pack or "" for grant in shop.grants()) == ["mau-100", "sms-100"]
    assert shop.told() == ["purchase.paid"]


@pytest.mark.both_databases
@pytest.mark.parametrize("stride", [6, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("way", ["return", "webhook"])
def test_ended_before_any_of_its_writes_it_is_finished_by_the_next_one(shop: Shop, way: str, stride: int) -> None:
    for write in range(1, 200, stride):
        if not survives(shop, way, write):
            continue
        assert write > 20, "there were more writes than that to die before"
        assert all(event.state == State.HANDLED for event in shop.events())
        return


def survives(shop: Shop, way: str, write: int) -> bool:
    """A purchase of an organization of its own, ended before a write and then finished; False if there was one."""
    with shop.database.writing() as session:
        an_organization(session, f"org-{write}")
    buyer = Shop(shop.database, f"org-{write}", shop.key)
    session_id = buyer.buy("mau-100", "sms-100")
    about = session_id if way == "return" else buyer.receive(COMPLETED, session_id)
    survived = crashes.survives(shop.database, write, lambda: WAYS[way](buyer, about))
    finish(buyer, session_id)
    return survived


@pytest.mark.parametrize("way", ["return", "webhook"])
@pytest.mark.parametrize("write", [3, 20])
def test_killed_it_is_finished_by_the_next_one(shop: Shop, database_url: str, way: str, write: int) -> None:
    session_id = shop.buy("mau-100", "sms-100")
    about = session_id if way == "return" else shop.receive(COMPLETED, session_id)
    assert crashes.killed(database_url, write, alone, way, shop.address, shop.key, shop.url, about)
    assert shop.grants() == []
    finish(shop, session_id)


def test_the_sweep_looks_at_what_is_due_and_nothing_else(shop: Shop) -> None:
    with shop.database.writing() as session:
        for place in range(3):
            inbox.receive(session, an_event(shop, id=f"evt_{place}"), shop.clock() + timedelta(hours=place))
        assert store.due_subjects(session, shop.clock(), 10) == ["cus_1"]
        assert store.due_subjects(session, shop.clock() - timedelta(hours=1), 10) == []
