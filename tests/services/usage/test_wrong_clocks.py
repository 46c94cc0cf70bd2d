"""What a server with a wrong clock leaves, and what it may not do (docs/decisions/0021)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from billing_app import clock
from billing_app.api.common.health import clocks_agree
from billing_app.db import Database
from billing_app.domain.common.errors import UnavailableError
from billing_app.jobs import schedule
from billing_app.launcher import start
from billing_app.locations import ROOT
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.operators import operations
from billing_app.services.usage import accounts, consumption, entitlements, recounts, reporting
from billing_app.services.usage.consumption import Mode
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.services.verification import verification
from billing_app.settings import Settings
from billing_app.store.catalogue import versions as store
from billing_app.store.common import runs
from billing_app.store.tables.notifications import OperatorMail
from billing_app.store.tables.organizations import Organization
from billing_app.ui.kit.formats import Formats
from billing_app.ui.operators.recounts.text import recounts_screen
from tests.support.builders import NOON, a_user, an_organization, the_catalogue

pytestmark = pytest.mark.both_databases

AHEAD = NOON + timedelta(days=60)
LATER = NOON + timedelta(minutes=1)


@pytest.fixture
def acme(database: Database) -> Database:
    """250 e-mails of the plan and 100 bought until in a month; 300 are used."""
    the_catalogue(database)
    with database.writing() as session:
        a_user(session, "operator@example.org", operator=True)
        organization = an_organization(session)
        grants.change_plan(Context(session, organization, NOON - timedelta(days=1)), "free")
        grants.grant(
            Context(session, organization, NOON - timedelta(days=1)),
            grants.NewGrant(
                "emails",
                100,
                source="given",
                source_key="month",
                reason="month",
                id="month",
                expires_at=NOON + timedelta(days=30),
            ),
        )
        reporting.report(Context(session, organization, NOON), [ReportedEvent("emails", 300)])
    return database


def at(session: Session) -> Organization:
    return organizations.by_address(session, "acme")


def consumes(database: Database, quantity: int, key: str = "k") -> int:
    with database.writing() as session:
        return consumption.consume(
            Context(session, at(session), LATER), "emails", quantity, mode=Mode.CLAMP, key=key
        ).accepted


def looks(database: Database) -> None:
    """All that a server does without a fact: a check, and a recount."""
    with database.writing() as session:
        assert entitlements.check_metric(Context(session, at(session), AHEAD), "emails").allowed
    recounts.run(database.writing, lambda: AHEAD, runs.new_holder(), "schedule")


def test_a_meter_that_was_brought_ahead_is_not_used(acme: Database) -> None:
    looks(acme)
    with acme.reading() as session, pytest.raises(entitlements.OutOfDateError):
        entitlements.check_metric(Context(session, at(session), LATER), "emails", quantity=51, writing=False)
    with acme.writing() as session:
        assert not entitlements.check_metric(Context(session, at(session), LATER), "emails", quantity=51).allowed
    looks(acme)
    assert consumes(acme, 10**6) == 50
    assert consumes(acme, 1, "another") == 0


def test_the_next_recount_takes_back_what_was_posted_too_early_and_tells(acme: Database) -> None:
    looks(acme)
    outcome = recounts.run(acme.writing, lambda: LATER, runs.new_holder(), "schedule")
    assert outcome.repaired == 1
    with acme.reading() as session:
        organization = at(session)
        assert list(verification.verify(Context(session, organization, LATER))) == []
        account = accounts.account(session, organization, "emails", LATER)
        assert (account.left, account.expired) == (50, 0)
        assert recounts.balance(Context(session, organization, LATER), "emails") == (50, 0)
        assert organization.recounted_at == organization.held_at == LATER
        assert "storage to 09 May 2026, 12:00 UTC" in session.exec(select(OperatorMail)).one().text
    assert recounts.run(acme.writing, lambda: LATER, runs.new_holder(), "schedule").repaired == 0
    assert consumes(acme, 10**6) == 50


def test_what_happens_while_a_recount_runs_for_long_is_no_wrong_clock(acme: Database) -> None:
    during = LATER + timedelta(minutes=5)
    with acme.writing() as session:
        reporting.report(Context(session, at(session), during), [ReportedEvent("emails", 1)])
    living = acme.ticking(lambda: during + timedelta(seconds=1))
    outcome = recounts.run(living.writing, lambda: LATER, runs.new_holder(), "schedule")
    assert (outcome.organizations_changed, outcome.repaired) == (1, 0)
    with acme.reading() as session:
        assert session.exec(select(OperatorMail)).all() == []


def test_what_a_recount_repaired_is_told_in_its_row(acme: Database) -> None:
    looks(acme)
    recounts.run(acme.writing, lambda: LATER, runs.new_holder(), "schedule")
    with acme.reading() as session:
        repaired = [each.repaired for each in operations.recount_runs(session, "", LATER).runs]
        shown = recounts_screen(operations.recount_runs(session, "", LATER), Formats(), "").rows
    assert repaired == [1, 0]
    assert [(row.state, row.error) for row in shown] == [
        ("Repaired", "A clock was ahead: figures of 1 organization were put right."),
        ("", ""),
    ]


def test_no_later_operation_is_dragged_along(acme: Database) -> None:
    looks(acme)
    with acme.ticking(lambda: LATER).writing() as session:
        organization = at(session)
        made = grants.grant(
            Context(session, organization, NOON),
            grants.NewGrant("emails", 7, source="given", source_key="now", reason="now", id="now"),
        )
        assert (made.recorded_at, organization.held_at) == (LATER, LATER)


def test_a_lease_of_that_clock_keeps_nobody_out(acme: Database) -> None:
    with acme.writing() as session:
        runs.take_lease(session, recounts.LEASE, "gone:1:x", AHEAD)
    assert recounts.run(acme.writing, lambda: LATER, runs.new_holder(), "schedule").organizations_seen == 1


@pytest.mark.parametrize("days", [60, -60])
def test_a_server_whose_clock_differs_from_the_database_does_not_write(acme: Database, days: int) -> None:
    wrong = acme.ticking(lambda: clock.now() + timedelta(days=days)).watched()
    if acme.sqlite:  # it has one process and one clock
        assert clocks_agree(wrong) == ""
        return
    said = clocks_agree(wrong)
    assert f"60 days, 0:00:00 {'ahead of' if days > 0 else 'behind'} the database's" in said
    for opened in (wrong.writing, wrong.single):
        with pytest.raises(UnavailableError) as refused, opened() as session:
            grants.void(Context(session, at(session), NOON), "month")
        assert (refused.value.status, refused.value.code) == (503, "clock_differs")
    with wrong.reading() as session:
        assert at(session).address == "acme"


def test_a_clock_that_is_put_right_may_write_again(acme: Database) -> None:
    off = [timedelta(days=60)]
    server = acme.ticking(lambda: clock.now() + off[0]).watched()
    assert (clocks_agree(server) == "") is acme.sqlite
    off[0] = timedelta(seconds=2)
    assert clocks_agree(server) == ""
    with server.writing() as session:
        grants.void(Context(session, at(session), clock.now()), "month")


def test_a_clock_that_jumps_while_running_is_noticed_at_the_next_write(acme: Database) -> None:
    """Not within the half minute for which a comparison stands: it has gone further than the time that has passed."""
    off = [timedelta(0)]
    server = acme.ticking(lambda: clock.now() + off[0]).watched()
    for jump in (timedelta(days=60), timedelta(seconds=-6), timedelta(0)):
        with server.writing():
            pass
        off[0] = jump
        if jump and not acme.sqlite:
            for opened in (server.writing, server.single):
                with pytest.raises(UnavailableError, match="Nothing is written until they agree"), opened():
                    pass
        off[0] = timedelta(0)
    with server.writing() as session:
        grants.void(Context(session, at(session), clock.now()), "month")


def test_a_start_with_a_wrong_clock_loads_nothing_and_says_why(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = database.ticking(lambda: clock.now() + timedelta(days=60)).watched()
    document = versions.read_document(ROOT / "plans.json")
    start._load(wrong, document, "plans.json")
    lines = start._set_up_lines(wrong, Settings(_env_file=None, public_url="http://127.0.0.1:3000"))
    said = capsys.readouterr()
    with database.reading() as session:
        loaded = store.in_force(session, clock.now() + timedelta(days=90)) is not None
    assert (loaded, bool(lines)) == (database.sqlite, database.sqlite)
    assert ("plans.json was not loaded. The clock of this server is 60 days" in said.out + said.err) != database.sqlite


def test_a_job_of_such_a_server_does_nothing(acme: Database) -> None:
    ran: list[bool] = []
    wrong = acme.ticking(lambda: clock.now() + timedelta(days=60)).watched()
    jobs = schedule.scheduler(wrong, {"probe": (lambda: ran.append(True), 3_600)})
    asyncio.run(jobs.get_job("probe").func())
    assert ran == ([True] if acme.sqlite else [])
