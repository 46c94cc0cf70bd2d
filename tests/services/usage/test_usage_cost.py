"""A batch of usage is a handful of statements, however many events it has and whatever was reported before."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from billing_app.db import Database
from billing_app.domain.common.periods import period_containing
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.usage import reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.services.verification import verification
from billing_app.store.usage import events as store
from tests.services.credits.test_reading_cost import heard
from tests.services.notifications.telling import at
from tests.support.builders import NOON, an_organization, the_catalogue


def events(count: int, name: str, **more: Any) -> list[ReportedEvent]:
    return [ReportedEvent("bandwidth", 2, None, more.get("at"), f"{name}-{number}") for number in range(count)]


def test_statements_do_not_grow_with_events(database: Database) -> None:
    the_catalogue(database)
    with database.writing() as session:
        acme = an_organization(session)
        reporting.report(Context(session, acme, NOON), events(3, "first"))
    asked: list[int] = []
    for count in (2, 400):
        with database.writing() as session, heard(database) as statements:
            report = reporting.report(
                Context(session, organizations.by_address(session, "acme"), NOON), events(count, f"of {count}")
            )
        assert report.accepted == count
        asked.append(len(statements))
    assert asked[0] == asked[1] <= 12
    with database.writing() as session:
        again = reporting.report(
            Context(session, organizations.by_address(session, "acme"), NOON), events(400, "of 400")
        )
        assert (again.accepted, len(again.duplicates)) == (0, 400)
        assert list(verification.verify(Context(session, organizations.by_address(session, "acme"), NOON))) == []


@pytest.mark.parametrize("anchor", ["2024-01-01", "2024-01-31 10:30:15"])
def test_a_period_s_total_is_that_of_its_events(database: Database, anchor: str) -> None:
    the_catalogue(database)
    begun = at(anchor)
    period = period_containing(begun, at("2024-02-15"))
    moments: list[datetime] = []
    for edge in (period.start, period.end):
        moments += [edge + timedelta(minutes=minutes) for minutes in (-75, -15, 0, 15, 75)]
    with database.writing() as session:
        acme = an_organization(session, anchor=begun)
        told = [
            ReportedEvent("bandwidth", 10**place, None, moment, f"e{place}") for place, moment in enumerate(moments)
        ]
        reporting.report(Context(session, acme, at("2024-04-01")), told, backfill=True)
        total = store.period_totals(session, [(acme.pk, "bandwidth", period)])
    assert total == [sum(10**place for place, moment in enumerate(moments) if period.contains(moment))]


def test_statements_of_an_import_grow_neither_with_organizations_nor_with_events(database: Database) -> None:
    the_catalogue(database)
    asked: list[int] = []
    for number, (organizations_, count) in enumerate(((1, 3), (40, 30))):
        with database.writing() as session:
            owners = [an_organization(session, f"many-{number}-{place}") for place in range(organizations_)]
        with database.writing() as session, heard(database) as statements:
            told = [(each, [*events(count, "b"), ReportedEvent("mau", None, "ann", None, "m")]) for each in owners]
            reports = reporting.report_many(session, told, NOON, backfill=True)
        assert {report.accepted for report in reports} == {count + 1}
        asked.append(len(statements))
    assert asked[0] == asked[1] <= 16
    with database.writing() as session:
        for owner in owners[:3]:
            assert list(verification.verify(Context(session, owner, NOON))) == []


def test_a_refused_event_does_not_take_its_key_from_a_later_one_of_the_batch(database: Database) -> None:
    """Fine point 15: the good event is recorded, whatever was wrong with the one that said the same id before."""
    the_catalogue(database)
    told = [ReportedEvent("bandwidth", -5, None, None, "one"), ReportedEvent("bandwidth", 5, None, None, "one")]
    with database.writing() as session:
        report = reporting.report(Context(session, an_organization(session), NOON), told)
    assert (report.accepted, report.duplicates) == (1, [])
    assert [(each.index, each.code) for each in report.rejected] == [(0, "usage_below_zero")]


def test_a_batch_costs_the_periods_that_it_hits(database: Database) -> None:
    """One event of long ago beside one of today reads two periods, not the 360 between; edges in hours no more."""
    the_catalogue(database)
    sent: list[int] = []
    for number, moments in enumerate((["2024-03-01"], ["1994-03-01", "2024-03-01"], ["1994-03-01"] * 2)):
        with database.writing() as session:
            acme = an_organization(session, f"acme-{number}", anchor=at("2024-01-31 10:30:15"))
            told = [ReportedEvent("bandwidth", 2, None, at(moment), f"e{n}") for n, moment in enumerate(moments)]
            with heard(database) as statements:
                reporting.report_many(session, [(acme, told)], NOON, backfill=True)
        sent.append(len(statements))
    assert sent[0] == sent[1] == sent[2] <= 20
    with database.writing() as session:
        hit = [period_containing(acme.anchor, at(day)) for day in ("1994-03-01", "2024-03-01")]
        wanted = [(organizations.by_address(session, "acme-1").pk, "bandwidth", period) for period in hit]
        assert store.period_totals(session, wanted) == [2, 2]


def test_only_the_periods_that_are_hit_are_asked_about(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    the_catalogue(database)
    asked: list[int] = []
    read = store.period_totals
    monkeypatch.setattr(
        store, "period_totals", lambda session, wanted: asked.append(len(wanted)) or read(session, wanted)
    )
    moments = ["1994-03-01", "2024-03-01", "1994-03-02"]
    told = [ReportedEvent("bandwidth", 2, None, at(day), day) for day in moments]
    with database.writing() as session:
        answer = reporting.report(Context(session, an_organization(session), NOON), told, backfill=True)
    assert (answer.accepted, asked) == (3, [2])


@pytest.mark.parametrize("moments", [["01 10:05", "01 12:05", "01 11:05", "01 13:05"], ["31 10:05"] * 4])
def test_a_total_within_bounds_is_summed_whatever_it_passes_on_the_way(database: Database, moments: list[str]) -> None:
    """Of hours in order of time 2**63-1 twice before they are taken back: no sum of a database may stop there."""
    the_catalogue(database)
    quantities = [MAX_QUANTITY, -MAX_QUANTITY, MAX_QUANTITY, -1]
    with database.writing() as session:
        acme = an_organization(session, anchor=at("2024-01-31 10:30:15"))
        for place, (moment, quantity) in enumerate(zip(moments, quantities, strict=True)):
            told = [ReportedEvent("bandwidth", quantity, None, at(f"2024-01-{moment}"), f"e{place}")]
            answer = reporting.report(Context(session, acme, at("2024-02-03")), told, backfill=True)
            assert answer.accepted == 1, answer
        period = period_containing(acme.anchor, at("2024-01-31 10:05"))
        assert store.period_totals(session, [(acme.pk, "bandwidth", period)]) == [MAX_QUANTITY - 1]


@pytest.mark.both_databases
def test_an_id_that_two_report_at_once_of_two_metrics_counts_once(database: Database) -> None:
    """Meters keep those of one metric apart; of two the second finds the id taken, and is told so."""
    the_catalogue(database)
    with database.writing() as session:
        an_organization(session)

    def report(metric: str) -> reporting.UsageAnswer:
        told = [ReportedEvent(metric, 2, None, None, key) for key in ("both", metric)]
        with database.writing() as session:
            answer = reporting.report(Context(session, organizations.by_address(session, "acme"), NOON), told)
            if metric == "bandwidth":
                second.append(pool.submit(report, "emails"))
                time.sleep(0.5)  # the second waits for the first, which is yet to commit
        return answer

    second: list[Future[reporting.UsageAnswer]] = []
    with ThreadPoolExecutor() as pool:
        first, then = report("bandwidth"), second[0].result()
    assert (first.accepted, first.duplicates) == (2, [])
    assert then.accepted == 1
    assert [(each.index, each.id, each.differs) for each in then.duplicates] == [(0, "both", True)]
    with database.reading() as session:
        assert list(verification.verify(Context(session, organizations.by_address(session, "acme"), NOON))) == []
