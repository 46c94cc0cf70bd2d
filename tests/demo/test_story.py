"""The story as data: true at whatever moment it is told."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from billing_app.demo import larkfield, marlow
from billing_app.demo.calendar import PERIODS, RUNNING, Calendar
from billing_app.demo.facts import Buy, Story
from billing_app.demo.rhythm import spread, sums
from billing_app.demo.story import AGGREGATIONS, stories
from billing_app.locations import ROOT
from billing_app.services.usage import recounts

MOMENTS = [
    datetime(2026, 11, 22, 14, 10, tzinfo=UTC),
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 1, 20, tzinfo=UTC),
    datetime(2028, 2, 29, 0, 0, 1, tzinfo=UTC),
    datetime(2027, 3, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]
"""An ordinary one, both turns of a period to the instant, a leap day, a month's last instant."""


@pytest.fixture(scope="module", params=MOMENTS, ids=str)
def told_at(request: pytest.FixtureRequest) -> tuple[datetime, tuple[Story, ...]]:
    return request.param, stories(request.param)


def test_parts_add_up_to_the_whole() -> None:
    assert spread(10, [1, 1, 1]) == [3, 3, 4]
    assert spread(0, [3, 4]) == [0, 0]
    assert sum(spread(9_999_999_999_999, [104, 7, 46])) == 9_999_999_999_999


def test_no_use_lies_in_the_future(told_at: tuple[datetime, tuple[Story, ...]]) -> None:
    now, told = told_at
    for story in told:
        assert all(event.at is not None and event.at <= now for event in story.usage)


def test_every_metric_is_used_in_thirteen_whole_periods(told_at: tuple[datetime, tuple[Story, ...]]) -> None:
    now, told = told_at
    for story in told:
        for period in Calendar(now, story.anchor).periods[:-1]:
            used = {event.metric for event in story.usage if event.at is not None and period.contains(event.at)}
            assert used == set(AGGREGATIONS), f"{story.organization.address} {period.start}"


def test_the_running_period_holds_the_moment_of_telling(told_at: tuple[datetime, tuple[Story, ...]]) -> None:
    now, told = told_at
    for story in told:
        assert len(Calendar(now, story.anchor).periods) == PERIODS
        assert Calendar(now, story.anchor).periods[RUNNING].contains(now)


def test_something_was_used_since_the_last_recount(told_at: tuple[datetime, tuple[Story, ...]]) -> None:
    now, told = told_at
    last = recounts.last_scheduled(now)
    for story in told:
        since = {event.metric for event in story.usage if event.at and event.at >= last}
        assert since >= {"mau", "bandwidth", "emails", "sms"}


def test_whole_periods_use_exactly_what_was_said() -> None:
    calendar = Calendar.anchored(MOMENTS[0], 1)
    events = sums(calendar, "emails", "emails", larkfield.EMAILS)
    for number, period in enumerate(calendar.periods[:-1]):
        used = sum(event.quantity or 0 for event in events if event.at and period.contains(event.at))
        assert used == larkfield.EMAILS[number]


def test_credits_that_end_this_month_were_bought_a_year_ago(told_at: tuple[datetime, tuple[Story, ...]]) -> None:
    now, told = told_at
    by_key = {fact.key: fact for fact in told[1].facts if isinstance(fact, Buy)}
    for key in ("bandwidth-year", "storage-year"):
        assert now - timedelta(days=366) < by_key[key].at < now - timedelta(days=330)


def test_marlow_tops_up_by_itself_and_then_by_hand(told_at: tuple[datetime, tuple[Story, ...]]) -> None:
    now, told = told_at
    calendar = Calendar(now, told[1].anchor)
    packs = [fact for fact in told[1].facts if isinstance(fact, Buy) and fact.key.startswith("emails-pack")]
    assert {pack.source for pack in packs if pack.at < calendar.at(marlow.DISARMED, 1, 0)} == {"top_up"}
    assert {pack.source for pack in packs if pack.at >= calendar.at(marlow.DISARMED, 1, 0)} == {"purchase"}


def test_the_same_moment_tells_the_same_story_in_every_process() -> None:
    script = (
        "import hashlib, datetime; from billing_app.demo.story import stories; "
        f"print(hashlib.sha256(repr(stories({MOMENTS[0]!r})).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1
