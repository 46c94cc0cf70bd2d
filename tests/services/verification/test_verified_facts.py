"""`verify` says where facts were not allowed, and says nothing of any history that was (credits.md, The ledger)."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from billing_app.db import Database
from billing_app.domain.common.errors import BillingError
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants, tokens
from billing_app.services.usage import consumption, recounts, reporting
from billing_app.services.usage.consumption import Mode
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.services.verification import verification
from billing_app.store.common import runs
from billing_app.store.tables.base import new_id
from billing_app.store.tables.credits import GrantAction
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.usage import UsageRow
from billing_app.store.usage import meters
from tests.support.builders import NOON, an_organization, the_catalogue

HOUR = timedelta(hours=1)


class Books:
    """An organization on the free plan: 250 e-mails a month; 1 token becomes 100 of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        the_catalogue(database)
        with database.writing() as session:
            grants.change_plan(Context(session, an_organization(session), NOON - 24 * HOUR), "free")

    def do(self, work: Any, *arguments: Any, at: datetime, actor: str = "", **named: Any) -> Any:
        with self.database.writing() as session:
            return work(Context(session, organizations.by_address(session, "acme"), at, actor), *arguments, **named)

    def gives(self, metric: str, quantity: int, at: datetime, name: str, **more: Any) -> None:
        self.do(
            grants.grant,
            grants.NewGrant(metric, quantity, "given", source_key=name, reason=name, id=name, **more),
            at=at,
        )

    def found(self, at: datetime) -> list[str]:
        with self.database.reading() as session:
            return [
                str(each)
                for each in verification.verify(Context(session, organizations.by_address(session, "acme"), at))
            ]

    def adds(self, table: Any, **values: Any) -> None:
        with self.database.writing() as session:
            session.add(table(organization_id=organizations.by_address(session, "acme").pk, **values))

    def tampers(self, table: Any, **values: Any) -> None:
        with self.database.writing() as session:
            session.connection().execute(update(table).values(**values))

    def recounted(self, at: datetime) -> list[str]:
        """What verify finds once every meter and ledger follows the facts."""
        with self.database.writing() as session:
            meters.mark_all_stale(session)
        recounts.run(self.database.writing, lambda: at, runs.new_holder(), "demand")
        return self.found(at)


@pytest.fixture
def books(database: Database) -> Books:
    return Books(database)


def test_more_tokens_converted_than_there_were(books: Books) -> None:
    books.gives("token", 45, NOON, "gift")
    books.do(tokens.convert, "emails", 20, key="one", at=NOON + HOUR, actor="tests")
    assert books.recounted(NOON + 2 * HOUR) == []
    facts: dict[str, Any] = {"kind": "convert", "quantity": 30, "source_key": "convert:two:gift"}
    books.adds(GrantAction, number=9, grant_id="gift", metric="token", at=NOON + HOUR, recorded_at=NOON + HOUR, **facts)
    assert "acme token: converted by convert:two: stored 30, computed at most 25" in books.recounted(NOON + 2 * HOUR)


@pytest.mark.parametrize("later", [False, True], ids=["unpaid", "paid by a grant of later"])
def test_more_consumed_than_there_was(books: Books, later: bool) -> None:
    books.do(consumption.consume, "emails", 200, key="one", at=NOON)
    books.tampers(MeterRow, left=10**6)
    assert books.do(consumption.consume, "emails", 300, key="two", at=NOON + HOUR).accepted == 300
    if later:
        books.gives("emails", 1_000, NOON + 2 * HOUR, "later")
    found = books.recounted(NOON + 3 * HOUR)
    assert found == [f"acme emails: consumed at {(NOON + HOUR).isoformat()}: stored 300, computed at most 50"]


