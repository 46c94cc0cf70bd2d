"""Snapshots of the engine change cost, never meaning: delete them all and every number stays (law of splitting)."""

from __future__ import annotations

import contextlib
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import Session, col, select

from billing_app.db import Database
from billing_app.domain.common.errors import BillingError
from billing_app.domain.credits.facts import DisputeStatus
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.usage import consumption, recounts, reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.store.common import runs
from billing_app.store.tables.credits import EngineSnapshot, GrantSnapshot, LedgerEntry
from billing_app.store.tables.meters import MeterRow
from tests.services.verification.test_verified_facts import Books
from tests.support.builders import NOON, an_organization

DAY = timedelta(days=1)
METRICS = ("emails", "storage", "members")


def grant(books: Books, metric: str, at: datetime, name: str, **more: Any) -> None:
    books.gives(metric, 40, at, name, **more)


def step(books: Books, chance: random.Random, now: datetime, number: int) -> None:
    """Something that may happen to an organization, late or in time."""
    metric, name = chance.choice(METRICS), f"s{number}"
    late = now - timedelta(minutes=chance.choice((0, 0, 5, 60 * 30, 60 * 24 * 20, 60 * 24 * 33, 60 * 24 * 70)))
    known = [f"s{each}" for each in range(number)]
    match chance.randrange(9):
        case 0 | 1:
            ends = now + chance.choice((5, 40, 90)) * DAY
            grant(books, metric, now, name, expires_at=ends, paid_cents=chance.choice((0, 400)))
        case 2:
            grant(books, metric, now, name, effective_at=late, paid_cents=400, backdated=True)
        case 3 | 4:
            events = [ReportedEvent(metric, chance.choice((90, 300, -30)), f"who{number % 7}", late, name)]
            books.do(reporting.report, events, backfill=chance.choice((True, False)), at=now)
        case 5:
            books.do(consumption.consume, "emails", chance.choice((20, 200)), key=name, at=now)
        case 6 if known:
            books.do(grants.void, chance.choice(known), at=now)
        case 7 if known:
            cents = chance.choice((0, 200, 400))
            books.do(grants.refund, chance.choice(known), cents, source_key=name, at=now)
        case 8 if known:
            status = chance.choice(list(DisputeStatus))
            books.do(grants.dispute, chance.choice(known), status, source_key=name, dispute_id="d", at=now)


