"""What a load of the overview asks the database: who it is, the frame, and what is shown, together."""

from __future__ import annotations

import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.access import ALL_ROLES, Role
from billing_app.services.access import users
from billing_app.services.access.cookies import HASH_NAME
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.common.secrets import digest
from billing_app.services.operators import organizations as customers
from billing_app.services.overview import frame
from billing_app.services.overview.views import OverviewView
from billing_app.services.overview.views_frame import FrameView
from billing_app.services.usage import reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.settings import Settings
from billing_app.ui.access.transactions import Transactions
from billing_app.ui.overview.page import overview_of
from tests.services.credits.test_reading_cost import heard
from tests.support.builders import a_session_token, a_user, an_organization, the_catalogue

MOST = 8
"""Statements of a load while nothing has changed, whoever has however many organizations."""

MOST_AFTER_A_CHANGE = 34
"""Of the first load after a change: facts of all metrics are read together."""

MOST_OF_THE_LIST = 21
"""Of the operators' list of organizations: one for each kind of issue among them."""

SETTINGS = Settings(_env_file=None)
OTHERS = ("beech", "cedar", "elder")


class Reader:
    """Somebody's browser in front of the overview, in a process of its own."""

    def __init__(self, database: Database, email: str, address: str) -> None:
        """Signs in."""
        self.database, self.address = database, address
        with database.writing() as session:
            user = users.by_email(session, email)
            assert user is not None
            self.cookies = f"{HASH_NAME}={digest(a_session_token(session, user, clock.now()))}"

    def loads(self) -> tuple[list[str], FrameView, OverviewView]:
        """The statements of a load, and what it showed; nothing is shared with an open tab."""
        opened = Transactions(self.database, SETTINGS, None)
        with heard(self.database) as statements, opened.reading(self.cookies, self.address, ALL_ROLES) as at:
            around = frame.organization_frame(at.session, at.access, at.settings, at.now)
            shown = overview_of(at, "")
        return [each for each in statements if each.startswith("SELECT")], around, shown


@pytest.fixture
def told(database: Database) -> Database:
    """acme has used all its metrics; ada is in it and in three others, eve in acme alone."""
    the_catalogue(database)
    with database.writing() as session:
        acme = an_organization(session)
        ada = a_user(session, "ada@acme.example", member_of=acme)
        a_user(session, "eve@acme.example", member_of=acme)
        for address in OTHERS:
            users.join(session, an_organization(session, address).pk, ada, Role.ADMIN, clock.now())
    uses(database, 1)
    return database


def uses(database: Database, count: int) -> None:
    """So many more events of each of three metrics."""
    now = clock.now()
    with database.writing() as session:
        acme = organizations.by_address(session, "acme")
        events = [
            event
            for number in range(count)
            for event in (
                ReportedEvent("emails", 1, at=now),
                ReportedEvent("bandwidth", 1_000, at=now),
                ReportedEvent("mau", subject=f"{number} of {count}", at=now),
            )
        ]
        assert reporting.report(Context(session, acme, now), events).rejected == []


@pytest.mark.parametrize("email", ["eve@acme.example", "ada@acme.example"])
def test_a_load_is_a_few_statements(told: Database, email: str) -> None:
    reader = Reader(told, email, "acme")
    first, _, before = reader.loads()
    assert len(first) <= MOST_AFTER_A_CHANGE
    again, around, after = reader.loads()
    assert len(again) <= MOST, again
    assert after == before
    assert [link.address for link in around.organizations][:1] == ["acme"]
    assert len(around.organizations) == (4 if email.startswith("ada") else 1)


def test_it_does_not_grow_with_events_and_shows_each_at_once(told: Database) -> None:
    reader = Reader(told, "eve@acme.example", "acme")
    few = len(reader.loads()[0])
    uses(told, 300)
    many, _, shown = reader.loads()
    assert len(many) <= few
    assert {meter.metric.id: meter.used for meter in shown.meters if meter.used} == {
        "emails": 301,
        "bandwidth": 301_000,
        "mau": 301,
    }
    assert len(reader.loads()[0]) <= MOST


def test_the_operators_list_costs_the_same_of_few_organizations_and_of_many(told: Database) -> None:
    with told.writing() as session:
        token = a_session_token(session, a_user(session, "op@console.example", operator=True), clock.now())

    def listed() -> tuple[int, int]:
        """Statements of a load, and how many organizations it lists."""
        opened = Transactions(told, SETTINGS, None)
        with heard(told) as statements, opened.of_operator(f"{HASH_NAME}={digest(token)}") as at:
            frame.operator_frame(at.session, at.identity, at.settings)
            shown = customers.organizations(at.session, "", "", at.now)
        return len([each for each in statements if each.startswith("SELECT")]), len(shown.organizations)

    listed()
    few = listed()
    with told.writing() as session:
        for number in range(20):
            an_organization(session, f"organization-{number}")
    assert listed() == (few[0], few[1] + 20)
    assert few[0] <= MOST_OF_THE_LIST
