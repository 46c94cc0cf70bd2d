"""A batch of usage is a handful of statements, however many events it has and whatever was reported before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from billing_app.db import Database
from billing_app.domain.common.periods import period_containing
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
