"""Random stories told through the services: whatever happens, meter, ledger and roll-ups say what the engine says."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from billing_app.db import Database
from billing_app.domain.catalogue import to_document
from billing_app.domain.common.errors import BillingError
from billing_app.scenarios import databases, expectations
from billing_app.scenarios.document import parse
from billing_app.scenarios.player import VERBS
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.usage import recounts
from billing_app.services.verification import verification
from billing_app.store.tables.organizations import Organization

START = datetime(2024, 1, 1, tzinfo=UTC)

METRICS = ("sum_forgive", "sum_carry", "unique", "max", "level")

SCENARIO = parse(
    {
        "name": "random",
        "metrics": [
            {"id": "sum_forgive", "aggregation": "sum"},
            {"id": "sum_carry", "aggregation": "sum", "deficit": "carry", "refund_shortfall": "forgive"},
            {"id": "unique", "aggregation": "unique"},
            {"id": "max", "aggregation": "max"},
            {"id": "level", "aggregation": "level", "deficit": "carry"},
        ],
        "plans": {
            "small": {"included": {**dict.fromkeys(METRICS, 3), "sum_forgive": 60}},
            "large": {"included": {**dict.fromkeys(METRICS, 8), "sum_carry": None, "sum_forgive": 90}},
        },
        "actions": {"all": list(METRICS)},
        "organization": {"plan": "small", "anchor": "2024-01-31T12:30:00Z"},
        "steps": [],
    }
)

_numbers = itertools.count()


@pytest.fixture(scope="module")
def shared() -> Iterator[Database]:
    """One database in memory for all stories; each has an organization of its own."""
    with databases.fresh("sqlite://") as database:
        with database.writing() as session:
            versions.load(session, to_document(SCENARIO.catalog), START - timedelta(days=400), "test")
        yield database


GAPS = st.sampled_from(
    [timedelta(0), timedelta(minutes=7), timedelta(hours=5), timedelta(days=1), timedelta(days=6), timedelta(days=19)]
)
QUANTITIES = st.integers(1, 9)
SUBJECTS = st.sampled_from(["ann", "bob", "cid", "dan", "eve"])
LATENESS = st.sampled_from(
    [timedelta(0), timedelta(minutes=-4), timedelta(minutes=20), timedelta(days=2), timedelta(days=33)]
)


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """One step of a story, before it has a moment."""
    verb = draw(
        st.sampled_from(
            ["use", "use", "use", "use", "grant", "grant", "consume", "reserve", "confirm", "release", "void", "refund",
             "dispute", "change_plan", "recount", "check"]
        )
    )  # fmt: skip
    step: dict[str, Any] = {"do": verb, "gap": draw(GAPS), "metric": draw(st.sampled_from(METRICS))}
    if verb == "use":
        step["late"] = draw(LATENESS)
        if step["metric"] == "unique":
            step |= {"subject": draw(SUBJECTS), "quantity": draw(st.sampled_from([1, 1, 1, -1]))}
        else:
            step["quantity"] = draw(st.integers(-4, 9) if step["metric"].startswith("sum") else st.integers(0, 12))
    elif verb == "grant":
        step |= {"quantity": draw(QUANTITIES), "price_cents": draw(st.sampled_from([None, 7, 100]))}
        step["days"] = draw(st.sampled_from([None, 3, 20, 45]))
        step["delay"] = draw(st.sampled_from([timedelta(0), timedelta(days=4), timedelta(days=-5)]))
        step["priority"] = draw(st.sampled_from([50, 50, 10]))
    elif verb in ("consume", "reserve"):
        step |= {"quantity": draw(QUANTITIES), "metric": draw(st.sampled_from(METRICS[:2]))}
        step["mode"] = draw(st.sampled_from(["reject", "clamp"]))
    elif verb in ("void", "refund", "dispute", "confirm", "release"):
        step["pick"] = draw(st.integers(0, 5))
        step["cents"] = draw(st.sampled_from([0, 3, 7, 50, 100]))
        step["status"] = draw(st.sampled_from(["opened", "won", "lost"]))
    elif verb == "change_plan":
        step["plan"] = draw(st.sampled_from(["small", "large"]))
    return step


class Story:
    """Tells steps to one organization and remembers what it made."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.address = f"story-{next(_numbers)}"
        self.now = START
        self.grants: list[str] = []
        self.reservations: list[str] = []
        with database.writing() as session:
            organization = organizations.create(session, START, address=self.address, anchor=SCENARIO.anchor)
            grants.change_plan(Context(session, organization, START), "small")

    def tell(self, steps: list[dict[str, Any]], *, recount_each: bool = False, first: int = 0) -> None:
        """Tells every step, numbered from `first`; what the rules refuse is refused and changes nothing."""
        for number, step in enumerate(steps, start=first):
            self.now += step["gap"]
            try:
                with self.database.writing() as session:
                    organization = organizations.by_address(session, self.address)
                    VERBS[step["do"]](session, organization, self._complete(step, number), number)
            except BillingError:
                pass
            with self.database.writing() as session:
                organization = organizations.by_address(session, self.address)
                if recount_each:
                    recounts.post(Context(session, organization, self.now))
                seen = expectations.observe(session, organization, SCENARIO.catalog, step["metric"], self.now)
                assert seen["state"] in ("ok", "using_credits", "blocked"), (step, seen["state"])

    def _complete(self, step: dict[str, Any], number: int) -> dict[str, Any]:
        full = {**step, "moment": self.now, "at": self.now.isoformat()}
        if step["do"] == "use":
            full["occurred_at"] = (self.now - step["late"]).isoformat()
        elif step["do"] == "grant":
            full["id"] = f"g{number}"
            self.grants.append(full["id"])
            begins = self.now + step["delay"]
            full["effective_at"] = begins.isoformat()
            if step["days"]:
                full["expires_at"] = (begins + timedelta(days=step["days"])).isoformat()
        elif step["do"] == "reserve":
            full["id"] = f"r{number}"
            full["timeout_s"] = 3600 * 9
            self.reservations.append(full["id"])
        elif step["do"] in ("confirm", "release"):
            full["id"] = self.reservations[step["pick"] % len(self.reservations)] if self.reservations else "none"
        elif "pick" in step:
            full["grant"] = self.grants[step["pick"] % len(self.grants)] if self.grants else "none"
            full["refunded_cents"] = step["cents"]
        return full

    def observe(self, session: Session) -> dict[str, Any]:
        """Everything that can be seen of the organization, thresholds aside: they tell of looking, too."""
        organization: Organization = organizations.by_address(session, self.address)
        seen = {}
        for metric in METRICS:
            seen[metric] = expectations.observe(session, organization, SCENARIO.catalog, metric, self.now)
            del seen[metric]["thresholds"]
        return seen


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(facts(), min_size=1, max_size=25))
def test_after_any_story_everything_stored_says_what_the_engine_says(
    shared: Database, steps: list[dict[str, Any]]
) -> None:
    story = Story(shared)
    story.tell(steps)
    with shared.writing() as session:
        organization = organizations.by_address(session, story.address)
        assert list(verification.verify(Context(session, organization, story.now))) == []
        for metric, seen in story.observe(session).items():
            assert seen["state"] in ("ok", "using_credits", "blocked"), (metric, seen["state"])
            assert seen["ledger_sum"] == seen["left"] - seen["debt"]
        recounts.post(Context(session, organization, story.now))
        assert list(verification.verify(Context(session, organization, story.now))) == []
        assert recounts.post(Context(session, organization, story.now)) == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(facts(), min_size=1, max_size=15))
def test_recounting_after_every_step_changes_nothing_that_can_be_seen(
    shared: Database, steps: list[dict[str, Any]]
) -> None:
    never, always = Story(shared), Story(shared)
    never.tell([step for step in steps if step["do"] != "recount"])
    always.tell([step for step in steps if step["do"] != "recount"], recount_each=True)
    with shared.writing() as session:
        assert never.observe(session) == always.observe(session)
        for story in (never, always):
            organization = organizations.by_address(session, story.address)
            recounts.post(Context(session, organization, story.now))
            sums = {metric: recounts.balance(Context(session, organization, story.now), metric) for metric in METRICS}
            assert all(pending == 0 for _, pending in sums.values())
