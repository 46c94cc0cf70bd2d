"""The moment of an operation is read once it holds its lock (credits.md, fine point 17).

`SEEN` is what a request had read before it waited; when it gets its lock it is `LATER`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from billing_app.db import Database
from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import CreditsExhaustedError
from billing_app.domain.credits.facts import DisputeStatus
from billing_app.domain.organizations.limits import Limit
from billing_app.domain.processes.processes import Content, ProcessState, Question
from billing_app.locations import ROOT
from billing_app.services.access import members, users
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import gift_cards, granting, grants, tokens
from billing_app.services.limits import features, overrides
from billing_app.services.limits.features import OptionKind
from billing_app.services.limits.overrides import Kind
from billing_app.services.organizations import children, profiles
from billing_app.services.processes import processes
from billing_app.services.purchases import top_ups
from billing_app.services.subscriptions import subscriptions
from billing_app.services.usage import accounts, consumption, recounts, reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.store.tables.base import Moment, Table
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage.meters import read
from tests.support.builders import NOON, a_user, an_organization, the_catalogue

pytestmark = pytest.mark.both_databases

SEEN, LATER = NOON + timedelta(seconds=7), NOON + timedelta(seconds=20)
BEFORE = NOON - timedelta(hours=2)

COMPLETE = Content(
    title="Board", questions=(Question("Who?", ("Ada", "Grace")),), census=50, email_reminders=1,
    starts_at=NOON + timedelta(days=1), ends_at=NOON + timedelta(days=2),
)  # fmt: skip

Deed = Callable[[Session, Organization], Any]


@pytest.fixture
def acme(database: Database) -> Database:
    """An organization on the plan pro that has of everything something, since BEFORE."""
    the_catalogue(database)
    with database.writing() as session:
        organization = an_organization(session)
        session.flush()
        organization.created_at = BEFORE
        grants.change_plan(Context(session, organization, BEFORE), "pro")
        a_user(session, member_of=organization)
        a_user(session, "bob@example.org", member_of=organization, role=Role.MEMBER)
        for metric, name in (("token", "tokens"), ("emails", "bought")):
            grants.grant(
                Context(session, organization, BEFORE),
                grants.NewGrant(
                    metric,
                    100,
                    source="purchase",
                    source_key=name,
                    reason=name,
                    id=name,
                    paid_cents=500,
                    currency="usd",
                ),
            )
        consumption.reserve(Context(session, organization, BEFORE), "emails", 10, reservation_id="r")
        children.create(Context(session, organization, BEFORE, "tests"), name="North", address="north")
    return database


def the_draft(session: Session, organization: Organization) -> Any:
    return processes.listed(session, organization, 1)[0].row.id


def card_of(session: Session) -> str:
    return gift_cards.create(session, "Spring", {"mau": 5}, BEFORE)[0].code


def bob(session: Session) -> Any:
    return users.by_email(session, "bob@example.org").id


def publishes(session: Session, organization: Organization) -> None:
    processes.publish_new(Context(session, organization, SEEN, "tests"), COMPLETE)


def cancels(session: Session, organization: Organization) -> None:
    made = processes.publish_new(Context(session, organization, BEFORE, "tests"), COMPLETE)
    processes.end(Context(session, organization, SEEN, "tests"), made.row.id, ProcessState.CANCELLED)


def retired(document: Any) -> Any:
    return {**document, "packs": document["packs"][1:]}


DEEDS: dict[str, Deed] = {
    "convert": lambda session, acme: tokens.convert(Context(session, acme, SEEN, "tests"), "mau", 20, key="k"),
    "give": lambda session, acme: granting.give(Context(session, acme, SEEN, "tests"), "mau", 5, reason="why", key="k"),
    "void": lambda session, acme: granting.void(session, "bought", SEEN, reason="why", actor="tests"),
    "refund": lambda session, acme: grants.refund(Context(session, acme, SEEN), "bought", 100, source_key="r"),
    "dispute": lambda session, acme: grants.dispute(
        Context(session, acme, SEEN), "bought", DisputeStatus.OPENED, source_key="d"
    ),
    "redeem": lambda session, acme: gift_cards.redeem(Context(session, acme, SEEN, "tests"), card_of(session)),
    "plan": lambda session, acme: grants.change_plan(Context(session, acme, SEEN, "tests"), "free"),
    "owed": lambda session, acme: subscriptions.record_past_due(
        Context(session, acme, SEEN), past_due=True, at=BEFORE, reason="why"
    ),
    "consume": lambda session, acme: consumption.consume(Context(session, acme, SEEN), "emails", 5, key="k"),
    "consume all": lambda session, acme: consumption.consume(
        Context(session, acme, SEEN), "emails", 10**9, key="k", mode=consumption.Mode.CLAMP
    ),
    "reserve": lambda session, acme: consumption.reserve(Context(session, acme, SEEN), "emails", 5),
    "confirm": lambda session, acme: consumption.confirm(Context(session, acme, SEEN), "r"),
    "release": lambda session, acme: consumption.release(Context(session, acme, SEEN), "r"),
    "usage": lambda session, acme: reporting.report(Context(session, acme, SEEN), [ReportedEvent("emails", 3, id="e")]),
    "usage of a part": lambda session, acme: reporting.report(
        Context(session, organizations.by_address(session, "north"), SEEN), [ReportedEvent("emails", 3)]
    ),
    "publish": publishes,
    "cancel": cancels,
    "draft": lambda session, acme: processes.create(Context(session, acme, SEEN, "tests"), Content(title="Board")),
    "override": lambda session, acme: overrides.put(
        Context(session, acme, SEEN, "tests"), Kind.LIMIT, Limit.DRAFTS, 9, ends_at=None, reason="why"
    ),
    "invite": lambda session, acme: members.invite(
        Context(session, acme, SEEN, "tests"), "new@example.org", Role.MEMBER
    ),
    "role": lambda session, acme: members.change_role(
        Context(session, acme, SEEN, "tests"), bob(session), Role.BILLING
    ),
    "remove": lambda session, acme: members.remove(Context(session, acme, SEEN, "tests"), bob(session)),
    "profile": lambda session, acme: profiles.change(Context(session, acme, SEEN, "tests"), {"name": "Acme 2"}),
    "switch": lambda session, acme: features.switch(
        Context(session, acme, SEEN, "tests"), {(OptionKind.VOTING_TYPE, "single"): False}
    ),
    "part": lambda session, acme: children.create(Context(session, acme, SEEN, "tests"), name="South"),
    "recount": lambda session, acme: recounts.post(Context(session, acme, SEEN)),
    "top-up": lambda session, acme: top_ups.put(
        Context(session, acme, SEEN, "tests"), "mau", top_ups.Wanted(False, 10, "mau-100", 1, 100_000)
    ),
}


def dated(session: Session, moment: datetime) -> list[str]:
    """Every column in which some row has this moment."""
    columns = [
        each for table in Table.metadata.sorted_tables for each in table.columns if isinstance(each.type, Moment)
    ]
    connection = session.connection()
    return [str(each) for each in columns if connection.execute(select(each).where(each == moment).limit(1)).first()]


@pytest.mark.parametrize("name", DEEDS)
def test_nothing_is_dated_with_what_was_read_before_the_wait(acme: Database, name: str) -> None:
    with acme.ticking(lambda: LATER).writing() as session:
        DEEDS[name](session, organizations.by_address(session, "acme"))
    with acme.reading() as session:
        assert dated(session, SEEN) == []
        assert dated(session, LATER) != []


def test_a_new_catalogue_holds_from_the_moment_of_its_lock(acme: Database) -> None:
    document = versions.read_document(ROOT / "plans.json")
    with acme.ticking(lambda: LATER).writing() as session:
        assert versions.load(session, retired(document), SEEN, "edited").written
    with acme.reading() as session:
        assert dated(session, SEEN) == []
        assert versions.head(session, LATER).effective_at == LATER


def test_tokens_that_ended_while_somebody_waited_are_not_converted(acme: Database) -> None:
    with acme.writing() as session:
        organization = organizations.by_address(session, "acme")
        grants.void(Context(session, organization, BEFORE), "tokens")
        grants.grant(
            Context(session, organization, BEFORE),
            grants.NewGrant(
                "token", 40, source="given", source_key="soon", reason="soon", expires_at=SEEN + timedelta(seconds=1)
            ),
        )
    with pytest.raises(CreditsExhaustedError), acme.ticking(lambda: LATER).writing() as session:
        tokens.convert(Context(session, organizations.by_address(session, "acme"), SEEN, "tests"), "mau", 20, key="k")


@pytest.mark.parametrize("whole", [True, False], ids=["by one statement", "through the engine"])
def test_who_waited_over_the_turn_of_a_period_consumes_in_the_new_one(acme: Database, whole: bool) -> None:
    turn = datetime(2026, 4, 1, tzinfo=NOON.tzinfo)
    with acme.writing() as session:
        consumption.consume(
            Context(session, organizations.by_address(session, "acme"), turn - timedelta(seconds=4)), "emails", 50
        )
    with acme.ticking(lambda: turn).writing() as session:
        organization = organizations.by_address(session, "acme")
        quantity = 10 if whole else 10**9
        mode = consumption.Mode.CLAMP
        consumption.consume(Context(session, organization, turn - timedelta(seconds=2)), "emails", quantity, mode=mode)
        row = read(session, organization.pk, "emails")
        assert row is not None
        assert row.period == accounts.period_number(organization, turn)
        assert accounts.account(session, organization, "emails", turn).used == row.used >= 10
        assert accounts.account(session, organization, "emails", turn - timedelta(seconds=1)).used == 50


def test_the_moment_is_never_earlier_than_the_latest_under_the_lock(acme: Database) -> None:
    """A clock that is a little behind takes no fact back before another."""
    with acme.ticking(lambda: LATER).writing() as session:
        grants.void(Context(session, organizations.by_address(session, "acme"), SEEN), "bought")
    with acme.ticking(lambda: SEEN).writing() as session:
        organization = organizations.by_address(session, "acme")
        made = granting.give(Context(session, organization, SEEN, "tests"), "emails", 5, reason="why", key="k")
        assert (made.effective_at, made.recorded_at, organization.held_at) == (LATER, LATER, LATER)


def test_what_the_session_has_read_before_the_lock_is_read_again(acme: Database) -> None:
    """Rows stay in the session's memory: under the lock they are those of the database."""
    with acme.writing() as session:
        organization, north = organizations.by_address(session, "acme"), organizations.by_address(session, "north")
        behind = update(Organization).where(col(Organization.address) == "north").values(active=False)
        session.connection().execute(behind)
        assert organizations.by_address(session, "north").active, "as it is remembered"
        members.invite(Context(session, organization, SEEN, "tests"), "new@example.org", Role.MEMBER)
        assert not organizations.by_address(session, "north").active
        assert not north.active
