"""A request takes its time before it waits for the meter: what was recorded meanwhile counts all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from billing_app.db import Database
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.usage import consumption
from billing_app.services.usage.consumption import Mode
from billing_app.services.verification import verification
from billing_app.store.organizations.organizations import by_address
from billing_app.store.tables.organizations import Organization
from tests.support.builders import NOON, an_organization, the_catalogue

INCLUDED = 250
"""E-mails of the free plan."""

EARLIER, LATER = NOON + timedelta(milliseconds=1), NOON + timedelta(milliseconds=5)


@pytest.fixture
def acme(database: Database) -> Database:
    the_catalogue(database)
    with database.writing() as session:
        grants.change_plan(Context(session, an_organization(session), NOON - timedelta(days=1)), "free")
    return database


def at(session: Session) -> Organization:
    found = by_address(session, "acme")
    assert found is not None
    return found


@pytest.mark.parametrize("first", [100, 200], ids=["nothing told", "a threshold told"])
@pytest.mark.parametrize("debited_between", [False, True])
def test_nobody_takes_what_somebody_with_a_later_clock_has_taken(
    acme: Database, first: int, debited_between: bool
) -> None:
    with acme.writing() as session:
        taken = consumption.consume(Context(session, at(session), LATER), "emails", first).accepted
    if debited_between:
        with acme.writing() as session:
            taken += consumption.consume(Context(session, at(session), EARLIER), "emails", 1).accepted
    with acme.writing() as session:
        held = consumption.reserve(Context(session, at(session), EARLIER), "emails", 20)
    with acme.writing() as session:
        taken += consumption.consume(
            Context(session, at(session), EARLIER), "emails", INCLUDED, mode=Mode.CLAMP
        ).accepted
    assert taken + held.quantity == INCLUDED
    with acme.reading() as session:
        assert list(verification.verify(Context(session, at(session), LATER))) == []
        assert list(verification.verify(Context(session, at(session), EARLIER))) == []
