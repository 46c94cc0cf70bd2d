"""`billing verify` finds whatever was changed behind the services' back, and says it in a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from billing_app import clock, wiring
from billing_app.cli import main
from billing_app.db import Database
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.organizations import children
from billing_app.services.usage import consumption, recounts, reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.services.verification import verification
from billing_app.store.common.triggers import APPEND_ONLY
from billing_app.store.organizations.organizations import by_address
from billing_app.store.tables.organizations import Organization
from tests.support.builders import NOON, an_organization, the_catalogue

pytestmark = pytest.mark.both_databases

BEFORE = NOON - timedelta(days=60)
"""Two periods earlier, so that a period has ended and another runs."""

MAILS, DEVICES, BYTES = "emails", "mau", "storage"

CORRUPTIONS = {
    "an entry's quantity": "UPDATE ledger_entries SET quantity = quantity + 1 WHERE number = 2",
    "an entry's quantity and all that follow it": (
        "UPDATE ledger_entries SET quantity = CASE number WHEN 2 THEN quantity + 1 ELSE quantity END, "
        "balance_after = balance_after + 1 WHERE number >= 2"
    ),
    "an entry's balance": "UPDATE ledger_entries SET balance_after = balance_after - 7 WHERE number = 2",
    "an entry's kind": "UPDATE ledger_entries SET kind = 'void' WHERE kind = 'burn'",
    "an entry's grant": "UPDATE ledger_entries SET grant_id = 'soon' WHERE grant_id = 'bought'",
    "an entry's period": "UPDATE ledger_entries SET period = period + 1 WHERE kind = 'burn'",
    "an entry's bucket": "UPDATE ledger_entries SET bucket = 'burn:0:soon' WHERE bucket = 'burn:0:bought'",
    "an entry's key": "UPDATE ledger_entries SET idempotency_key = 'x' WHERE number = 1",
    "an entry that is gone": "DELETE FROM ledger_entries WHERE number = 2",
    "the latest entry that is gone": (
        "DELETE FROM ledger_entries WHERE number = (SELECT max(number) FROM ledger_entries)"
    ),
    "an entry under another number": (
        "UPDATE ledger_entries SET number = number + 100 WHERE number = (SELECT max(number) FROM ledger_entries)"
    ),
    "a meter's use": "UPDATE meters SET used = used - 1 WHERE metric = 'emails'",
    "a meter's credits": 'UPDATE meters SET "left" = "left" + 100 WHERE metric = \'emails\'',
    "a meter's allowance": "UPDATE meters SET allowance = NULL WHERE metric = 'emails'",
    "a meter's level": "UPDATE meters SET level = 0 WHERE metric = 'storage'",
    "a meter's reservations": "UPDATE meters SET reserved = 0 WHERE metric = 'emails'",
    "a meter's period": "UPDATE meters SET period = period - 1 WHERE metric = 'emails'",
    "a meter that never ends": "UPDATE meters SET valid_until = '2099-01-01 00:00:00+00:00' WHERE metric = 'emails'",
    "a meter that is not posted again": "UPDATE meters SET post_due_at = '2099-01-01 00:00:00+00:00'",
    "a meter that is gone": "DELETE FROM meters WHERE metric = 'mau'",
    "an hour's sum": "UPDATE usage_hours SET quantity = quantity + 5 WHERE metric = 'emails'",
    "an hour's devices": "UPDATE usage_hours SET quantity = quantity + 5 WHERE metric = 'mau'",
    "an hour's level": "UPDATE usage_hours SET level = level + 5 WHERE metric = 'storage'",
    "an hour's time": "UPDATE usage_hours SET last_at = hour WHERE metric = 'emails'",
    "an hour that hides a correction": "UPDATE usage_hours SET exact = true WHERE NOT exact",
    "an hour that was known earlier": "UPDATE usage_hours SET recorded_at = '2020-01-01 00:00:00+00:00'",
    "an hour that is gone": "DELETE FROM usage_hours WHERE metric = 'storage'",
    "a device seen earlier": "UPDATE usage_subjects SET first_seen_at = '2026-01-01 00:00:00+00:00'",
    "a device that is gone": "DELETE FROM usage_subjects WHERE subject = 'phone-1'",
    "a part's share": "UPDATE source_totals SET quantity = 1",
    "an event's quantity": "UPDATE usage_events SET quantity = quantity + 1 WHERE metric = 'emails'",
    "an event's time": "UPDATE usage_events SET occurred_at = '2026-01-02 00:00:00+00:00' WHERE metric = 'storage'",
    "an event that is gone": "DELETE FROM usage_events WHERE metric = 'mau'",
    "a usage key that is gone": "DELETE FROM usage_keys WHERE key = 'first'",
    "a part's usage key that is gone": "DELETE FROM usage_keys WHERE key = 'of the part'",
    "a usage key that nobody sent": "UPDATE usage_keys SET key = 'another' WHERE key = 'first'",
    "an event twice under one key": "UPDATE usage_events SET key = 'first' WHERE key = 'second'",
    "a grant's quantity": "UPDATE grants SET quantity = quantity + 1 WHERE id = 'bought'",
    "a grant's end": "UPDATE grants SET expires_at = NULL WHERE id = 'soon'",
    "a grant's metric": "UPDATE grants SET metric = 'sms' WHERE id = 'bought'",
    "a grant's unknown metric": "UPDATE grants SET metric = 'letters' WHERE id = 'bought'",
    "a grant's place in the order": "UPDATE grants SET priority = 1 WHERE id = 'bought'",
    "a refund that is gone": "DELETE FROM grant_actions",
    "a refund of another amount": "UPDATE grant_actions SET refunded_cents = 1000",
    "another plan": "UPDATE plan_changes SET plan = 'pro'",
    "other periods": "UPDATE organizations SET anchor = '2026-01-15 00:00:00+00:00'",
}


def at_work(session: Session) -> Organization:
    """An organization with a part: use of three kinds, corrections, credits burned, ended, refunded and reserved."""
    acme = an_organization(session)
    grants.change_plan(Context(session, acme, BEFORE), "essential")
    for name, quantity, ends in (("soon", 30, NOON - timedelta(days=30)), ("bought", 200, None)):
        grants.grant(
            Context(session, acme, BEFORE),
            grants.NewGrant(
                MAILS,
                quantity,
                source="purchase",
                source_key=name,
                reason="bought",
                id=name,
                expires_at=ends,
                paid_cents=1_000,
                currency="usd",
            ),
        )
    mails = [(0, 0, 5_010, "first"), (10, 10, 60, "second"), (11, 45, -10, "third"), (58, 58, 5_020, "fourth")]
    for occurred, reported, quantity, key in mails:
        event = ReportedEvent(MAILS, quantity, at=BEFORE + timedelta(days=occurred, minutes=5), id=key)
        reporting.report(Context(session, acme, BEFORE + timedelta(days=reported, minutes=5)), [event])
    for days, device, stored in ((1, "phone-1", 700), (3, "phone-2", 900), (50, "phone-1", 800)):
        at = BEFORE + timedelta(days=days, minutes=10)
        events = [ReportedEvent(DEVICES, subject=device, at=at), ReportedEvent(BYTES, stored, at=at)]
        reporting.report(Context(session, acme, at), events)
    part = children.create(Context(session, acme, NOON - timedelta(hours=2), "test"), name="North", address="north")
    at = NOON - timedelta(hours=1)
    reporting.report(Context(session, part, at), [ReportedEvent(MAILS, 4, at=at, id="of the part")])
    grants.refund(Context(session, acme, NOON), "bought", 100, source_key="some")
    consumption.consume(Context(session, acme, NOON + timedelta(minutes=1)), MAILS, 3)
    consumption.reserve(Context(session, acme, NOON + timedelta(minutes=2)), MAILS, 5)
    recounts.post(Context(session, acme, NOON + timedelta(minutes=3)))
    return acme


def found(session: Session, acme: Organization) -> list[str]:
    session.expire_all()
    return [str(each) for each in verification.verify(Context(session, acme, NOON + timedelta(minutes=4)))]


def unlock(session: Session) -> None:
    """Whoever corrupts a database does not ask its triggers."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    for table in APPEND_ONLY:
        for verb in ("update", "delete"):
            disabled = f"DROP TRIGGER {table}_no_{verb}" if sqlite else f"ALTER TABLE {table} DISABLE TRIGGER USER"
            session.connection().execute(text(disabled))