def test_more_consumed_within_an_hour_that_went_on(books: Books) -> None:
    """The hour's roll-up tells all of its use as of the last event, when today's view says nothing of the consume."""
    consumed_at = NOON + HOUR + timedelta(minutes=10)
    books.do(consumption.consume, "emails", 200, key="one", at=NOON)
    books.tampers(MeterRow, left=10**6)
    assert books.do(consumption.consume, "emails", 300, key="two", at=consumed_at).accepted == 300
    for name, at in (("a", consumed_at + timedelta(minutes=20)), ("b", NOON + 3 * HOUR)):
        books.do(reporting.report, [ReportedEvent("emails", 1, None, at, name)], at=at)
    found = books.recounted(NOON + 5 * HOUR)
    assert found == [f"acme emails: consumed at {consumed_at.isoformat()}: stored 300, computed at most 50"]


def test_more_reserved_than_there_was(books: Books) -> None:
    books.do(consumption.reserve, "emails", 200, at=NOON)
    books.tampers(MeterRow, reserved=0)
    books.do(consumption.reserve, "emails", 100, at=NOON + HOUR)
    found = books.recounted(NOON + 2 * HOUR)
    assert found == [f"acme emails: reserved at {(NOON + HOUR).isoformat()}: stored 300, computed at most 250"]


def test_what_is_dated_after_its_recording(books: Books) -> None:
    books.gives("emails", 10, NOON, "gift")
    books.do(grants.void, "gift", at=NOON + HOUR)
    books.do(reporting.report, [ReportedEvent("emails", 3, at=NOON + timedelta(minutes=5))], at=NOON)
    assert books.recounted(NOON + 2 * HOUR) == []
    late: dict[str, Any] = {"metric": "emails", "recorded_at": NOON + HOUR}
    books.adds(GrantAction, number=9, grant_id="gift", kind="void", at=NOON + 9 * HOUR, source_key="x", **late)
    books.adds(UsageRow, id=new_id(), quantity=3, occurred_at=NOON + 2 * HOUR, **late)
    found = " ".join(books.found(NOON + 2 * HOUR))
    assert "moment of void 9 of grant gift" in found
    assert "moment of usage" in found


def test_what_was_recorded_with_a_clock_that_was_ahead(books: Books) -> None:
    books.do(consumption.consume, "emails", 5, key="ahead", at=NOON + 60 * 24 * HOUR)
    assert any("recording of usage" in each for each in books.recounted(NOON))


@pytest.mark.parametrize("seed", range(12))
def test_no_history_that_was_allowed_is_reported(books: Books, seed: int) -> None:
    chance, now, opened = random.Random(seed), NOON, []
    books.gives("token", 40, NOON, "tokens")
    for number in range(30):
        now += timedelta(minutes=chance.choice((0, 1, 50, 60 * 30, 60 * 24 * 9)))
        name, quantity = f"{seed}:{number}", chance.choice((1, 40, 130, 400))
        try:
            match chance.randrange(10):
                case 0 | 1 | 2:
                    mode = chance.choice((Mode.CLAMP, Mode.REJECT))
                    books.do(consumption.consume, "emails", quantity, mode=mode, key=name, at=now)
                case 3:
                    opened.append(books.do(consumption.reserve, "emails", quantity, at=now).id)
                case 4 if opened:
                    books.do(consumption.confirm, opened.pop(), at=now)
                case 5 if opened:
                    books.do(consumption.release, opened.pop(), at=now)
                case 6:
                    at = now - timedelta(minutes=chance.choice((0, 1, 60 * 24)))
                    books.do(reporting.report, [ReportedEvent("emails", chance.choice((90, -30)), at=at)], at=now)
                case 7:
                    at = now - timedelta(hours=chance.choice((0, 30)))
                    books.gives("emails", quantity, now, name, effective_at=at)
                case 8:
                    books.do(tokens.convert, "emails", chance.choice((1, 5)), key=name, at=now, actor="tests")
                case _:
                    books.do(grants.change_plan, chance.choice(("free", "pro")), at=now)
        except BillingError:
            continue
    assert books.found(now) == []
    assert books.recounted(now) == []
