"""Consume on its short way: few statements, the same meaning (decision 15)."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from billing_app.db import HELD, Database
from billing_app.domain.common.errors import BillingError, InvalidError
from billing_app.locations import ROOT
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.organizations import children
from billing_app.services.usage import accounts, batches, consumption, debits
from billing_app.services.usage.debits import ConsumeAnswer, Mode
from billing_app.services.verification import verification
from billing_app.store.common import locks
from billing_app.store.usage import events, meters, rollups
from tests.services.credits.test_reading_cost import heard
from tests.support.builders import NOON, an_organization, the_catalogue

pytestmark = pytest.mark.both_databases

EMAILS = 20_000
"""What the plan includes."""


@pytest.fixture
def acme(database: Database) -> Database:
    """An organization whose meter of e-mails is up to date."""
    the_catalogue(database)
    with database.writing() as session:
        made = an_organization(session)
        grants.change_plan(Context(session, made, NOON), "pro")
        included = consumption.consume(Context(session, made, NOON), "emails", 1)
        assert included.allowance == EMAILS
    return database


def take(database: Database, quantity: int, **how: Any) -> ConsumeAnswer | None:
    with database.single() as session:
        return debits.take(Context(session, organizations.by_address(session, "acme"), NOON), "emails", quantity, **how)


def consume(database: Database, quantity: int, **how: Any) -> ConsumeAnswer:
    with database.writing() as session:
        return consumption.consume(
            Context(session, organizations.by_address(session, "acme"), NOON), "emails", quantity, **how
        )


def revision(database: Database, address: str) -> int:
    with database.reading() as session:
        return organizations.revisions_by_address(session, [address])[address]


def test_a_debit_is_one_statement_on_postgresql_and_four_on_sqlite(acme: Database) -> None:
    with acme.writing() as session:
        made = organizations.by_address(session, "acme")
        with heard(acme) as statements:
            assert consumption.consume(Context(session, made, NOON), "emails", 5, key="k") == ConsumeAnswer(
                5, 6, EMAILS, 0
            )
    assert len(statements) == (4 if acme.sqlite else 1)


def test_it_writes_what_the_engine_reads(acme: Database) -> None:
    for quantity, minutes in ((3, 0), (4, 5), (5, 90)):
        with acme.writing() as session:
            made = organizations.by_address(session, "acme")
            now = NOON + timedelta(minutes=minutes)
            assert debits.take(Context(session, made, now), "emails", quantity, key=f"after {minutes}") is not None
    with acme.writing() as session:
        made, later = organizations.by_address(session, "acme"), NOON + timedelta(hours=2)
        owner = made.pk
        row = meters.read(session, owner, "emails")
        assert row is not None
        assert (row.used, row.changed, row.debits) == (13, True, 3)
        assert [event.quantity for event in events.events_between(session, owner, "emails")] == [1, 3, 4, 5]
        hours = rollups.hours(session, owner, "emails")
        assert [(hour.quantity, hour.last_at) for hour in hours] == [
            (8, NOON + timedelta(minutes=5)),
            (5, NOON + timedelta(minutes=90)),
        ]
        assert list(verification.verify(Context(session, made, later))) == []


def test_credits_burn_by_arithmetic_as_by_the_engine(acme: Database) -> None:
    with acme.writing() as session:
        made = organizations.by_address(session, "acme")
        grants.grant(
            Context(session, made, NOON),
            grants.NewGrant("emails", 1_000, source="given", source_key="one", reason="For a test"),
        )
    taken = [consume(acme, quantity) for quantity in (EMAILS - 1, 10, 300)]
    assert [(each.used, each.credits) for each in taken] == [(EMAILS, 1_000), (EMAILS + 10, 990), (EMAILS + 310, 690)]
    with acme.writing() as session:
        made = organizations.by_address(session, "acme")
        assert accounts.account(session, made, "emails", NOON).left == 690
        assert list(verification.verify(Context(session, made, NOON))) == []


@pytest.mark.parametrize("mode", list(Mode))
def test_what_does_not_fit_whole_is_left_to_the_engine(acme: Database, mode: Mode) -> None:
    assert take(acme, EMAILS, mode=mode, key="k") is None
    accepted = EMAILS - 1 if mode is Mode.CLAMP else 0
    assert consume(acme, EMAILS, mode=mode, key="k").accepted == accepted
    again = consume(acme, EMAILS, mode=mode, key="k")
    assert (again.accepted, again.repeated) == (accepted, True)


def test_a_key_takes_once_and_answers_the_same(acme: Database) -> None:
    first = consume(acme, 5, key="k")
    assert take(acme, 5, key="k") is None
    again = consume(acme, 5, key="k")
    assert again.repeated
    assert (again.accepted, again.used, again.credits) == (first.accepted, first.used, first.credits)
    with pytest.raises(InvalidError, match="another request"):
        consume(acme, 6, key="k")
    assert consume(acme, 1).used == first.used + 1


@pytest.mark.both_databases
def test_a_key_sent_by_many_at_once_takes_once(acme: Database) -> None:
    consume(acme, 1)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: consume(acme, 5, key=f"k{number // 8}"), range(40)))
    assert sorted(each.repeated for each in answers) == [False] * 5 + [True] * 35
    assert consume(acme, 1).used == 1 + 1 + 5 * 5 + 1


def test_a_catalogue_that_somebody_else_loaded_is_heard_of(acme: Database) -> None:
    """Another process makes a metric that nobody used yet one of levels; this one still knows a sum."""
    other = Database(acme.url.render_as_string(hide_password=False))
    document = json.loads((ROOT / "plans.json").read_text())
    next(each for each in document["metrics"] if each["id"] == "sms")["aggregation"] = "max"
    with other.writing() as session:
        versions.load(session, document, NOON, "another process")
        row = meters.lock(session, 1, "sms", NOON)
        row.stale, row.valid_until, row.allowance = False, NOON + timedelta(days=1), None
    other.close()
    with acme.writing() as session:
        seen = versions.assumed(session, NOON)
        assert seen is not None
        assert debits.is_consumable(seen[1], "sms")
        made = organizations.by_address(session, "acme")
        assert debits.take(Context(session, made, NOON), "sms", 1) is None
        with pytest.raises(BillingError) as refused:
            consumption.consume(Context(session, made, NOON), "sms", 1)
        assert refused.value.code == "not_consumable"


def test_open_pages_hear_of_it_without_a_row_that_all_write(acme: Database) -> None:
    before = revision(acme, "acme")
    with heard(acme) as statements:
        assert take(acme, 1) is not None
    assert revision(acme, "acme") == before + 1
    assert not any("page_revisions" in statement for statement in statements)


def test_a_sub_organization_s_use_is_noted_and_its_pages_hear_of_it(acme: Database) -> None:
    with acme.writing() as session:
        made = organizations.by_address(session, "acme")
        children.create(Context(session, made, NOON, "ada"), address="north", name="North")
    before = {address: revision(acme, address) for address in ("acme", "north")}
    with acme.single() as session:
        north = organizations.by_address(session, "north")
        assert debits.take(Context(session, north, NOON), "emails", 7, key="k") == ConsumeAnswer(7, 8, EMAILS, 0)
    assert {address: revision(acme, address) for address in before} == {at: seen + 1 for at, seen in before.items()}
    with acme.writing() as session:
        made = organizations.by_address(session, "acme")
        assert list(verification.verify(Context(session, made, NOON))) == []
        again = consumption.consume(
            Context(session, organizations.by_address(session, "north"), NOON), "emails", 7, key="k"
        )
        assert again.repeated


def test_a_meter_that_is_yet_to_be_made_does_not_count_as_locked(acme: Database) -> None:
    """Whoever makes it waits for other locks, and reads its moment after that (fine point 17)."""
    wanted = [debits.Wanted("sms", 1, Mode.REJECT, key) for key in ("a", "b")]
    with acme.writing() as session:
        organization = organizations.by_address(session, "acme")
        assert debits.take_first(Context(session, organization, NOON), wanted) == []
        held = session.info.get(HELD, set())
        assert acme.sqlite or ("meter", organization.pk, "sms") not in held


def test_a_clock_that_another_server_is_ahead_of_takes_the_short_way(acme: Database) -> None:
    """By a few milliseconds: the moment is then the meter's (fine point 17), of one as of many together."""
    ahead = NOON.replace(minute=59, second=59) + timedelta(milliseconds=999)
    behind = ahead - timedelta(milliseconds=7)
    for place, (first, then) in enumerate(((ahead, behind), (ahead + timedelta(milliseconds=4), ahead))):
        with acme.writing() as session:
            organization = organizations.by_address(session, "acme")
            consumption.consume(Context(session, organization, first), "emails", 1)
            wanted = [debits.Wanted("emails", 1, Mode.REJECT, f"{place}-{key}") for key in range(3)]
            assert len(debits.take_first(Context(session, organization, then), wanted)) == len(wanted)
        with acme.single() as session:
            organization = organizations.by_address(session, "acme")
            assert debits.take(Context(session, organization, then), "emails", 1, key=f"alone-{place}") is not None
        with acme.reading() as session:
            organization = organizations.by_address(session, "acme")
            recorded = [at for at, *_ in events.recorded(session, organization.pk, "emails")]
            assert max(recorded) == first, "never before what was recorded under the lock"
            assert recorded.count(first) == 1 + len(wanted) + 1
            row = meters.read(session, organization.pk, "emails")
            assert row is not None
            assert row.watched_at == first
            hours = {hour.hour for hour in rollups.rows(session, organization.pk, "emails")}
            assert rollups.hour_of(first) in hours
            assert list(verification.verify(Context(session, organization, first))) == []


