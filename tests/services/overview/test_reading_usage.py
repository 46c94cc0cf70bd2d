"""Use by month and by day: who paid for each unit, and that days are their month."""

from __future__ import annotations

import pytest

from billing_app.db import Database
from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.common.periods import period_containing
from billing_app.services.common.context import Context
from billing_app.services.overview import read_usage
from billing_app.services.overview.views import UsageView
from billing_app.services.usage.views import DaysView
from tests.services.notifications.telling import Story, at

NOTHING = (0, 0, 0, 0)


@pytest.fixture
def story(database: Database) -> Story:
    return Story(database)


def usage(story: Story, metric: str, now: str, within: str = "", **asked: int) -> UsageView:
    with story.reading() as (session, organization):
        day = at(within) if within else None
        return read_usage.usage(Context(session, organization, at(now)), metric, within=day, **asked)


def days(story: Story, metric: str, within: str, now: str) -> DaysView:
    with story.reading() as (session, organization):
        number = period_containing(organization.anchor, at(within)).number
        return read_usage.days(Context(session, organization, at(now)), metric, number)


def parts(view: DaysView) -> dict[str, tuple[int, int, int, int]]:
    """Of days with use: quantity, and what plan, credits and nobody paid."""
    found = {f"{day.start:%d %b %H:%M}": (day.quantity, day.covered, day.burned, day.unpaid) for day in view.days}
    return {day.removesuffix(" 00:00"): figures for day, figures in found.items() if figures != NOTHING}


def test_the_day_on_which_the_plan_ended_is_split_between_plan_and_credits(story: Story) -> None:
    story.grant("2024-01-02", "pack", 50)
    story.use("2024-01-05 10:00", "api", 90)
    story.use("2024-01-06 11:00", "api", 30)
    story.use("2024-01-07 12:00", "api", 60)
    view = days(story, "api", "2024-01-07", "2024-01-08 09:00")
    assert parts(view) == {"05 Jan": (90, 90, 0, 0), "06 Jan": (30, 10, 20, 0), "07 Jan": (60, 0, 30, 30)}
    assert view.reached_at == at("2024-01-06 11:00")
    assert view.running


def test_days_to_come_are_left_out_and_an_ended_month_has_all_of_them(story: Story) -> None:
    story.use("2024-01-05", "api", 10)
    assert len(days(story, "api", "2024-01-05", "2024-01-08 00:00").days) == 8
    ended = days(story, "api", "2024-01-05", "2024-03-15")
    assert len(ended.days) == 31
    assert not ended.running
    assert (ended.has_earlier, ended.has_later) == (False, True)


def test_use_that_a_later_grant_paid_is_paid_by_credits_on_its_own_day(story: Story) -> None:
    story.use("2024-01-05", "api", 130)
    assert parts(days(story, "api", "2024-01-05", "2024-01-06")) == {"05 Jan": (130, 100, 0, 30)}
    story.grant("2024-01-20", "late pack", 20)
    assert parts(days(story, "api", "2024-01-05", "2024-01-21")) == {"05 Jan": (130, 100, 20, 10)}


def test_a_correction_makes_its_day_negative_so_that_days_are_still_the_month(story: Story) -> None:
    story.grant("2024-01-02", "pack", 50)
    story.use("2024-01-05", "api", 140)
    story.use("2024-01-09", "api", -25)
    view = usage(story, "api", "2024-01-10")
    assert parts(view.days) == {"05 Jan": (140, 100, 40, 0), "09 Jan": (-25, 0, -25, 0)}
    assert (view.months[-1].used, view.months[-1].covered, view.months[-1].burned) == (115, 100, 15)


def test_after_a_correction_below_the_allowance_it_is_not_reached_any_more(story: Story) -> None:
    story.use("2024-01-05", "api", 140)
    story.use("2024-01-09", "api", -60)
    assert days(story, "api", "2024-01-09", "2024-01-10").reached_at is None
    story.use("2024-01-11 08:00", "api", 20)
    assert days(story, "api", "2024-01-09", "2024-01-12").reached_at == at("2024-01-11 08:00")


def test_a_device_counts_once_a_month_on_its_first_day(story: Story) -> None:
    story.use("2024-01-03", "mau", None, "ann", "bob")
    story.use("2024-01-04", "mau", None, "bob", "cid")
    story.use("2024-02-01", "mau", None, "ann")
    assert parts(days(story, "mau", "2024-01-03", "2024-02-02")) == {"03 Jan": (2, 2, 0, 0), "04 Jan": (1, 1, 0, 0)}
    assert parts(days(story, "mau", "2024-02-01", "2024-02-02")) == {"01 Feb": (1, 1, 0, 0)}


