"""The sync finds whatever was never heard of, repairs what Stripe decides, and a second one finds nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError, UnavailableError
from billing_app.gateways.retries import patiently
from billing_app.gateways.stripe.payments import connected
from billing_app.services.common import organizations
from billing_app.services.payments import customer_leases
from billing_app.services.stripe import reconciliation
from billing_app.services.stripe.findings import Sync
from billing_app.store.common import runs
from billing_app.store.stripe import reconciliation as store
from tests.support.crashes import killed, leases_run_out, survives
from tests.support.refunds import account, buy, close, differences, dispute, plan, refund
from tests.support.shop import Shop, a_shop


@pytest.fixture
def shop(database: Database) -> Shop:
    """A shop with the plan that includes no SMS."""
    made = a_shop(database)
    plan(made)
    return made


def a_sync(database: Database, key: str, url: str, *, dry: bool = False) -> Sync:
    """A sync of the last month that does not dawdle."""
    payments = patiently(connected(key, url), between=0, waits=(0.01, 0.01))
    return Sync(database.writing, payments, clock.now, clock.now() - reconciliation.WINDOW, dry)


def sync(shop: Shop, *, dry: bool = False) -> dict[str, list[bool]]:
    """Runs it to its end; the codes of what it found, and whether each was repaired."""
    run_id = reconciliation.run(a_sync(shop.database, shop.key, shop.url, dry=dry), "host:1:test", "demand")
    found: dict[str, list[bool]] = {}
    with shop.database.reading() as session:
        row = store.run(session, run_id)
        assert row is not None
        assert row.state == "finished"
        rows = store.findings(session, run_id, 100)
        assert (row.repaired, row.remaining) == (
            sum(each.repaired for each in rows),
            sum(not each.repaired for each in rows),
        )
    for each in rows:
        found.setdefault(each.code, []).append(each.repaired)
    return found


def misses_everything(shop: Shop) -> None:
    """Purchases, a refund, a failed refund and two disputes of which nobody told us."""
    buy(shop, "mau-100")
    shop.buy("sms-100", "emails-100")
    refund(shop, buy(shop, "sms-500"), 1500)
    failed = refund(shop, buy(shop, "mau-1k"), 100)
    shop.control("POST", f"/refunds/{failed}/fail")
    close(shop, dispute(shop, buy(shop, "emails-1k")), "lost")
    dispute(shop, buy(shop, "emails-10k"))


def is_right(shop: Shop) -> None:
    """Everything that was missed is here."""
    assert len(shop.grants()) == 7
    assert account(shop, "sms").left == 350
    assert account(shop, "mau").left == 1100
    assert account(shop, "emails").left == 100
    assert differences(shop) == []


def test_what_was_never_heard_of_is_repaired_and_a_second_run_finds_nothing(shop: Shop) -> None:
    misses_everything(shop)
    found = sync(shop)
    assert all(all(repaired) for repaired in found.values())
    is_right(shop)
    assert sync(shop) == {}


def test_without_events_the_objects_themselves_are_compared(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events end after 30 days; what is read from the lists is enough."""
    misses_everything(shop)
    stages = {name: stage for name, stage in reconciliation.STAGES.items() if name != "events"}
    monkeypatch.setattr(reconciliation, "STAGES", stages)
    assert sync(shop) == {"payment_not_granted": [True], "reversal_missed": [True] * 4}
    is_right(shop)
    assert sync(shop) == {}


