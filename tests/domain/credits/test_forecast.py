"""The engine run forward: when a metric runs out, and what it takes that it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from billing_app.domain.credits.facts import Aggregation, Allowance, Grant, History
from billing_app.domain.credits.forecast import MetricForecast, Outcome
from billing_app.domain.credits.timeline import follow
from billing_app.domain.usage.aggregation import UsageEvent, fold

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def at(day: int, month: int = 1) -> datetime:
    """Midnight of a day in 2026."""
    return datetime(2026, month, day, tzinfo=UTC)


def forecast(
    now: datetime,
    events: list[UsageEvent],
    *grants: Grant,
    allowance: int | None = 0,
    aggregation: Aggregation = Aggregation.SUM,
    coming: tuple[Grant, ...] = (),
) -> MetricForecast:
    """One metric seen from `now`."""
    usage = fold(aggregation, JANUARY, events)
    facts = History(JANUARY, aggregation, (Allowance(JANUARY, allowance),), grants, usage)
    return MetricForecast(facts, follow(facts, now), now, coming)


def daily(quantity: int, days: int) -> list[UsageEvent]:
    """So much at noon of each of the first days of January."""
    return [UsageEvent(JANUARY + DAY * day + timedelta(hours=12), quantity) for day in range(days)]


def pack(quantity: int, *, ends: datetime | None = None, starts: datetime = JANUARY, name: str = "pack") -> Grant:
    """A pack that was bought on the first of January."""
    return Grant(name, quantity, starts, ends, starts, paid_cents=100)


def test_with_less_than_three_days_of_data_there_is_no_pace() -> None:
    look = forecast(at(3), daily(10, 2), pack(100))
    assert look.pace is None
    assert look.run_out().outcome is Outcome.UNKNOWN


def test_credits_run_out_when_the_pace_has_used_them() -> None:
    look = forecast(at(15), daily(10, 14), pack(200))
    assert look.account.left == 60
    found = look.run_out()
    assert found.outcome is Outcome.RUNS_OUT
    assert found.at is not None
    assert at(20) < found.at < at(22)
    assert look.points(at(1, 3))[-1].at == found.at


def test_a_plan_that_is_enough_in_every_period_covers_it() -> None:
    look = forecast(at(15), daily(10, 14), allowance=400)
    assert look.run_out().outcome is Outcome.PLAN_COVERS


def test_a_plan_that_is_not_enough_runs_out_inside_each_period() -> None:
    found = forecast(at(15), daily(10, 14), allowance=200).run_out()
    assert found.outcome is Outcome.RUNS_OUT
    assert found.at is not None
    assert at(20) < found.at < at(22)


def test_unlimited_never_runs_out() -> None:
    assert forecast(at(15), daily(10, 14), allowance=None).run_out().outcome is Outcome.UNLIMITED


def test_what_is_used_up_says_since_when() -> None:
    found = forecast(at(15), daily(10, 14), pack(95)).run_out()
    assert found.outcome is Outcome.USED_UP
    assert found.at == at(10) + timedelta(hours=12)


def test_an_expiry_can_come_before_the_pace_does() -> None:
    found = forecast(at(15), daily(10, 14), pack(1_000, ends=at(18))).run_out()
    assert (found.outcome, found.at) == (Outcome.RUNS_OUT, at(18))


def test_a_level_burns_its_overage_again_every_period() -> None:
    events = [UsageEvent(at(2), 150)]
    look = forecast(at(10), events, pack(120), allowance=100, aggregation=Aggregation.LEVEL)
    assert look.account.left == 70
    found = look.run_out()
    assert (found.outcome, found.at) == (Outcome.RUNS_OUT, at(1, 3))


def test_what_is_missing_until_a_day_includes_what_is_owed() -> None:
    look = forecast(at(15), daily(10, 14), pack(100))
    assert look.owed() == 40
    missing = look.shortfall(at(1, 2))
    assert missing - 40 in range(165, 180)
    enough = Grant("more", missing + 1, at(15) + timedelta(microseconds=1), None, at(15))
    later = look.run_out([enough])
    assert later.at is not None
    assert later.at >= at(31)


def test_the_period_ends_with_what_the_pace_adds() -> None:
    look = forecast(at(15), daily(10, 14))
    projected = look.projected_use()
    assert projected is not None
    assert projected in range(305, 325)


def test_new_subjects_make_the_pace_of_distinct_ones() -> None:
    events = [UsageEvent(JANUARY + DAY * day, 1, f"device-{day}") for day in range(10)]
    look = forecast(at(11), events, allowance=100, aggregation=Aggregation.UNIQUE)
    assert look.pace is not None
    assert look.pace.per_day == 1
    assert look.projected_use() == 31


def test_what_renewals_will_bring_is_counted_on() -> None:
    coming = tuple(pack(400, starts=at(18, month), name=f"coming:{month}") for month in range(1, 13))
    alone, renewing = (
        forecast(at(15), daily(10, 14), pack(200)),
        forecast(at(15), daily(10, 14), pack(200), coming=coming),
    )
    assert renewing.account.left == alone.account.left == 60
    assert alone.run_out().outcome is Outcome.RUNS_OUT
    assert renewing.run_out().outcome is Outcome.LASTS
    assert any(point.granted == 400 for point in renewing.points(at(1, 3)))
    assert alone.shortfall(at(1, 3)) > renewing.shortfall(at(1, 3))