def test_a_device_seen_late_moves_to_the_day_on_which_it_was_first_there(story: Story) -> None:
    story.use("2024-01-09", "mau", None, "ann")
    story.use("2024-01-03", "mau", None, "ann", told="2024-01-10")
    assert parts(days(story, "mau", "2024-01-03", "2024-01-11")) == {"03 Jan": (1, 1, 0, 0)}


def test_devices_that_are_taken_out_leave_on_the_day_of_the_correction(story: Story) -> None:
    story.use("2024-01-03", "mau", None, "ann", "bob")
    story.use("2024-01-05", "mau", -1, "bob")
    assert parts(days(story, "mau", "2024-01-03", "2024-01-06")) == {"03 Jan": (2, 2, 0, 0), "05 Jan": (-1, -1, 0, 0)}


def test_a_level_stands_on_days_without_reports_and_over_the_turn(story: Story) -> None:
    story.grant("2024-01-01", "disks", 30, "disk")
    story.use("2024-01-29 10:00", "disk", 80)
    story.use("2024-01-31 10:00", "disk", 120)
    story.use("2024-02-02 10:00", "disk", 40)
    assert parts(days(story, "disk", "2024-01-31", "2024-02-03")) == {
        "29 Jan": (80, 80, 0, 0),
        "30 Jan": (80, 80, 0, 0),
        "31 Jan": (120, 100, 20, 0),
    }
    # the level of 120 stood until the 2nd: February's peak burns what is left and 10 are not paid
    assert parts(days(story, "disk", "2024-02-01", "2024-02-03 12:00")) == {
        "01 Feb": (120, 100, 10, 10),
        "02 Feb": (120, 100, 10, 10),
        "03 Feb": (40, 40, 0, 0),
    }


def test_the_highest_level_of_a_day_is_told_not_its_last(story: Story) -> None:
    story.use("2024-01-03 10:05", "disk", 90)
    story.use("2024-01-03 10:45", "disk", 20)
    assert parts(days(story, "disk", "2024-01-03", "2024-01-04 12:00")) == {
        "03 Jan": (90, 90, 0, 0),
        "04 Jan": (20, 20, 0, 0),
    }


def test_a_maximum_is_told_only_on_days_on_which_it_was_reported(story: Story) -> None:
    story.grant("2024-01-01", "peaks", 5, "peak")
    story.use("2024-01-03 10:00", "peak", 110)
    story.use("2024-01-05 10:00", "peak", 70)
    assert parts(days(story, "peak", "2024-01-03", "2024-01-06")) == {
        "03 Jan": (110, 100, 5, 5),
        "05 Jan": (70, 70, 0, 0),
    }


def test_where_periods_turn_inside_a_day_that_day_is_cut(database: Database) -> None:
    story = Story(database, anchor="2024-01-10 12:30")
    for moment in ("2024-02-10 12:29", "2024-02-10 12:31"):
        story.use(moment, "api", 7)
        story.use(moment, "peak", 30 if moment.endswith("29") else 50)
    first = days(story, "api", "2024-02-01", "2024-02-11")
    second = days(story, "api", "2024-02-10 12:30", "2024-02-11")
    assert parts(first) == {"10 Feb": (7, 7, 0, 0)}
    assert parts(second) == {"10 Feb 12:30": (7, 7, 0, 0)}
    assert (len(first.days), first.days[0].start) == (32, at("2024-01-10 12:30"))
    assert parts(days(story, "peak", "2024-02-01", "2024-02-11")) == {"10 Feb": (30, 30, 0, 0)}
    assert parts(days(story, "peak", "2024-02-10 12:30", "2024-02-11")) == {"10 Feb 12:30": (50, 50, 0, 0)}


def test_use_of_the_same_hour_after_the_moment_asked_for_is_not_known_yet(story: Story) -> None:
    for moment, level in (("2024-01-03 10:10", 30), ("2024-01-03 10:50", 60)):
        story.use(moment, "peak", level)
        story.use(moment, "api", level)
    for metric, later in (("peak", 60), ("api", 90)):
        assert parts(days(story, metric, "2024-01-03", "2024-01-03 10:30")) == {"03 Jan": (30, 30, 0, 0)}
        assert parts(days(story, metric, "2024-01-03", "2024-01-03 10:50")) == {"03 Jan": (later, later, 0, 0)}