def test_every_corruption_is_found(database: Database) -> None:
    the_catalogue(database, datetime(2025, 1, 1, tzinfo=UTC))
    with database.writing() as session:
        acme = at_work(session)
        north = by_address(session, "north")
        assert north is not None
        assert found(session, acme) + found(session, north) == []
        unlock(session)
        for name, statement in CORRUPTIONS.items():
            savepoint = session.begin_nested()
            assert session.connection().execute(text(statement)).rowcount > 0, f"{name}: nothing was corrupted"
            lines = found(session, acme) + found(session, north)
            assert lines, f"{name}: not found"
            assert all(": stored " in line and ", computed " in line for line in lines)
            savepoint.rollback()
        assert found(session, acme) == []


def test_a_difference_is_a_sentence_and_an_exit_code(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wiring, "database", lambda: database)
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(minutes=4))
    the_catalogue(database, datetime(2025, 1, 1, tzinfo=UTC))
    with database.writing() as session:
        at_work(session)
    assert verified() == 0
    assert capsys.readouterr().out == "2 organizations verified, 0 differences.\n"
    with database.writing() as session:
        session.connection().execute(text("UPDATE meters SET used = used - 1 WHERE metric = 'emails'"))
    assert verified() == 1
    assert capsys.readouterr().out.splitlines() == [
        "acme emails: meter's used: stored 5026, computed 5027",
        "2 organizations verified, 1 differences.",
    ]
    assert verified("--json") == 1
    assert '"what": "meter\'s used"' in capsys.readouterr().out


def verified(*options: str) -> int:
    try:
        main(["verify", *options])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0