@pytest.mark.parametrize("past", [timedelta(0), timedelta(minutes=2)])
def test_what_a_clock_ahead_may_not_have_said_is_decided_by_the_engine(acme: Database, past: timedelta) -> None:
    """A meter that was used in its next period, or later than any clock that is right can say (decision 21)."""
    with acme.writing() as session:
        organization = organizations.by_address(session, "acme")
        row = meters.lock(session, organization.pk, "emails", NOON)
        row.watched_at = row.valid_until + past
        session.add(row)
        session.flush()
        now = row.valid_until - timedelta(milliseconds=1)
        wanted = [debits.Wanted("emails", 1, Mode.REJECT, key) for key in ("a", "b")]
        assert debits.take_first(Context(session, organization, now), wanted) == []
        assert debits.take(Context(session, organization, now), "emails", 1) is None


def test_what_a_savepoint_had_locked_is_not_held_after_it_was_undone(acme: Database) -> None:
    """The database released it with the savepoint: a later statement waits for it anew, and reads its clock after."""
    with acme.writing() as session:
        organization = organizations.by_address(session, "acme")
        lock, kept = ("organization", organization.pk), ("meter", organization.pk, "emails")
        meters.lock(session, organization.pk, "emails", NOON)
        locks.moment_of(session, kept, NOON)
        for undone in (True, False):
            with suppress(ZeroDivisionError), session.begin_nested():
                with session.begin_nested():
                    locks.hold(session, organization.pk, NOON)
                assert {lock, kept} <= session.info[HELD]
                if undone:
                    raise ZeroDivisionError
            assert session.info[HELD] == ({kept} if undone else {lock, kept})


