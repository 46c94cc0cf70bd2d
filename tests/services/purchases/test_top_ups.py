"""Auto top-up over HTTP: when it charges, what it never charges, and what it does about a card that fails."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from billing_app.db import Database
from billing_app.domain.common.errors import BillingError, ForbiddenError, UnavailableError
from billing_app.domain.purchases.subscriptions import BillingInterval
from billing_app.gateways.invoices import Invoice
from billing_app.gateways.stripe.payments import connected
from billing_app.services.common import audit
from billing_app.services.common.audit_words import Words
from billing_app.services.organizations import profiles
from billing_app.services.plans import orders
from billing_app.services.purchases import top_up_charging, top_ups
from billing_app.services.purchases.top_up_charging import OWN
from billing_app.services.usage import reporting
from tests.support.crashes import Killed, survives
from tests.support.patience import PATIENCE_SECONDS
from tests.support.shop import PAYS, PUBLIC_URL
from tests.support.top_ups import METRIC, WANTED, Topping

WORKERS = 2

FAILS_LATER = "4000000000000341"
"""Can be saved; charging it fails."""

ALWAYS_ASKS = "4000002760003184"
"""Requires authentication, each time."""


@pytest.fixture
def topping(database: Database) -> Topping:
    """A good card, and the top-up on."""
    return Topping(database)


def test_it_buys_when_credits_fall_to_the_threshold_and_not_before(topping: Topping) -> None:
    topping.use(250 + 899)
    assert (topping.sweep(), topping.attempts()) == (0, [])
    topping.use(1)
    assert topping.sweep() == 1
    assert topping.bought() == [2_000]
    (grant,) = [each for each in topping.shop.grants() if each.source == "top_up"]
    (charge,) = topping.charges()
    assert (grant.paid_cents, grant.payment_id, grant.pack) == (500, charge.payment_intent, "emails-1k")
    assert (charge.amount, grant.reason) == (500, "2 packs of 1,000 emails")
    assert grant.expires_at == grant.effective_at.replace(year=grant.effective_at.year + 1)
    assert topping.sweep() == 0
    assert [message.kind for message in topping.told("top_up.")] == ["top_up.paid"]
    topping.clean()


def test_the_webhook_brings_nothing_twice(topping: Topping) -> None:
    topping.use(250 + 950)
    topping.sweep()
    assert "invoice.paid" in topping.news()
    assert topping.bought() == [2_000]


def test_what_is_owed_counts_as_gone(topping: Topping) -> None:
    topping.put(replace(WANTED, threshold=0))
    with topping.shop.enter() as buyer:
        events = [reporting.ReportedEvent(METRIC, 250 + 1_000 + 2_500, at=buyer.now)]
        reporting.report(buyer, events)
    assert topping.sweep() == 1
    assert topping.bought() == [3_000]
    assert topping.sweep() == 0


@pytest.mark.parametrize(
    ("threshold", "used", "count", "packs"),
    [
        (100, 250 + 900, 2, 2),  # at the threshold: what was agreed to, and no more
        (2_099, 250 + 900, 2, 2),
        (2_098, 250 + 900, 1, 2),
        (3_099, 250 + 900, 2, 3),
        (9_000, 250 + 1_000, 1, 10),
        (7_000, 0, 2, 7),  # turning it on with a threshold above what is left
    ],
)
def test_as_many_packs_as_are_needed_are_one_charge(
    database: Database, threshold: int, used: int, count: int, packs: int
) -> None:
    wanted = replace(WANTED, threshold=threshold, count=count, cap_cents=100_000)
    topping = Topping(database, wanted=wanted)
    if used:
        topping.use(used)
    for _ in range(5):
        topping.sweep()
        topping.now += timedelta(seconds=20)
    assert topping.bought() == [packs * 1_000]
    assert [charge.amount for charge in topping.charges()] == [packs * 250]
    assert topping.top_up().state == "on"


def test_what_the_month_has_no_room_for_is_refused_with_the_reason(topping: Topping) -> None:
    reason = (
        "It takes 5 packs for $12.50, and $12.00 of the month's $12.00 are left. Raise the cap, choose a larger pack, "
        "or buy on the page."
    )
    report(topping, 250 + 1_000 + 4_000)
    for _ in range(3):
        assert topping.sweep() == 0
    found = topping.top_up()
    assert (found.state, found.row and found.row.failure, topping.charges()) == ("capped", reason, [])
    assert (found.at_once.packs, found.at_once.price_cents, found.at_once.refusal) == (5, 1_250, reason)
    (told,) = topping.told("top_up.")
    assert (told.kind, json.loads(told.payload)["failure"]) == ("top_up.capped", reason)
    # What is needed less is bought again.
    topping.shop.come_back(topping.shop.buy("emails-1k", "emails-10k"))
    found = topping.top_up()
    assert (found.state, found.row and found.row.failure) == ("on", "")
    report(topping, 1_000 + 10_000 - 4_000 + 10)
    assert topping.sweep() == 1
    assert topping.bought() == [2_000]


def report(topping: Topping, emails: int) -> None:
    """Emails that were sent, whether or not anything was left for them."""
    with topping.shop.enter() as buyer:
        reporting.report(buyer, [reporting.ReportedEvent(METRIC, emails, at=buyer.now)])


def test_what_turning_it_on_costs_right_away_is_said_first(database: Database) -> None:
    topping = Topping(database, wanted=None)
    asked = replace(WANTED, threshold=3_500, cap_cents=2_000)
    with topping.shop.enter() as buyer:
        found = top_ups.preview(buyer, METRIC, asked)
        nothing = top_ups.preview(buyer, METRIC, WANTED)
    assert (found.packs, found.quantity, found.price_cents, found.refusal) == (3, 3_000, 750, "")
    assert nothing.packs == 0
    with pytest.raises(BillingError, match=r"charged \$7.50 at once") as refused:
        topping.put(replace(asked, consent=False))
    assert (refused.value.code, refused.value.fields) == ("consent_required", {"charged_at_once_cents": 750})
    with pytest.raises(BillingError, match="It takes 51 packs for") as refused:
        topping.put(replace(asked, threshold=51_500, cap_cents=5_000))
    assert refused.value.code == "cap_too_small"


def test_a_card_that_was_detached_unheard_of_is_forgotten_and_another_asked_for(topping: Topping) -> None:
    card = topping.top_up().card
    assert card is not None
    topping.shop.stripe.payment_methods.detach(card.payment_method_id)
    topping.use(250 + 950)
    assert topping.sweep() == 1
    found = topping.top_up()
    assert (found.state, found.card, topping.charges()) == ("waiting_for_card", None, [])
    assert "Save a card" in (found.row.failure if found.row else "")
    topping.save_card(PAYS)
    assert topping.sweep() == 1
    assert topping.bought() == [2_000]


def test_a_customer_that_was_deleted_unheard_of_takes_its_card_along(topping: Topping) -> None:
    topping.shop.stripe.customers.delete(topping.customer_id)
    topping.use(250 + 950)
    assert topping.sweep() == 1
    assert topping.top_up().state == "waiting_for_card"
    topping.save_card(PAYS)
    assert topping.sweep() == 1
    assert topping.bought() == [2_000]


@pytest.mark.parametrize("deed", ["delete", "void"])
def test_a_draft_that_somebody_removed_is_made_again(topping: Topping, deed: str) -> None:
    topping.use(250 + 950)
    finalize = topping.shop.payments.finalize_invoice
    removed: list[str] = []

    def removes(key: str, invoice_id: str) -> None:
        if deed == "void":
            finalize(key, invoice_id)
            topping.shop.stripe.invoices.void_invoice(invoice_id)
        else:
            topping.shop.stripe.invoices.delete(invoice_id)
        removed.append(invoice_id)
        raise Killed

    topping.shop.payments.finalize_invoice = removes  # ty: ignore[invalid-assignment]
    try:
        with pytest.raises(Killed):
            topping.sweep()
    finally:
        del topping.shop.payments.finalize_invoice
    topping.now += OWN
    assert topping.sweep() == 1
    if deed == "delete":
        assert (topping.bought(), len(topping.charges())) == ([2_000], 1)
    else:  # somebody decided that nobody pays this one
        assert (topping.bought(), topping.charges(), topping.top_up().state) == ([], [], "resting")


def test_what_somebody_else_put_on_the_draft_is_not_charged(topping: Topping) -> None:
    topping.use(250 + 950)
    add = topping.shop.payments.add_invoice_line

    def adds(key: str, invoice_id: str, customer_id: str, price_id: str, count: int) -> None:
        add(key, invoice_id, customer_id, price_id, count)
        topping.shop.stripe.invoice_items.create(
            {"customer": customer_id, "invoice": invoice_id, "amount": 9_900, "currency": "usd"}
        )

    topping.shop.payments.add_invoice_line = adds  # ty: ignore[invalid-assignment]
    try:
        assert topping.sweep() == 1
    finally:
        del topping.shop.payments.add_invoice_line
    assert (topping.bought(), topping.charges(), topping.top_up().state) == ([], [], "resting")


def test_the_month_never_costs_more_than_its_cap(topping: Topping) -> None:
    for used in (250 + 1_000, 2_000, 2_000):
        topping.use(used)
        topping.sweep()
    assert topping.bought() == [2_000, 2_000]
    assert topping.top_up().state == "capped"
    assert [message.kind for message in topping.told("top_up.")].count("top_up.capped") == 1
    assert topping.top_up().paid_cents == 1_000
    topping.advance(days=22)
    assert topping.sweep() == 1
    assert topping.bought() == [2_000, 2_000, 2_000]


@pytest.mark.parametrize("number", [FAILS_LATER, ALWAYS_ASKS])
def test_a_card_that_fails_rests_a_day_and_is_off_after_three(database: Database, number: str) -> None:
    topping = Topping(database, number)
    topping.use(250 + 950)
    for _ in range(3):
        assert topping.sweep() == 1
        assert topping.sweep() == 0
        topping.now += timedelta(hours=24)
    assert topping.sweep() == 0
    assert (topping.bought(), topping.charges()) == ([], [])
    found = topping.top_up()
    assert (found.state, found.row and found.row.failures) == ("turned_off", 3)
    told = [message.kind for message in topping.told("top_up.")]
    assert told == ["top_up.failed", "top_up.failed", "top_up.failed", "top_up.off"]
    assert {invoice.status for invoice in topping.shop.stripe.invoices.list({}).data} == {"void"}
    topping.save_card(PAYS)
    topping.put(WANTED)
    topping.sweep()
    assert topping.bought() == [2_000]


def test_a_new_card_ends_the_rest(database: Database) -> None:
    topping = Topping(database, FAILS_LATER)
    topping.use(250 + 950)
    topping.sweep()
    assert topping.top_up().state == "resting"
    topping.save_card(PAYS)
    assert topping.sweep() == 1
    assert topping.bought() == [2_000]
    assert topping.top_up().row.failures == 0


def test_without_a_card_it_waits(database: Database) -> None:
    topping = Topping(database, card=None)
    topping.use(250 + 950)
    assert (topping.sweep(), topping.top_up().state) == (0, "waiting_for_card")
    topping.save_card(PAYS)
    assert topping.sweep() == 1


def test_turned_off_it_does_nothing(topping: Topping) -> None:
    topping.put(replace(WANTED, enabled=False))
    topping.use(250 + 950)
    assert (topping.sweep(), topping.top_up().state) == (0, "off")


def test_a_deactivated_organization_pays_for_nothing(topping: Topping) -> None:
    """It is not charged by itself, cannot buy and cannot subscribe; what was armed goes on when it is active again."""

    def active(value: bool) -> None:
        with topping.shop.enter() as buyer:
            profiles.set_active(replace(buyer, actor="tests"), value)

    topping.use(1_200)
    active(False)
    assert (topping.sweep(), topping.attempts()) == (0, [])
    with pytest.raises(ForbiddenError) as refused:
        topping.shop.start("emails-1k")
    assert refused.value.code == "organization_inactive"
    with pytest.raises(ForbiddenError):
        orders.start(topping.shop.enter, topping.shop.payments, "pro", BillingInterval.MONTH, PUBLIC_URL)
    active(True)
    assert topping.sweep() == 1


def test_who_agreed_to_what_is_kept(topping: Topping) -> None:
    row = topping.top_up().row
    assert row is not None
    assert (row.consent_by, row.consent_at) == ("user:ada", topping.now)
    assert row.consent_text.startswith(
        "When Emails credits fall to 100, buy 2,000 emails for $5.00 before tax, at most $12.00 per calendar month."
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"consent": False}, "consent_required"),
        ({"cap_cents": 499}, "cap_too_small"),
        ({"pack": "sms-100"}, "pack_not_for_metric"),
        ({"pack": "emails-10k-monthly"}, "pack_not_for_metric"),
        ({"pack": "none"}, "pack_not_found"),
        ({"count": 0}, "invalid_count"),
        ({"threshold": -1}, "invalid_threshold"),
    ],
)
def test_what_makes_no_sense_is_refused(topping: Topping, change: dict[str, object], code: str) -> None:
    with pytest.raises(BillingError) as refused:
        topping.put(replace(WANTED, **change))
    assert refused.value.code == code


def test_a_pack_that_is_not_sold_any_more_turns_it_off(topping: Topping) -> None:
    topping.shop.change_pack("emails-1k", retired=True)
    topping.use(250 + 950)
    assert topping.sweep() == 0
    assert topping.top_up().state == "turned_off"


@pytest.mark.both_databases
def test_a_crash_between_any_two_writes_charges_once(database: Database) -> None:
    topping = Topping(database, wanted=replace(WANTED, cap_cents=1_000_000))
    topping.use(250 + 1_000)
    write, done = 0, False
    while not done:
        write += 1
        done = survives(database, write, topping.sweep)
        topping.now += OWN
        topping.sweep()
        assert len(topping.bought()) == len(topping.charges()) == write, f"after a crash before write {write}"
        assert topping.sweep() == 0
        topping.use(2_000)
    assert write > 5
    assert {attempt.state for attempt in topping.attempts()} == {"paid"}
    topping.clean()


def test_the_webhook_finishes_what_a_dead_job_left(topping: Topping) -> None:
    topping.use(250 + 950)
    pay = topping.shop.payments.pay_invoice

    def dies(*arguments: str) -> Invoice:
        pay(*arguments)
        raise Killed

    topping.shop.payments.pay_invoice = dies  # ty: ignore[invalid-assignment]
    try:
        with pytest.raises(Killed):
            topping.sweep()
    finally:
        del topping.shop.payments.pay_invoice
    assert topping.bought() == []
    topping.news()
    assert topping.bought() == [2_000]
    topping.now += OWN
    assert topping.sweep() == 0
    assert len(topping.charges()) == 1


def test_stripe_times_out_while_it_charges(topping: Topping) -> None:
    topping.use(250 + 950)
    fault = {"kind": "api_error", "count": 3, "status": 500, "when": "after", "path": "/pay"}
    topping.shop.control("POST", "/faults", **fault)
    with pytest.raises(UnavailableError):
        topping.sweep()
    topping.now += OWN
    assert topping.sweep() == 1
    assert (topping.bought(), len(topping.charges())) == ([2_000], 1)


def test_two_processes_at_once_charge_once(database: Database, database_url: str) -> None:
    topping = Topping(database)
    topping.use(250 + 1_000)
    processes = multiprocessing.get_context("spawn")
    barrier = processes.Barrier(WORKERS)
    given = (database_url, topping.shop.key, topping.shop.url, topping.now, barrier)
    workers = [processes.Process(target=_sweep, args=given) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE_SECONDS)
    assert [worker.exitcode for worker in workers] == [0] * WORKERS
    assert (topping.bought(), len(topping.charges()), len(topping.attempts())) == ([2_000], 1, 1)


def _sweep(url: str, key: str, stripe_url: str, now: datetime, barrier: Any) -> None:
    database = Database(url)
    payments = connected(key, stripe_url)
    payments.account()
    barrier.wait(PATIENCE_SECONDS)
    for _ in range(3):
        top_up_charging.sweep(database.writing, payments, lambda: now)
    database.close()


def test_one_attempt_may_be_open(database: Database) -> None:
    topping = Topping(database)
    topping.use(250 + 1_000)
    with topping.shop.enter() as buyer:
        owner = buyer.organization.pk
        first = top_up_charging.begin(buyer.session, owner, METRIC, buyer.now)
        assert first is not None
        assert top_up_charging.begin(buyer.session, owner, METRIC, buyer.now) is None


@pytest.mark.both_databases
def test_setting_it_and_using_the_metric_at_once_wait_for_each_other(database: Database) -> None:
    """One lock order: the organization, the meter, the setting."""
    topping = Topping(database)
    raised: list[Exception] = []

    def again(work: Callable[[int], object]) -> None:
        try:
            for number in range(8):
                work(number)
        except Exception as error:  # noqa: BLE001  whatever it is, the test fails with it
            raised.append(error)

    works = [lambda number: topping.put(replace(WANTED, threshold=number)), lambda _number: topping.use(60)]
    threads = [threading.Thread(target=again, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert raised == []


def test_the_audit_log_says_who_saved_a_card_and_set_a_top_up(database: Database) -> None:
    topping = Topping(database)
    topping.put(replace(WANTED, cap_cents=2_000))
    topping.put(replace(WANTED, cap_cents=2_000))
    topping.put(replace(WANTED, enabled=False))
    with topping.shop.enter() as buyer:
        words = Words.of(buyer.session, buyer.now)
        entries = audit.entries(buyer.session, buyer.organization.pk, 50)
        said = [
            words.text_of(each).sentence for each in reversed(entries) if each.action.startswith(("card.", "top_up."))
        ]
        who = buyer.actor
    assert said == [
        f"{who} saved the card visa 4242.",
        f"{who} switched on auto top-up of Emails, for at most $12.00 a month, 2 at a time, "
        "with the pack emails-1k, when credits fall to 100.",
        f"{who} changed auto top-up of Emails, cap from $12.00 to $20.00.",
        f"{who} switched off auto top-up of Emails.",
    ]
