"""What pages show adds up, after any story: days to their month, steps and ledgers to the balance, then to now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from billing_app.db import Database
from billing_app.domain.catalogue import to_document
from billing_app.domain.common.periods import period_at
from billing_app.scenarios import databases
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import explaining, read, read_ledger
from billing_app.services.credits.views import CreditsView
from billing_app.services.credits.views_ledger import LedgerFilters
from billing_app.services.overview import read_usage
from billing_app.services.usage import accounts
from billing_app.services.usage.views import DaysView, MonthView
from billing_app.store.tables.organizations import Organization
from tests.services.usage.test_random_stories import METRICS, SCENARIO, START, Story, facts

pytestmark = pytest.mark.timeout(0)  # the long run tells thousands of stories

STORIES = st.lists(facts(), min_size=1, max_size=20)

TURN = timedelta(days=19)
"""Far enough that it mostly passes the turn of a period."""

TICK = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def shared() -> Iterator[Database]:
    """One database in memory for all stories; each has an organization of its own."""
    with databases.fresh("sqlite://") as database:
        with database.writing() as session:
            versions.load(session, to_document(SCENARIO.catalog), START - timedelta(days=400), "test")
        yield database


@st.composite
def late_stories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Stories of one metric in which much is used, and much of it is reported late."""
    metric, steps = draw(st.sampled_from(METRICS)), []
    for verb in draw(
        st.lists(st.sampled_from(["use", "use", "use", "grant", "void", "refund", "recount"]), max_size=18)
    ):
        gap = draw(st.sampled_from([timedelta(0), timedelta(hours=5), timedelta(days=1), timedelta(days=6), TURN]))
        step: dict[str, Any] = {"do": verb, "gap": gap, "metric": metric}
        if verb == "use":
            step["late"] = draw(st.sampled_from([timedelta(0), timedelta(minutes=20), timedelta(days=9), TURN]))
            least = -9 if metric.startswith("sum") else 0
            step["quantity"] = draw(st.integers(least, 60))
            if metric == "unique":
                step |= {"subject": draw(st.sampled_from("abcdefghij")), "quantity": draw(st.sampled_from([1, 1, -1]))}
        elif verb == "grant":
            step |= {"quantity": draw(st.integers(20, 90)), "price_cents": draw(st.sampled_from([None, 100]))}
            step |= {"days": draw(st.sampled_from([None, 20, 45])), "priority": 50}
            step["delay"] = draw(st.sampled_from([timedelta(0), timedelta(days=-5)]))
        else:
            step |= {"pick": draw(st.integers(0, 5)), "cents": draw(st.sampled_from([50, 100]))}
        steps.append(step)
    return steps


def law(stories: st.SearchStrategy[list[dict[str, Any]]] = STORIES) -> Callable[[Any], Any]:
    """Runs a test for many stories."""

    def run(test: Any) -> Any:
        many = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
        return many(given(steps=stories)(test))

    return run


def told(database: Database, steps: list[dict[str, Any]]) -> Story:
    """A story that has been told."""
    story = Story(database)
    story.tell(steps)
    return story


@law()
def test_days_sum_to_their_month_and_every_day_says_who_paid(shared: Database, steps: list[dict[str, Any]]) -> None:
    story = told(shared, steps)
    with shared.reading() as session:
        organization = organizations.by_address(session, story.address)
        for metric in METRICS:
            view = read_usage.usage(Context(session, organization, story.now), metric)
            assert [month.running for month in view.months] == [False] * 12 + [True]
            for month in view.months:
                days = read_usage.days(Context(session, organization, story.now), metric, month.period.number)
                if metric.startswith("sum") or metric == "unique":
                    assert_days_are_the_month(days, month)
                else:
                    assert max((day.quantity for day in days.days), default=0) == month.used
                for day in days.days:
                    assert day.quantity == day.covered + day.burned + day.unpaid


def assert_days_are_the_month(days: DaysView, month: MonthView) -> None:
    """Each part of the month is what its days added to it."""
    for part in ("covered", "burned", "unpaid"):
        assert sum(getattr(day, part) for day in days.days) == getattr(month, part)


