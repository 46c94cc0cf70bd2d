"""Use at the very instant of a refund or a correction: the meter says what the engine says (fine point 1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from billing_app.db import Database
from billing_app.domain.credits.facts import DisputeStatus
from billing_app.services.credits import grants
from billing_app.services.usage import consumption, reporting, verification
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.store.organizations.organizations import by_address
from billing_app.store.tables.organizations import Organization
from tests.support.builders import NOON, an_organization, the_catalogue

Happening = Callable[[Session, Organization, datetime], None]

INCLUDED = 250
"""E-mails of the free plan."""


@pytest.fixture
def paid(database: Database) -> Database:
    """An organization with 100 bought e-mails beyond its plan, 40 of them burned."""
    the_catalogue(database)
    with database.writing() as session:
        acme = an_organization(session)
        grants.change_plan(session, acme, "free", NOON - timedelta(days=1))
        grants.grant(
            session,
            acme,
            grants.NewGrant(
                "emails",
                100,
                source="purchase",
                source_key="one",
                reason="bought",
                id="one",
                paid_cents=1_000,
                currency="usd",
            ),
            NOON - timedelta(hours=2),
        )
        consumption.consume(session, acme, "emails", INCLUDED + 40, NOON - timedelta(hours=1))
    return database


def void(session: Session, acme: Organization, at: datetime) -> None:
    grants.void(session, acme, "one", at)


def refund(session: Session, acme: Organization, at: datetime) -> None:
    grants.refund(session, acme, "one", 1_000, at, source_key="all")


def dispute(session: Session, acme: Organization, at: datetime) -> None:
    grants.dispute(session, acme, "one", DisputeStatus.OPENED, at, source_key="d")


def correct(session: Session, acme: Organization, at: datetime) -> None:
    reporting.report(session, acme, [ReportedEvent("emails", -30, at=at, id="c")], at)


@pytest.mark.parametrize("happens", [void, refund, dispute, correct])
@pytest.mark.parametrize("after", [timedelta(0), timedelta(microseconds=1)])
def test_the_meter_says_what_the_engine_says(paid: Database, happens: Happening, after: timedelta) -> None:
    with paid.writing() as session:
        acme = by_address(session, "acme")
        assert acme is not None
        happens(session, acme, NOON)
    with paid.writing() as session:
        acme = by_address(session, "acme")
        assert acme is not None
        report = [ReportedEvent("emails", 7, at=NOON + after, id="more")]
        assert reporting.report(session, acme, report, NOON + after).accepted == 1
    with paid.reading() as session:
        acme = by_address(session, "acme")
        assert acme is not None
        assert list(verification.verify(session, acme, NOON + after)) == []