def test_nothing_is_read_of_a_customer_whose_events_are_being_worked_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had read would be older than what an event brings meanwhile, and must not be written over that."""
    refund(shop, buy(shop, "sms-500"), 1500)
    stages = {name: stage for name, stage in reconciliation.STAGES.items() if name != "events"}
    monkeypatch.setattr(reconciliation, "STAGES", stages)
    monkeypatch.setattr(customer_leases, "TRIES", 1)
    with shop.database.writing() as session:
        lease = f"stripe:{organizations.by_address(session, shop.address).stripe_customer_id}"
        runs.take_lease(session, lease, "a webhook", clock.now())
    assert sync(shop) == {"not_repaired": [False]}
    assert account(shop, "sms").left == 500
    with shop.database.writing() as session:
        runs.release_lease(session, lease, "a webhook")
    assert sync(shop) == {"reversal_missed": [True]}
    assert account(shop, "sms").left < 500


def test_what_is_too_old_for_the_lists_is_read_in_its_customers_turn_too(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispute(shop, buy(shop, "sms-500"))
    sync(shop)
    oldest = "older refunds and disputes"
    monkeypatch.setattr(reconciliation, "STAGES", {oldest: reconciliation.STAGES[oldest]})
    monkeypatch.setattr(reconciliation, "WINDOW", timedelta(hours=-1))
    monkeypatch.setattr(customer_leases, "TRIES", 1)
    with shop.database.writing() as session:
        lease = f"stripe:{organizations.by_address(session, shop.address).stripe_customer_id}"
        runs.take_lease(session, lease, "a webhook", clock.now())
    assert sync(shop) == {"not_repaired": [False]}
    with shop.database.writing() as session:
        runs.release_lease(session, lease, "a webhook")
    assert sync(shop) == {}


def test_a_dry_run_says_the_same_and_changes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    misses_everything(shop)
    stages = {name: stage for name, stage in reconciliation.STAGES.items() if name != "events"}
    monkeypatch.setattr(reconciliation, "STAGES", stages)
    for _ in range(2):
        assert sync(shop, dry=True) == {"payment_not_granted": [True], "reversal_missed": [True] * 4}
    assert len(shop.grants()) == 5
    assert account(shop, "sms").left == 500


def test_what_only_a_person_can_decide_is_reported(shop: Shop) -> None:
    buy(shop, "sms-100")
    stripe = shop.stripe
    price = stripe.prices.create(
        {"product_data": {"name": "Old"}, "currency": "usd", "unit_amount": 900, "lookup_key": "pack:old",
         "metadata": {"pack": "old", "metric": "sms", "quantity": "7"}}
    )  # fmt: skip
    made = stripe.checkout.sessions.create(
        {"mode": "payment", "line_items": [{"price": price.id, "quantity": 1}], "success_url": "https://x.example",
         "metadata": {"organization": "long-gone", "order": "or_1"}}
    )  # fmt: skip
    shop.pay(made.id)
    with shop.database.writing() as session:
        order = next(iter(store.paid_orders_between(session, clock.now() - timedelta(hours=1), clock.now(), 5)))
        order.session_id = "cs_test_never"
        session.add(order)
    found = sync(shop)
    assert found == {
        "unknown_organization": [False],
        "unknown_order": [False],
        "payment_missing": [False],
        "price_without_pack": [False],
    } or found == {"unknown_organization": [False], "payment_missing": [False], "price_without_pack": [False]}


def test_one_process_at_a_time(shop: Shop) -> None:
    with shop.database.writing() as session:
        runs.take_lease(session, reconciliation.LEASE, "somebody", clock.now())
    with pytest.raises(ConflictError, match="Another process"):
        sync(shop)


def test_a_busy_stripe_is_waited_for_and_a_silent_one_stops_the_run_where_it_is(shop: Shop) -> None:
    misses_everything(shop)
    shop.control("POST", "/faults", kind="api_error", count=2, status=429, path="/v1/refunds")
    shop.control("POST", "/faults", kind="api_error", count=9, status=500, path="/v1/subscriptions")
    with pytest.raises(UnavailableError, match="cannot be reached"):
        sync(shop)
    with shop.database.reading() as session:
        stopped = store.unfinished(session, dry=False)
        assert stopped is not None
        assert "cannot be reached" in stopped.error
    shop.control("DELETE", "/faults")
    sync(shop)
    is_right(shop)
    with shop.database.reading() as session:
        assert [row.id for row in store.runs(session, 5)] == [stopped.id]
    assert sync(shop) == {}


@pytest.mark.both_databases
def test_stopped_before_any_write_it_goes_on(shop: Shop) -> None:
    misses_everything(shop)
    for write in range(5, 400, 70):
        if survives(shop.database, write, lambda: sync(shop)):
            break
        leases_run_out(shop.database)
    sync(shop)
    is_right(shop)
    assert sync(shop) == {}


def _sync(database: Database, key: str, url: str) -> None:
    reconciliation.run(a_sync(database, key, url), "host:1:test", "demand")


def test_killed_in_its_middle_the_next_one_goes_on(shop: Shop, database_url: str) -> None:
    misses_everything(shop)
    assert killed(database_url, 60, _sync, shop.key, shop.url)
    with shop.database.writing() as session:
        assert store.unfinished(session, dry=False) is not None
    leases_run_out(shop.database)
    sync(shop)
    is_right(shop)
    assert sync(shop) == {}