@law()
def test_what_was_granted_less_what_went_is_left(shared: Database, steps: list[dict[str, Any]]) -> None:
    story = told(shared, steps)
    with shared.reading() as session:
        organization = organizations.by_address(session, story.address)
        for metric in METRICS:
            view = read.credits(Context(session, organization, story.now), metric, months=12)
            gone = view.burned + view.expired + view.voided + view.clawed_back + view.held
            assert view.granted - gone == view.left
            assert sum(grant.left for grant in view.grants) == view.left == view.balance[-1].left
            assert [point.at for point in view.balance] == sorted(point.at for point in view.balance)
            assert_grants_are_whole(view)


def assert_grants_are_whole(view: CreditsView) -> None:
    """A grant's credits are all somewhere, and the months that burned it burned what it says."""
    for grant in view.grants:
        parts = grant.left + grant.burned + grant.held + grant.expired + grant.voided + grant.clawed_back
        assert parts in (grant.quantity, 0)
        assert sum(burn.quantity for burn in grant.burns) == grant.burned


@law(late_stories() | STORIES)
def test_steps_sum_to_the_balance_at_every_moment(shared: Database, steps: list[dict[str, Any]]) -> None:
    story = told(shared, steps)
    with shared.reading() as session:
        organization = organizations.by_address(session, story.address)
        for metric in METRICS:
            for back in (timedelta(0), timedelta(days=3), timedelta(days=40)):
                view = explaining.explain(Context(session, organization, story.now), metric, story.now - back)
                assert sum(step.quantity for step in view.steps) == view.left - view.debt
                assert sum(grant.left for grant in view.where) == view.left
                if view.later is not None:
                    learnt = sum(line.quantity for line in view.later.lines)
                    assert view.later.shown_then + learnt == view.later.known_now != view.later.shown_then


@law()
def test_the_ledger_and_what_is_not_posted_sum_to_the_balance(shared: Database, steps: list[dict[str, Any]]) -> None:
    story = told(shared, steps)
    with shared.reading() as session:
        organization = organizations.by_address(session, story.address)
        view = read_ledger.ledger(Context(session, organization, story.now), LedgerFilters(), "")
        waiting = {line.metric.id: line.quantity for line in view.unposted}
        lines = every_line(session, organization, story)
        for metric in METRICS:
            account = accounts.account(session, organization, metric, story.now)
            posted = sum(quantity for of, quantity in lines if of == metric)
            assert posted + waiting.get(metric, 0) == account.left - account.debt


def every_line(session: Session, organization: Organization, story: Story) -> list[tuple[str, int]]:
    """Metric and quantity of every line of the ledger, page by page."""
    found, cursor = [], ""
    while True:
        view = read_ledger.ledger(Context(session, organization, story.now), LedgerFilters(), cursor)
        found += [(line.metric.id, line.quantity) for line in view.lines]
        cursor = view.next_cursor
        if not cursor:
            return found


@law(late_stories() | STORIES)
def test_what_was_known_at_a_moment_is_what_was_shown_then(shared: Database, steps: list[dict[str, Any]]) -> None:
    story = Story(shared)
    shown: dict[Any, Any] = {}
    for number, step in enumerate(steps):
        story.tell([step], first=number)
        with shared.reading() as session:
            organization = organizations.by_address(session, story.address)
            for metric in METRICS:
                shown[metric, story.now] = accounts.account(session, organization, metric, story.now)
    with shared.reading() as session:
        organization = organizations.by_address(session, story.address)
        for (metric, moment), account in shown.items():
            assert accounts.account(session, organization, metric, moment, known_at=moment) == account


@law(late_stories())
def test_what_was_learnt_later_is_found_at_the_newest_month_end_that_was_shown_otherwise(
    shared: Database, steps: list[dict[str, Any]]
) -> None:
    story = told(shared, steps)
    with shared.reading() as session:
        organization = organizations.by_address(session, story.address)
        running = accounts.period_number(organization, story.now)
        for metric in {step["metric"] for step in steps}:
            shown_otherwise = []
            for number in range(running, -2, -1):
                end = period_at(organization.anchor, number).start - TICK
                then = accounts.account(session, organization, metric, end, known_at=end).left
                now = accounts.account(session, organization, metric, end).left
                shown_otherwise += [(end, then, now)] if then != now else []
            later = explaining.explain(Context(session, organization, story.now), metric, story.now).later
            found = [] if later is None else [(later.at, later.shown_then, later.known_now)]
            assert found == shown_otherwise[:1]
