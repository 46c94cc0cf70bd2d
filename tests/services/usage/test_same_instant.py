"""Use at the very instant of a refund or a correction: the meter says what the engine says (fine point 1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from billing_app.db import Database
from billing_app.domain.credits.facts import DisputeStatus
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.usage import consumption, reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.services.verification import verification
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
        grants.change_plan(Context(session, acme, NOON - timedelta(days=1)), "free")
        grants.grant(
            Context(session, acme, NOON - timedelta(hours=2)),
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
        )
        consumption.consume(Context(session, acme, NOON - timedelta(hours=1)), "emails", INCLUDED + 40)
    return database


def void(session: Session, acme: Organization, at: datetime) -> None:
    grants.void(Context(session, acme, at), "one")


def refund(session: Session, acme: Organization, at: datetime) -> None:
    grants.refund(Context(session, acme, at), "one", 1_000, source_key="all")


def dispute(session: Session, acme: Organization, at: datetime) -> None:
    grants.dispute(Context(session, acme, at), "one", DisputeStatus.OPENED, source_key="d")


def correct(session: Session, acme: Organization, at: datetime) -> None:
    reporting.report(Context(session, acme, at), [ReportedEvent("emails", -30, at=at, id="c")])


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
        assert reporting.report(Context(session, acme, NOON + after), report).accepted == 1
    with paid.reading() as session:
        acme = by_address(session, "acme")
        assert acme is not None
        assert list(verification.verify(Context(session, acme, NOON + after))) == []
