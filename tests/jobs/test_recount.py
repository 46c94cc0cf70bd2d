"""The recount as a job: on the schedule, one at a time, and caught up after a stop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError
from billing_app.jobs import recount, schedule
from billing_app.locations import ROOT
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.usage import recounts, reporting
from billing_app.services.verification import verification
from billing_app.store.common import runs
from billing_app.store.credits import ledger, ungranted_meters
from billing_app.store.usage import meters
from tests.services.credits.test_reading_cost import heard


@pytest.fixture
def busy(database: Database) -> Database:
    """A database with one organization whose ledger is behind."""
    now = clock.now()
    with database.writing() as session:
        versions.load(session, versions.read_document(ROOT / "plans.json"), now, "plans.json")
        organization = organizations.create(session, now, address="acme", anchor=now - timedelta(days=40))
        grants.change_plan(Context(session, organization, now), "free")
        grants.grant(
            Context(session, organization, now),
            grants.NewGrant("sms", 100, source="operator", source_key="a", reason="Hello"),
        )
        reporting.report(Context(session, organization, now), [reporting.ReportedEvent("sms", 30, id="one")])
    return database


def posted(database: Database) -> int:
    """What the ledger of SMS sums up to."""
    with database.reading() as session:
        organization = organizations.by_address(session, "acme")
        return ledger.balance(session, organization.id or 0, "sms")


def test_a_recount_posts_what_was_used_and_leaves_a_row(busy: Database) -> None:
    assert posted(busy) == 100
    outcome = recount.recount(busy, "demand")
    assert posted(busy) == 70
    assert (outcome.organizations_seen, outcome.organizations_changed, outcome.entries) == (1, 1, 1)
    with busy.reading() as session:
        (run,) = runs.recent(session, 10)
        assert (run.trigger, run.organizations_changed, run.entries, run.error) == ("demand", 1, 1, None)
        assert run.finished_at is not None


def test_recounting_again_touches_nobody(busy: Database) -> None:
    recount.recount(busy, "demand")
    outcome = recount.recount(busy, "demand")
    assert (outcome.organizations_seen, outcome.entries) == (0, 0)


def test_one_run_at_a_time_across_processes(busy: Database) -> None:
    with busy.writing() as session:
        runs.take_lease(session, recounts.LEASE, "elsewhere:1:abcd", clock.now())
    with pytest.raises(ConflictError) as refused:
        recount.recount(busy, "demand", wait_s=0)
    assert refused.value.code == "lease_taken"
    assert posted(busy) == 100


def test_the_lease_of_a_process_that_died_here_is_free_at_once(busy: Database) -> None:
    host = runs.new_holder().split(":")[0]
    with busy.writing() as session:
        runs.take_lease(session, recounts.LEASE, f"{host}:4194304:abcd", clock.now())  # above any process id
    recount.recount(busy, "demand", wait_s=0)
    assert posted(busy) == 70


def test_what_was_missed_is_caught_up_once(busy: Database) -> None:
    assert recount.catch_up(busy)
    assert posted(busy) == 70
    assert not recount.catch_up(busy)


def test_recounts_are_scheduled_four_times_a_day(busy: Database) -> None:
    jobs = schedule.scheduler(busy, {})
    trigger = jobs.get_job("recount").trigger
    moments, moment = [], datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC)
    for _ in range(4):
        moment = trigger.get_next_fire_time(None, moment + timedelta(seconds=1))
        moments.append(moment)
    assert [each.strftime("%d %H:%M") for each in moments] == ["01 06:00", "01 12:00", "01 18:00", "02 00:00"]
    assert recounts.next_scheduled(datetime(2026, 3, 1, 12, tzinfo=UTC)) == moments[2]
    assert recounts.last_scheduled(datetime(2026, 3, 1, 12, tzinfo=UTC)) == moments[1]


def test_who_has_no_credits_is_recounted_many_at_once(busy: Database) -> None:
    now = clock.now()
    with busy.writing() as session:
        for number in range(30):
            made = organizations.create(session, now, address=f"quiet-{number}", anchor=now - timedelta(days=40))
            grants.change_plan(Context(session, made, now), "free")
            reporting.report(Context(session, made, now), [reporting.ReportedEvent("emails", 3, id="one")])
    with heard(busy) as statements:
        outcome = recount.recount(busy, "demand")
    assert (outcome.organizations_seen, outcome.organizations_changed) == (31, 1)
    assert len(statements) < 4 * 31
    later = clock.now()
    with busy.writing() as session:
        for address in ("acme", "quiet-0", "quiet-29"):
            organization = organizations.by_address(session, address)
            assert organization.recounted_at is not None
            assert list(verification.verify(Context(session, organization, later))) == []
            assert not any(recounts.is_due(row, now) for row in meters.of_organization(session, organization.id or 0))
    assert recount.recount(busy, "demand").organizations_seen == 0


def test_quiet_is_only_who_has_nothing_to_post_and_nothing_to_compute(busy: Database) -> None:
    now = clock.now()
    with busy.writing() as session:
        for address in ("quiet", "stale", "turned", "granted"):
            anchor = now - timedelta(days=40 if address != "turned" else 27)
            made = organizations.create(session, now, address=address, anchor=anchor)
            grants.change_plan(Context(session, made, now), "free")
            reporting.report(Context(session, made, now), [reporting.ReportedEvent("emails", 3, id="one")])
            if address == "granted":
                grants.grant(
                    Context(session, made, now),
                    grants.NewGrant("emails", 5, source="given", source_key="a", reason="Hello"),
                )
        meters.mark_stale(session, organizations.by_address(session, "stale").id or 0)
    as_of = now + timedelta(days=4, minutes=1)
    with busy.writing() as session:
        found = ungranted_meters.lock(session, as_of, 0, 100)
        assert found == [organizations.by_address(session, "quiet").id]
