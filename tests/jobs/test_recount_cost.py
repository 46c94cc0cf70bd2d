"""What a recount costs: a number of statements that does not grow with the organizations it looks at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billing_app.db import Database
from billing_app.locations import ROOT
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.usage import recounts, reporting
from billing_app.services.verification import verification
from tests.services.credits.test_reading_cost import heard

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def with_credits(database: Database, first: int, count: int) -> None:
    """Organizations that are over their plan in two metrics and hold grants of both, one of them refunded in part."""
    with database.writing() as session:
        for number in range(first, first + count):
            made = organizations.create(session, NOW, address=f"org-{number}", anchor=NOW - timedelta(days=12))
            then = Context(session, made, NOW - timedelta(days=5))
            for metric in ("emails", "sms"):
                for place in range(3):
                    new = grants.NewGrant(
                        metric, 40, source="operator", source_key=f"{metric}-{place}", reason="Hello", paid_cents=400
                    )
                    given = grants.grant(then, new)
                grants.void(Context(session, made, NOW - timedelta(days=4)), given.id, reason="By mistake")
            for hours in (30, 3):
                events = [
                    reporting.ReportedEvent(metric, 60, None, NOW - timedelta(hours=hours), f"{metric}-{hours}")
                    for metric in ("emails", "sms")
                ]
                reporting.report(Context(session, made, NOW), events)


@pytest.mark.parametrize("after", [timedelta(hours=1), timedelta(days=40)], ids=["same period", "periods later"])
def test_it_takes_as_many_statements_for_many_as_for_a_few(database: Database, after: timedelta) -> None:
    with database.writing() as session:
        versions.load(session, versions.read_document(ROOT / "plans.json"), NOW - timedelta(days=90), "plans.json")
    taken: dict[int, list[str]] = {}
    as_of = NOW + after
    for first, count in ((0, 2), (2, 8)):
        with_credits(database, first, count)
        if first:  # those of before have nothing left to post
            with database.reading() as session:
                assert not list(
                    verification.verify(Context(session, organizations.by_address(session, "org-0"), as_of))
                )
        with heard(database) as statements:
            outcome = recounts.run(database.writing, lambda: as_of, f"test-{first}", "demand")
        assert (outcome.organizations_seen, outcome.organizations_changed) == (count, count)
        taken[count] = list(statements)
    told = 0 if after < timedelta(days=1) else (8 - 2) * 2  # what is told is written one by one: one of each metric
    assert len(taken[8]) <= len(taken[2]) + told
    with database.reading() as session:
        for number in range(10):
            organization = organizations.by_address(session, f"org-{number}")
            assert list(verification.verify(Context(session, organization, as_of))) == []
