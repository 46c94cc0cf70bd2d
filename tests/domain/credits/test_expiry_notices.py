"""Credits that end are spoken of 30, 7 and 1 days before, and when they have ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from billing_app.domain.credits import engine
from billing_app.domain.credits.expiry_notices import moments, next_moment, notices
from billing_app.domain.credits.facts import Aggregation, Allowance, Grant, History, UsagePoint

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 7, 1, 9, tzinfo=UTC)


def days(count: float) -> timedelta:
    return timedelta(days=count)


def a_grant(quantity: int = 100, start: datetime = START, end: datetime | None = END, name: str = "g") -> Grant:
    return Grant(name, quantity, start, end, start)


def told(*grants: Grant, usage: tuple[UsagePoint, ...] = ()) -> list[tuple[datetime, str, int, int]]:
    """Everything that is told of these, looked at at every moment."""
    history = History(START, Aggregation.SUM, (Allowance(START, 0),), grants, usage)
    state, found = engine.start(history), []
    for at in moments(grants, START - days(1), END + days(400)):
        engine.advance(state, history, at)
        found += [(at, notice.key, notice.quantity, notice.days) for notice in notices(state, at)]
    return found


def test_a_grant_is_spoken_of_three_times_and_when_it_has_ended() -> None:
    assert told(a_grant()) == [
        (END - days(30), "credits.expiring:g:30", 100, 30),
        (END - days(7), "credits.expiring:g:7", 100, 7),
        (END - days(1), "credits.expiring:g:1", 100, 1),
        (END, "credits.expired:g", 100, 0),
    ]


def test_what_was_used_is_not_spoken_of() -> None:
    point = UsagePoint(END - days(10), 40)
    assert [quantity for _, _, quantity, _ in told(a_grant(), usage=(point,))] == [100, 60, 60, 60]
    assert len(told(a_grant(), usage=(UsagePoint(END - days(10), 100),))) == 1


def test_use_at_the_very_moment_counts_and_at_the_end_comes_too_late() -> None:
    assert [each[2] for each in told(a_grant(), usage=(UsagePoint(END - days(1), 30),))] == [100, 100, 70, 70]
    assert [each[2] for each in told(a_grant(), usage=(UsagePoint(END, 30),))][-1] == 100


def test_a_short_grant_is_not_spoken_of_before_it_began() -> None:
    short = a_grant(start=END - days(14))
    assert [each[3] for each in told(short)] == [7, 1, 0]
    assert [each[3] for each in told(a_grant(start=END - days(7)))] == [7, 1, 0]


def test_what_never_ends_is_never_spoken_of() -> None:
    assert told(a_grant(end=None)) == []
    assert next_moment([a_grant(end=None)], START) is None


def test_the_next_moment_is_the_first_after() -> None:
    grants = [a_grant(), a_grant(end=END + days(1), name="later")]
    assert next_moment(grants, START) == END - days(30)
    assert next_moment(grants, END - days(30)) == END - days(29)
    assert next_moment(grants, END) == END + days(1)
    assert next_moment(grants, END + days(1)) is None