def test_months_say_which_plan_s_allowance_held_and_when_everything_was_used_up(story: Story) -> None:
    story.use("2024-01-10", "api", 100)
    story.plan("2024-02-15", "Large")
    story.use("2024-02-20", "api", 240)
    story.plan("2024-03-10", "Small")
    story.use("2024-03-11", "api", 260)
    shown = usage(story, "api", "2024-04-02", months=4).months
    assert [(month.plan_name, month.allowance, month.used, month.uncovered) for month in shown] == [
        ("Small", 100, 100, 0), ("Large", 250, 240, 0), ("Large", 250, 260, 10), ("Small", 100, 0, 0),
    ]  # fmt: skip
    assert [month.used_up_at for month in shown] == [at("2024-01-10"), None, at("2024-03-11"), None]
    assert [month.running for month in shown] == [False, False, False, True]


def test_what_nobody_paid_is_a_deficit_while_its_month_runs_and_uncovered_afterwards(story: Story) -> None:
    story.use("2024-01-10", "api", 130)
    for now, uncovered, deficit in (("2024-01-20", 0, 30), ("2024-02-03", 30, 0)):
        month = next(month for month in usage(story, "api", now, months=2).months if month.used == 130)
        assert (month.uncovered, month.deficit, month.unpaid) == (uncovered, deficit, 30)
        assert month.used == month.covered + month.burned + month.uncovered + month.deficit
    within = days(story, "api", "2024-01-10", "2024-01-20"), days(story, "api", "2024-01-10", "2024-02-03")
    for found, uncovered, deficit in zip(within, (0, 30), (30, 0), strict=True):
        assert sum(day.uncovered for day in found.days) == uncovered
        assert sum(day.deficit for day in found.days) == deficit


def test_a_metric_of_which_nothing_was_ever_to_be_had_is_not_called_used_up(story: Story) -> None:
    story.grant("2024-01-20", "pack", 5, "sms")
    assert usage(story, "sms", "2024-01-25", months=1).months[0].used_up_at is None
    story.use("2024-01-26", "sms", 5)
    assert usage(story, "sms", "2024-01-27", months=1).months[0].used_up_at == at("2024-01-26")


def test_of_an_unlimited_plan_everything_is_covered_and_nothing_is_reached(story: Story) -> None:
    story.plan("2024-01-02", "Endless")
    story.use("2024-01-05", "api", 1_000)
    view = usage(story, "api", "2024-01-06")
    assert parts(view.days) == {"05 Jan": (1_000, 1_000, 0, 0)}
    assert (view.days.allowance, view.days.reached_at) == (None, None)


def test_a_chosen_month_is_shown_and_one_out_of_sight_is_the_running_one(story: Story) -> None:
    story.use("2024-01-05", "api", 10)
    assert usage(story, "api", "2024-03-05", "2024-01-20", months=3).days.days[4].quantity == 10
    for stranger in ("2023-12-31", "2024-04-01", "9999-12-31"):
        assert usage(story, "api", "2024-03-05", stranger, months=3).chosen == 2


def test_without_a_metric_it_is_the_first_and_one_that_is_not_there_is_refused(story: Story) -> None:
    assert usage(story, "", "2024-01-05").metric.id == "api"
    with pytest.raises(NotFoundError) as refusal:
        usage(story, "nothing", "2024-01-05")
    assert refusal.value.code == "metric_not_found"


@pytest.mark.parametrize("number", [1, 10**9, -(10**9)])
def test_days_of_a_period_to_come_or_out_of_any_calendar_are_refused(story: Story, number: int) -> None:
    with story.reading() as (session, organization), pytest.raises(NotFoundError) as refusal:
        read_usage.days(Context(session, organization, at("2024-01-05")), "api", number)
    assert refusal.value.code == "period_not_found"


def test_whether_anything_was_ever_used_is_asked_of_all_metrics(story: Story) -> None:
    assert not usage(story, "api", "2024-01-05").ever_used
    story.use("2024-01-05", "mau", None, "ann")
    assert usage(story, "api", "2024-01-06").ever_used


def test_use_is_the_organization_s_own(story: Story) -> None:
    story.use("2024-01-05", "api", 10)
    assert [(each.address, each.name, each.used) for each in usage(story, "api", "2024-01-06").sources] == [
        ("acme", "Acme", 10)
    ]
