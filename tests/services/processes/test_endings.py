"""What is told of credits that end is the same whoever looked when: a law over random stories and schedules."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from sqlmodel import Session

from billing_app.db import Database
from billing_app.scenarios.databases import fresh
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.usage import recounts, reporting
from billing_app.store.notifications import outbox
from tests.support.builders import an_organization, the_catalogue

START = datetime(2026, 1, 1, tzinfo=UTC)
ENDINGS = ("credits.expiring", "credits.expired")


class Fact(NamedTuple):
    """A grant that ends so many days later, or use."""

    at: datetime
    kind: str
    quantity: int
    days: int = 0


Told = list[tuple[str, int, datetime]]


@st.composite
def stories(draw: DrawFn) -> list[Fact]:
    """Facts in the order in which they are recorded, over four months, often at the same hour of the day."""
    made = []
    for _ in range(draw(st.integers(1, 6))):
        at = START + timedelta(days=draw(st.integers(0, 120)), hours=draw(st.sampled_from([0, 6, 7])))
        kind = draw(st.sampled_from(["grant", "grant", "use"]))
        made.append(Fact(at, kind, draw(st.integers(1, 400)), draw(st.sampled_from([1, 7, 8, 30, 31, 40, 60]))))
    return sorted(made)


schedules = st.lists(st.integers(0, 200 * 24).map(lambda hours: START + timedelta(hours=hours)), max_size=6)
"""When recounts run beside those that facts bring along."""


def record(session: Session, number: int, fact: Fact) -> None:
    """Records one fact when it happens."""
    organization = organizations.by_address(session, "acme")
    if fact.kind == "use":
        reporting.report(
            Context(session, organization, fact.at), [reporting.ReportedEvent("sms", fact.quantity, id=str(number))]
        )
        return
    grants.grant(
        Context(session, organization, fact.at),
        grants.NewGrant(
            "sms",
            fact.quantity,
            source="operator",
            source_key=str(number),
            id=f"g{number}",
            reason="Hello",
            expires_at=fact.at + timedelta(days=fact.days),
        ),
    )


def played(database: Database, story: list[Fact], schedule: list[datetime]) -> Told:
    """Everything that is told of endings once the story is over, whenever it was looked at meanwhile."""
    the_catalogue(database, START)
    with database.writing() as session:
        grants.change_plan(Context(session, an_organization(session, anchor=START), START), "free")
    looks = [(at, None) for at in (*schedule, START + timedelta(days=220))]
    steps = [(fact.at, fact) for fact in story] + looks
    for at, fact in sorted(steps, key=lambda step: (step[0], step[1] is None)):
        with database.writing() as session:
            if fact is None:
                recounts.post(Context(session, organizations.by_address(session, "acme"), at))
            else:
                record(session, story.index(fact), fact)
    with database.reading() as session:
        messages = outbox.messages(session, organizations.by_address(session, "acme").pk, "sms")
    told = [each for each in messages if each.kind in ENDINGS]
    return sorted((each.key, json.loads(each.payload)["quantity"], each.occurred_at) for each in told)


def told(story: list[Fact], schedule: list[datetime]) -> Told:
    """The same on a database of its own."""
    with fresh("sqlite://") as database:
        return played(database, story, schedule)


ONE = Fact(START + timedelta(hours=7), "grant", 100, 40)


@settings(max_examples=20)
@given(stories(), schedules)
@example([ONE], [])
@example([ONE, Fact(START + timedelta(days=33, hours=7), "use", 30)], [START + timedelta(days=33, hours=7)])
def test_it_is_told_alike_under_any_schedule(story: list[Fact], schedule: list[datetime]) -> None:
    story = [fact for index, fact in enumerate(story) if fact not in story[:index]]
    assert told(story, schedule) == told(story, [])


def test_each_ending_is_told_once_with_its_own_moment(database: Database) -> None:
    every_day = [START + timedelta(days=days, hours=1) for days in range(60)]
    end = ONE.at + timedelta(days=40)
    assert played(database, [ONE], every_day * 2) == [
        ("sms:credits.expired:g0", 100, end),
        ("sms:credits.expiring:g0:1", 100, end - timedelta(days=1)),
        ("sms:credits.expiring:g0:30", 100, end - timedelta(days=30)),
        ("sms:credits.expiring:g0:7", 100, end - timedelta(days=7)),
    ]


def test_a_recount_finds_the_moment_without_any_traffic(database: Database) -> None:
    """The organization is due for a recount then, and not only when something changes by itself."""
    the_catalogue(database, START)
    with database.writing() as session:
        grants.change_plan(Context(session, an_organization(session, anchor=START), START), "free")
        record(session, 0, ONE)
    at = ONE.at + timedelta(days=10)
    for moment, expected in ((at - timedelta(seconds=1), []), (at, ["credits.expiring"]), (at, ["credits.expiring"])):
        recounts.run(database.writing, lambda moment=moment: moment, "test", "test")
        with database.reading() as session:
            messages = outbox.messages(session, organizations.by_address(session, "acme").pk)
            assert [each.kind for each in messages if each.kind in ENDINGS] == expected
