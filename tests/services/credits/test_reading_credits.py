"""The credits page: what is left, the line that led there, and what every grant does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing_app.db import Database
from billing_app.domain.common.errors import NotFoundError
from billing_app.services.common.context import Context
from billing_app.services.credits import read
from billing_app.services.credits.views import CreditsView, GrantSource, GrantStatus, PointAnswer
from billing_app.services.credits.views_shared import ForecastKind
from tests.services.notifications.telling import Story, at


@pytest.fixture
def story(database: Database) -> Story:
    return Story(database)


def credits(story: Story, now: str, metric: str = "api", months: int = 6) -> CreditsView:
    with story.reading() as (session, organization):
        return read.credits(Context(session, organization, at(now)), metric, months=months)


def line(points: tuple[PointAnswer, ...]) -> list[tuple[str, int, int]]:
    return [(f"{point.at:%d %b %H:%M}".removesuffix(" 00:00"), point.left, point.granted) for point in points]


def statuses(view: CreditsView) -> list[tuple[str, GrantStatus]]:
    return [(grant.id, grant.status) for grant in view.grants]


def test_the_line_stands_upright_at_a_grant_and_falls_from_the_day_on_which_use_began_to_burn(story: Story) -> None:
    story.grant("2024-01-02 09:00", "pack", 50)
    story.use("2024-01-05 10:00", "api", 100)
    story.use("2024-01-08 10:00", "api", 10)
    story.use("2024-01-08 16:00", "api", 5)
    story.use("2024-01-09 11:00", "api", 5)
    view = credits(story, "2024-01-12 12:00", months=1)
    assert line(view.balance) == [
        ("12 Dec 12:00", 0, 0),
        ("02 Jan 09:00", 0, 0),
        ("02 Jan 09:00", 50, 50),
        ("08 Jan", 50, 0),
        ("08 Jan 16:00", 35, 0),
        ("09 Jan 11:00", 30, 0),
        ("12 Jan 12:00", 30, 0),
    ]


def test_the_line_begins_with_what_was_left_then(story: Story) -> None:
    story.grant("2024-01-02", "pack", 50)
    story.use("2024-01-05", "api", 110)
    assert line(credits(story, "2024-03-10", months=1).balance) == [("10 Feb", 40, 0), ("10 Mar", 40, 0)]


def test_the_line_stands_upright_where_credits_end_or_are_taken_back(story: Story) -> None:
    story.grant("2024-01-02", "short", 50, expires_at=at("2024-01-20"))
    story.grant("2024-01-03", "bought", 40, paid_cents=400)
    story.refund("2024-01-22", "bought", 100)
    view = credits(story, "2024-01-31", months=1)
    assert line(view.balance)[-5:] == [
        ("20 Jan", 90, 0), ("20 Jan", 40, 0), ("22 Jan", 40, 0), ("22 Jan", 30, 0), ("31 Jan", 30, 0),
    ]  # fmt: skip


def test_a_grant_that_pays_what_was_owed_adds_all_of_it_and_leaves_the_rest(story: Story) -> None:
    story.use("2024-01-05", "api", 130)
    story.grant("2024-01-10", "pack", 50)
    view = credits(story, "2024-01-11", months=1)
    assert line(view.balance)[1:3] == [("10 Jan", 0, 0), ("10 Jan", 20, 50)]


def test_the_first_in_burn_order_burns_the_second_is_next_the_others_wait(story: Story) -> None:
    story.grant("2024-01-02", "third", 10, expires_at=None)
    story.grant("2024-01-03", "second", 10, expires_at=at("2024-09-01"))
    story.grant("2024-01-04", "first", 10, expires_at=at("2024-08-01"))
    assert statuses(credits(story, "2024-01-05")) == [
        ("first", GrantStatus.NEXT), ("second", GrantStatus.WAITING), ("third", GrantStatus.WAITING),
    ]  # fmt: skip
    story.use("2024-01-06", "api", 104)
    assert statuses(credits(story, "2024-01-07")) == [
        ("first", GrantStatus.BURNING), ("second", GrantStatus.NEXT), ("third", GrantStatus.WAITING),
    ]  # fmt: skip


def test_what_has_nothing_left_says_why_and_comes_last_the_newest_first(story: Story) -> None:
    story.grant("2024-01-02", "used", 10, priority=1)
    story.use("2024-01-02 12:00", "api", 110)
    story.grant("2024-01-03", "ended", 10, expires_at=at("2024-01-20"))
    story.grant("2024-01-04", "voided", 10)
    story.void("2024-01-05", "voided")
    story.grant("2024-01-06", "refunded", 10, paid_cents=100)
    story.refund("2024-01-07", "refunded", 100)
    story.grant("2024-01-08", "disputed", 10, paid_cents=100)
    story.dispute("2024-01-09", "disputed", "opened")
    story.grant("2024-01-10", "to come", 10, effective_at=at("2024-03-01"))
    story.grant("2024-01-11", "left", 10)
    view = credits(story, "2024-01-21")
    assert statuses(view) == [
        ("left", GrantStatus.BURNING),
        ("disputed", GrantStatus.HELD),
        ("to come", GrantStatus.PENDING),
        ("refunded", GrantStatus.REFUNDED),
        ("voided", GrantStatus.VOIDED),
        ("ended", GrantStatus.EXPIRED),
        ("used", GrantStatus.USED_UP),
    ]
    figures = (view.granted, view.burned, view.expired, view.voided, view.clawed_back, view.held, view.left)
    assert figures == (60, 10, 10, 10, 10, 10, 10)


def test_a_grant_that_paid_the_debt_of_another_is_used_up_not_refunded(story: Story) -> None:
    story.grant("2024-01-02", "bought", 50, paid_cents=500)
    story.use("2024-01-03", "api", 150)
    story.refund("2024-01-04", "bought", 200)
    assert credits(story, "2024-01-05").debt == 20
    story.grant("2024-01-06", "payer", 20)
    view = credits(story, "2024-01-07")
    assert (view.debt, view.left, view.clawed_back) == (0, 0, 20)
    assert dict(statuses(view)) == {"payer": GrantStatus.USED_UP, "bought": GrantStatus.REFUNDED}


def test_what_was_voided_before_it_began_counts_from_its_beginning(story: Story) -> None:
    story.grant("2024-01-02", "to come", 50, effective_at=at("2024-02-01"))
    story.void("2024-01-03", "to come")
    before, after = credits(story, "2024-01-31"), credits(story, "2024-02-01")
    assert (before.granted, before.voided, before.left) == (0, 0, 0)
    assert (after.granted, after.voided, after.left) == (50, 50, 0)


def test_each_month_says_how_much_of_which_grant_it_burned(story: Story) -> None:
    story.grant("2024-01-02", "pack", 50)
    story.grant("2024-01-03", "gift", 30, source="gift_card", reason="Spring start", expires_at=at("2024-06-01"))
    story.use("2024-01-05", "api", 120)
    story.use("2024-02-05", "api", 125)
    gift, pack = sorted(credits(story, "2024-03-01").grants, key=lambda grant: grant.id)
    assert [(burn.period.start, burn.quantity) for burn in gift.burns] == [
        (at("2024-01-01"), 20), (at("2024-02-01"), 10),
    ]  # fmt: skip
    assert [(burn.period.start, burn.quantity) for burn in pack.burns] == [(at("2024-02-01"), 15)]
    assert (gift.label.source, gift.label.note, pack.label.source) == (
        GrantSource.GIFT_CARD, "Spring start", GrantSource.OPERATOR,
    )  # fmt: skip


def test_what_is_not_yet_posted_is_what_was_burned_since_the_last_recount(story: Story) -> None:
    story.grant("2024-01-02", "pack", 50)
    story.use("2024-01-05", "api", 112)
    story.recount("2024-01-05 12:00")
    assert credits(story, "2024-01-05 12:30").unposted is None
    story.use("2024-01-05 13:00", "api", 7)
    view = credits(story, "2024-01-05 14:00")
    assert view.unposted is not None
    assert (view.unposted.quantity, view.unposted.since) == (-7, at("2024-01-05 12:00"))
    assert (view.unposted.posts_at, view.recount.next_at) == (at("2024-01-05 18:00"), at("2024-01-05 18:00"))


def test_the_line_ahead_ends_where_the_forecast_says_that_credits_run_out(story: Story) -> None:
    story.grant("2024-01-01", "pack", 60)
    for day in range(1, 11):
        story.use(f"2024-01-{day:02} 12:00", "api", 10)
    view = credits(story, "2024-01-11 12:00")
    assert view.forecast.kind is ForecastKind.RUNS_OUT
    assert (view.ahead[0].at, view.ahead[0].left) == (at("2024-01-11 12:00"), 60)
    assert (view.ahead[-1].at, view.ahead[-1].left) == (view.forecast.runs_out_at, 0)
    assert [point.at for point in view.ahead] == sorted(point.at for point in view.ahead)


def test_the_line_ahead_of_a_level_falls_when_a_period_turns(story: Story) -> None:
    story.grant("2024-01-01", "disks", 50, "disk")
    story.use("2024-01-02", "disk", 120)
    ahead = line(credits(story, "2024-01-10", "disk").ahead)
    assert ahead[:5] == [("10 Jan", 30, 0), ("01 Feb", 30, 0), ("01 Feb", 10, 0), ("01 Mar", 10, 0), ("01 Mar", 0, 0)]


def test_without_days_to_say_a_pace_from_nothing_is_drawn_ahead(story: Story) -> None:
    story.grant("2024-01-02", "pack", 50)
    story.use("2024-01-05", "api", 10)
    view = credits(story, "2024-01-06")
    assert (view.forecast.kind, view.ahead) == (ForecastKind.UNKNOWN, ())


def test_tokens_are_looked_at_where_there_are_any(story: Story) -> None:
    assert [metric.id for metric in credits(story, "2024-01-02").metrics] == ["api", "mau", "disk", "peak", "sms"]
    story.grant("2024-01-02", "tokens", 500, "token")
    view = credits(story, "2024-01-03", "token")
    assert [metric.id for metric in view.metrics][-1] == "token"
    assert (view.left, view.granted) == (500, 500)


def test_a_year_of_hourly_use_is_a_line_of_at_most_two_points_a_day(story: Story) -> None:
    story.grant("2024-01-01", "pack", 10_000)
    story.use("2024-01-01", "api", 100)
    moment = at("2024-01-01 00:30")
    for hour in range(24 * 40):
        story.use(f"{moment + timedelta(hours=hour):%Y-%m-%d %H:%M}", "api", 1)
    points = credits(story, "2024-02-15", months=2).balance
    assert len(points) <= 2 * 46
    assert points[-1].left == 10_000 - 744 - (24 * 40 - 744 - 100)


def test_a_metric_that_is_not_there_is_refused(story: Story) -> None:
    with pytest.raises(NotFoundError) as refusal:
        credits(story, "2024-01-05", "nothing")
    assert refusal.value.code == "metric_not_found"


def test_without_a_metric_it_opens_with_what_stops_first(story: Story) -> None:
    story.grant("2024-01-02 09:00", "old", 50)
    story.grant("2024-01-11 09:00", "new", 50, metric="disk")
    assert credits(story, "2024-01-12 12:00", metric="").metric.id == "disk"
    story.use("2024-01-12 10:00", "api", 160)
    assert credits(story, "2024-01-12 12:00", metric="").metric.id == "api"
