"""Open pages hear of what a recount wrote, whoever asked for it."""

from __future__ import annotations

from datetime import timedelta

from billing_app.db import Database
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.usage import recounts, reporting
from billing_app.services.usage.reporting import ReportedEvent
from tests.support.builders import NOON, an_organization, the_catalogue


def revision(database: Database) -> int:
    with database.reading() as session:
        return organizations.revisions_by_address(session, ["acme"])["acme"]


def test_a_ledger_that_was_posted_raises_the_revision_by_itself(database: Database) -> None:
    the_catalogue(database)
    with database.writing() as session:
        reporting.report(
            Context(session, an_organization(session), NOON), [ReportedEvent("bandwidth", 5, None, NOON, "a")]
        )
    seen = [revision(database)]
    for minutes in (1, 2):
        with database.writing() as session:
            organization = organizations.by_address(session, "acme")
            with session.begin_nested():
                recounts.post(Context(session, organization, NOON + timedelta(minutes=minutes)))
        seen.append(revision(database))
    assert seen[1] == seen[0] + 1, "the ledger is complete now, which pages say"
    assert seen[2] == seen[1], "nothing was due"