@pytest.mark.parametrize("order", ["abc", "bca", "cba"])
def test_own_keys_that_two_batches_use_at_once_for_two_metrics_are_taken_once(acme: Database, order: str) -> None:
    """Whoever comes second is told of each that it was used with another request, though each waits for the other."""
    with acme.writing() as session:
        consumption.consume(Context(session, organizations.by_address(session, "acme"), NOON), "bandwidth", 1)

    @contextmanager
    def enter() -> Generator[Context]:
        with acme.writing() as session:
            yield Context(session, organizations.by_address(session, "acme"), NOON)

    def batch(metric: str) -> list[batches.Outcome]:
        return batches.consume_many(enter, [debits.Wanted(metric, 1, Mode.REJECT, key) for key in "cab"])

    with ThreadPoolExecutor() as pool, enter() as context:
        wanted = [debits.Wanted("emails", 1, Mode.REJECT, key) for key in order]
        assert len(debits.take_first(context, wanted[:2])) == 2
        other = pool.submit(batch, "bandwidth")
        time.sleep(0.5)  # the other waits for a key, or for its turn to write
        assert len(debits.take_first(context, wanted[2:])) == 1
        context.session.commit()
        found = other.result()
    assert [getattr(each, "code", each) for each in found] == ["idempotency_mismatch"] * 3