class Twin(Books):
    """The same of another organization on the same database, which never has a snapshot."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.writing() as session:
            made = an_organization(session, address="twin")
            grants.change_plan(Context(session, made, NOON - DAY), "free")

    def do(self, work: Any, *arguments: Any, at: datetime, actor: str = "", **named: Any) -> Any:
        with self.database.writing() as session:
            organization = organizations.by_address(session, "twin")
            done = work(Context(session, organization, at, actor), *arguments, **named)
            forget(session, organization.pk)
            return done


def forget(session: Session, owner: int) -> None:
    for table in (EngineSnapshot, GrantSnapshot):
        session.connection().execute(delete(table).where(col(table.organization_id) == owner))


def stored(session: Session, address: str) -> list[dict[str, Any]]:
    """Every entry and every figure of a meter. `valid_from` is none: arithmetic may be exact from earlier on."""
    owner = organizations.by_address(session, address).pk
    entries = session.exec(select(LedgerEntry).where(LedgerEntry.organization_id == owner))
    meters = session.exec(select(MeterRow).where(MeterRow.organization_id == owner))
    rows = [entry.model_dump(exclude={"organization_id"}) for entry in entries]
    rows += [row.model_dump(exclude={"organization_id", "valid_from"}) for row in meters]
    return sorted(rows, key=lambda row: (row.get("number", 0), row["metric"]))


def recount(database: Database, now: datetime) -> None:
    recounts.run(database.writing, lambda: now, runs.new_holder(), "demand")


@pytest.mark.parametrize("seed", range(5))
def test_a_story_ends_the_same_without_them(database: Database, seed: int) -> None:
    """Ten months of it, some of it late by months."""
    books = Books(database)
    both, now, kept = (books, Twin(database)), NOON, 0
    for number in range(60):
        chance = random.Random(f"{seed}.{number}")
        now += timedelta(hours=chance.choice((1, 30, 24 * 9)))
        for each in both:
            with contextlib.suppress(BillingError):
                step(each, random.Random(f"{seed}.{number}"), now, number)
        if number % 3 == 2:
            recount(database, now)
        with database.writing() as session:
            forget(session, organizations.by_address(session, "twin").pk)
            kept += len(session.exec(select(EngineSnapshot)).all())
            assert stored(session, "acme") == stored(session, "twin")
        assert books.found(now) == []
    assert kept


def after_months(books: Books) -> datetime:
    """Credits that do not end, used over four months, with a snapshot of them."""
    books.gives("emails", 1_000, NOON, "lot", expires_at=None)
    now = NOON
    for month in range(4):
        now = NOON + 31 * month * DAY
        books.do(reporting.report, [ReportedEvent("emails", 300, None, now, f"m{month}")], at=now)
        recount(books.database, now)
    assert snapshots_of(books.database) == ["emails"]
    assert balance(books) == 1_000 - 4 * 50
    return now


def snapshots_of(database: Database) -> list[str]:
    with database.reading() as session:
        return [row.metric for row in session.exec(select(EngineSnapshot))]


def balance(books: Books) -> int:
    """What the ledger of e-mails says, as the meter does."""
    with books.database.reading() as session:
        (row,) = session.exec(select(MeterRow).where(MeterRow.metric == "emails"))
        posted = sum(each.quantity for each in session.exec(select(LedgerEntry)))
    assert posted == row.left
    return posted


def test_use_dated_before_a_snapshot_removes_it(database: Database) -> None:
    books = Books(database)
    after_months(books)
    now = datetime(2026, 7, 1, 1, tzinfo=UTC)
    recount(database, now)
    late = ReportedEvent("emails", 100, None, now - 33 * DAY, "late")  # of May; June and July are run again
    assert books.do(reporting.report, [late], at=now).accepted == 1
    assert snapshots_of(database) == []
    recount(database, now)
    assert balance(books) == 1_000 - 4 * 50 - 100
    assert books.found(now) == []


def test_use_dated_after_a_snapshot_keeps_it(database: Database) -> None:
    books = Books(database)
    now = after_months(books) + DAY
    with database.reading() as session:
        (before,) = [row.model_dump() for row in session.exec(select(EngineSnapshot))]
    books.do(reporting.report, [ReportedEvent("emails", 100, None, now - 20 * DAY, "late")], at=now)
    recount(database, now)
    assert balance(books) == 1_000 - 4 * 50 - 100
    with database.reading() as session:
        assert [row.model_dump() for row in session.exec(select(EngineSnapshot))] == [before]


def test_a_burn_of_the_running_period_that_never_was_is_taken_back(database: Database) -> None:
    """Its bucket has not moved since the snapshot any more, so that only the ledger still tells of it."""
    books = Books(database)
    now = after_months(books)
    books.do(reporting.report, [ReportedEvent("emails", -300, None, now, "by mistake")], at=now + DAY)
    recount(database, now + DAY)
    assert balance(books) == 1_000 - 3 * 50
    assert books.found(now + DAY) == []


def test_a_grant_dated_before_a_snapshot_counts(database: Database) -> None:
    books = Books(database)
    now = after_months(books) + DAY
    books.gives("emails", 20, now, "late", effective_at=NOON - DAY, expires_at=NOON + 40 * DAY, backdated=True)
    assert balance(books) == 1_000 - 4 * 50 + 20
    assert books.found(now) == []


def test_a_plan_that_held_before_a_snapshot_counts(database: Database) -> None:
    """250 e-mails are included on the plan of before, 10 000 on the other, as is known since today."""
    books = Books(database)
    now = after_months(books) + DAY
    books.do(change_plan_since, NOON - DAY, at=now)
    assert balance(books) == 1_000
    assert books.found(now) == []


def change_plan_since(context: Context, since: datetime) -> None:
    grants.change_plan(context, "pro", at=since)
