"""What is kept how long: everything up to its day and nothing after it; what must stay, stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func
from sqlmodel import Session, select

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import ConflictError
from billing_app.jobs import sweeps
from billing_app.locations import ROOT
from billing_app.services.access import members
from billing_app.services.common import audit, idempotency, organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.operators import retention
from billing_app.store.common import runs
from billing_app.store.tables.access import BrowserSession, Membership, OneTimeLink, SignInAttempts
from billing_app.store.tables.base import Table
from billing_app.store.tables.meters import Reservation
from billing_app.store.tables.notifications import Delivery, DeliveryAttempt, OperatorMail, OutboxMessage
from billing_app.store.tables.runs import Lease, RecountRun
from billing_app.store.tables.stripe import InboxEvent, ReconciliationFinding, ReconciliationRun
from billing_app.store.tables.usage import IdempotencyKey
from tests.support.builders import NOON, a_user, an_organization, the_catalogue

DAY = timedelta(days=1)
Make = Callable[[Session, int, datetime], list[Table]]


def sweep_at(database: Database, now: datetime) -> dict[str, int]:
    return retention.sweep(database.writing, lambda: now)


def count(database: Database, table: type[Table]) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def a_delivery(owner: int, at: datetime, finished: datetime | None) -> list[Table]:
    message = OutboxMessage(
        organization_id=owner,
        kind="test",
        key=uuid4().hex,
        payload="{}",
        occurred_at=at,
        recorded_at=at,
        fanned_out_at=at,
    )
    delivery = Delivery(
        organization_id=owner, message_id=message.id, channel="webhook", target=uuid4(), address="https://a.example",
        created_at=at, finished_at=finished, next_try_at=None if finished else at,
    )  # fmt: skip
    attempt = DeliveryAttempt(
        organization_id=owner, delivery_id=delivery.id, number=1, started_at=at, duration_ms=1, status=200
    )
    return [message, delivery, attempt]


def an_event(at: datetime, state: str) -> InboxEvent:
    return InboxEvent(
        source="stripe", id=uuid4().hex, type="x", subject="s", livemode=False, payload="{}", created_at=at,
        received_at=at, state=state,
    )  # fmt: skip


def a_reservation(owner: int, at: datetime) -> Reservation:
    return Reservation(
        organization_id=owner, id=uuid4().hex, metric="sms", quantity=1, opened_at=at - DAY, holds_until=at
    )


def a_report(at: datetime, number: int) -> list[Table]:
    run = ReconciliationRun(
        id=number, trigger="schedule", since=at, state="finished", started_at=at, renewed_at=at, finished_at=at
    )
    finding = ReconciliationFinding(run_id=number, number=1, code="x", repaired=True, detail="-", found_at=at)
    return [run, finding]


def a_mail(session: Session, at: datetime) -> OperatorMail:
    user = a_user(session, email=f"{uuid4().hex}@example.org")
    return OperatorMail(key=uuid4().hex, user_id=user.id, subject="-", text="-", page="/", created_at=at)


def a_sign_in(session: Session, at: datetime) -> BrowserSession:
    user = a_user(session, email=f"{uuid4().hex}@example.org")
    return BrowserSession(token_hash=uuid4().hex, user_id=user.id, created_at=at - DAY, seen_at=at, expires_at=at)


KINDS: dict[str, tuple[type[Table], Make]] = {
    "sessions": (
        BrowserSession,
        lambda session, _owner, at: [a_sign_in(session, at)],
    ),
    "one-time links": (
        OneTimeLink,
        lambda _session, _owner, at: [
            OneTimeLink(token_hash=uuid4().hex, kind="set_up", created_at=at - DAY, expires_at=at, used_at=at - DAY)
        ],
    ),
    "failed sign-ins": (
        SignInAttempts,
        lambda _session, _owner, at: [SignInAttempts(subject_hash=uuid4().hex, started_at=at, failures=1)],
    ),
    "idempotency keys": (
        IdempotencyKey,
        lambda _session, owner, at: [
            IdempotencyKey(organization_id=owner, space="x", key=uuid4().hex, digest="-", answer="-", recorded_at=at)
        ],
    ),
    "reservations": (Reservation, lambda _session, owner, at: [a_reservation(owner, at)]),
    "deliveries": (Delivery, lambda _session, owner, at: a_delivery(owner, at, at)),
    "messages": (OutboxMessage, lambda _session, owner, at: a_delivery(owner, at, at)),
    "Stripe's events": (InboxEvent, lambda _session, _owner, at: [an_event(at, "handled")]),
    "recounts": (
        RecountRun,
        lambda _session, _owner, at: [RecountRun(trigger="schedule", as_of=at, started_at=at, finished_at=at)],
    ),
    "comparisons with Stripe": (ReconciliationRun, lambda _session, _owner, at: a_report(at, int(at.timestamp()))),
    "mails to operators": (OperatorMail, lambda session, _owner, at: [a_mail(session, at)]),
    "leases": (Lease, lambda _session, _owner, at: [Lease(name=uuid4().hex, holder="x", expires_at=at)]),
}


def test_every_rule_is_tried() -> None:
    assert KINDS.keys() == retention.RULES.keys()


def add(database: Database, make: Make, *moments: datetime) -> None:
    with database.writing() as session:
        owner = organizations.by_address(session, "acme").pk
        for at in moments:
            for row in make(session, owner, at):
                session.add(row)
                session.flush()


@pytest.fixture
def database(database: Database) -> Database:
    the_catalogue(database)
    with database.writing() as session:
        an_organization(session)
    return database


@pytest.mark.parametrize("name", KINDS)
def test_what_is_done_with_goes_on_its_day_and_not_before(database: Database, name: str) -> None:
    table, make = KINDS[name]
    keep = retention.RULES[name].keep
    minute = timedelta(minutes=1)
    add(database, make, NOON - keep - minute, NOON - keep + minute, NOON + minute)
    assert sweep_at(database, NOON)[name] == 1
    assert count(database, table) == 2
    assert name not in sweep_at(database, NOON)


def test_more_than_a_batch_goes_in_batches(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    add(database, KINDS["idempotency keys"][1], *[NOON - 50 * DAY] * 10)
    assert sweep_at(database, NOON) == {"idempotency keys": 10}


def test_what_somebody_must_still_look_after_stays(database: Database) -> None:
    long_ago = NOON - 800 * DAY
    with database.writing() as session:
        owner = organizations.by_address(session, "acme").pk
        for row in (*a_delivery(owner, long_ago, None), an_event(long_ago, "failed"), an_event(long_ago, "new")):
            session.add(row)
            session.flush()
    add(database, KINDS["recounts"][1], long_ago)
    add(database, KINDS["comparisons with Stripe"][1], long_ago)
    assert sweep_at(database, NOON) == {}
    with database.reading() as session:
        assert runs.last_finished(session) is not None


def test_a_key_that_was_swept_may_be_used_again_and_one_that_was_not_repeats(database: Database) -> None:
    with database.writing() as session:
        request = idempotency.Repeatable(organizations.by_address(session, "acme").pk, "x", "k", "d")
        assert not idempotency.once(session, request, NOON, lambda: 1).repeated
    for days, repeated in ((39, True), (41, False)):
        sweep_at(database, NOON + days * DAY)
        with database.writing() as session:
            assert idempotency.once(session, request, NOON + days * DAY, lambda: 1).repeated is repeated


def test_an_invitation_that_nobody_took_gives_its_place_back(database: Database) -> None:
    with database.writing() as session:
        acme = organizations.by_address(session, "acme")
        grants.change_plan(Context(session, acme, NOON), "pro")
        for email in ("old@example.org", "renewed@example.org", "in@example.org"):
            members.invite(Context(session, acme, NOON, "ada"), email, Role.ADMIN)
        joined = next(each for each in members.every(session, acme) if each.email == "in@example.org")
        row = session.get(Membership, (acme.pk, joined.id))
        assert row is not None
        row.accepted_at = NOON
        session.add(row)
    later = NOON + 29 * DAY
    with database.writing() as session:
        members.invite(
            Context(session, organizations.by_address(session, "acme"), later, "ada"), "renewed@example.org", Role.ADMIN
        )
    assert "invitations" not in sweep_at(database, later)
    assert sweep_at(database, NOON + 31 * DAY)["invitations"] == 1
    with database.reading() as session:
        acme = organizations.by_address(session, "acme")
        assert [each.email for each in members.every(session, acme)] == ["in@example.org", "renewed@example.org"]
        latest = audit.entries(session, acme.pk, 1)[0]
        assert (latest.action, latest.actor) == ("invitation.ended", audit.SYSTEM)


def test_one_process_sweeps_at_a_time(database: Database) -> None:
    with database.writing() as session:
        runs.take_lease(session, sweeps.HOUSEKEEPING_LEASE, "elsewhere:1:x", clock.now())
    with pytest.raises(ConflictError):
        sweeps.housekeeping(database)
    with database.writing() as session:
        runs.release_lease(session, sweeps.HOUSEKEEPING_LEASE, "elsewhere:1:x")
    assert sweeps.housekeeping(database) == {}


def test_the_document_says_the_same() -> None:
    """docs/operations.md lists every rule with its time and reason."""
    text = (ROOT / "docs" / "operations.md").read_text()
    for name, rule in retention.RULES.items():
        days = rule.keep.days
        time = f"{days} days" if days > 1 else "1 day" if days else "15 minutes" if rule.keep else "at once"
        assert f"| {name} | {time} | {rule.why} |" in text, name
    assert f"| invitations | {retention.INVITATIONS.days} days |" in text
