"""Explaining a balance: the sum of everything that made it, what is not posted yet, and what was learnt later."""

from __future__ import annotations

import pytest

from billing_app.db import Database
from billing_app.domain.common.errors import NotFoundError
from billing_app.services.common.context import Context
from billing_app.services.credits import explaining, read_ledger
from billing_app.services.credits.views import ExplainStep, ExplainView
from billing_app.services.credits.views_ledger import LedgerFilters
from tests.services.notifications.telling import Story, at

LAST_OF_JANUARY = at("2024-01-31 23:59:59.999999")


@pytest.fixture
def story(database: Database) -> Story:
    return Story(database)


def explain(story: Story, moment: str, now: str = "", metric: str = "api") -> ExplainView:
    with story.reading() as (session, organization):
        return explaining.explain(Context(session, organization, at(now or moment)), metric, at(moment))


def told(steps: tuple[ExplainStep, ...]) -> list[tuple[str, str, int, int]]:
    """Kind, day, quantity and balance after it; a period's step is told by its month."""
    return [
        (step.kind, f"{step.period.start:%b}" if step.period else f"{step.at:%d %b}", step.quantity, step.balance)
        for step in steps
    ]


def a_year_begins(story: Story) -> None:
    """Two grants, three months with use above the plan, and an expiry; all of it posted as it should be."""
    story.grant("2024-01-10", "gift", 30, source="gift_card", reason="Spring start", expires_at=at("2024-03-01"))
    story.use("2024-01-20", "api", 112)
    story.recount("2024-02-01")
    story.grant("2024-02-05", "pack", 100)
    story.use("2024-02-10", "api", 104)
    story.use("2024-02-20", "api", 3)
    story.recount("2024-03-01")
    story.use("2024-03-08", "api", 140)
    story.recount("2024-03-08 12:00")


def test_a_balance_is_a_sum_of_grants_and_of_what_each_month_burned(story: Story) -> None:
    a_year_begins(story)
    view = explain(story, "2024-03-08 13:00")
    assert told(view.steps) == [
        ("grant", "10 Jan", 30, 30),
        ("burn", "Jan", -12, 18),
        ("grant", "05 Feb", 100, 118),
        ("burn", "Feb", -7, 111),
        ("expire", "01 Mar", -11, 100),
        ("burn", "Mar", -40, 60),
    ]
    figures = (view.granted, view.burned, view.expired, view.voided, view.clawed_back, view.held, view.left)
    assert figures == (130, 59, 11, 0, 0, 0, 60)
    assert [(grant.id, grant.left) for grant in view.where] == [("pack", 60)]


def test_grants_are_told_by_name_and_every_step_leads_to_its_entry(story: Story) -> None:
    a_year_begins(story)
    steps = explain(story, "2024-03-08 13:00").steps
    assert [step.label.note for step in steps if step.label and step.kind == "grant"] == ["Spring start", "pack"]
    for step in steps:
        assert step.entry is not None
        with story.reading() as (session, organization):
            entry = read_ledger.trace(Context(session, organization, at("2024-03-08 13:00")), step.entry).line
        assert entry.kind == step.kind
        assert step.period in (None, entry.period)


def test_what_is_not_posted_is_a_step_of_its_own_at_the_end(story: Story) -> None:
    a_year_begins(story)
    story.use("2024-03-08 14:00", "api", 5)
    view = explain(story, "2024-03-08 15:00")
    assert told(view.steps)[-2:] == [("burn", "Mar", -40, 60), ("unposted", "08 Mar", -5, 55)]
    with story.reading() as (session, organization):
        ledger = read_ledger.ledger(
            Context(session, organization, at("2024-03-08 15:00")), LedgerFilters(metric="api"), ""
        )
    assert [line.quantity for line in ledger.unposted] == [-5]


def test_a_past_balance_is_made_of_what_had_happened_by_then(story: Story) -> None:
    a_year_begins(story)
    view = explain(story, "2024-02-15", "2024-03-08 13:00")
    assert told(view.steps) == [
        ("grant", "10 Jan", 30, 30), ("burn", "Jan", -12, 18), ("grant", "05 Feb", 100, 118), ("burn", "Feb", -4, 114),
    ]  # fmt: skip
    assert (view.left, view.later) == (114, None)
    assert [(grant.id, grant.left) for grant in view.where] == [("gift", 14), ("pack", 100)]


def test_a_moment_to_come_is_now(story: Story) -> None:
    a_year_begins(story)
    assert explain(story, "2030-01-01", "2024-03-08 13:00") == explain(story, "2024-03-08 13:00")


def test_burns_and_releases_of_a_month_are_one_step_and_what_cancelled_out_is_none(story: Story) -> None:
    story.grant("2024-01-02", "pack", 50)
    story.use("2024-01-05", "api", 130)
    story.recount("2024-01-05 06:00")
    story.use("2024-01-06", "api", -20)
    story.recount("2024-01-06 06:00")
    assert told(explain(story, "2024-01-07").steps) == [("grant", "02 Jan", 50, 50), ("burn", "Jan", -10, 40)]
    story.use("2024-01-08", "api", -30)
    story.recount("2024-01-08 06:00")
    assert told(explain(story, "2024-01-09").steps) == [("grant", "02 Jan", 50, 50)]


def test_debt_takes_the_sum_below_what_is_left(story: Story) -> None:
    story.grant("2024-01-02", "bought", 50, paid_cents=500)
    story.use("2024-01-03", "api", 150)
    story.refund("2024-01-04", "bought", 200)
    view = explain(story, "2024-01-05")
    assert (view.left, view.debt) == (0, 20)
    assert told(view.steps)[-1] == ("debt", "04 Jan", -20, -20)
    story.grant("2024-01-06", "payer", 30)
    view = explain(story, "2024-01-07")
    assert (view.left, view.debt, view.steps[-1].balance) == (10, 0, 10)


def test_older_steps_are_summed_up_when_there_are_too_many_to_draw(story: Story) -> None:
    for day in range(2, 22):
        story.grant(f"2024-01-{day:02}", f"grant {day}", 10)
    view = explain(story, "2024-01-25")
    assert (len(view.steps), view.steps_left_out) == (explaining.MAX_STEPS, 5)
    assert told(view.steps)[:2] == [("earlier", "06 Jan", 50, 50), ("grant", "07 Jan", 10, 60)]
    assert view.steps[-1].balance == view.left == 200


def test_use_that_was_reported_late_is_told_with_its_month(story: Story) -> None:
    story.grant("2024-01-02", "pack", 100)
    story.use("2024-01-20", "api", 130)
    story.recount("2024-02-01")
    story.use("2024-01-31", "api", 20, told="2024-02-03 06:00")
    (_, january) = explain(story, "2024-02-05").steps[:2]
    assert (january.late_quantity, january.late_recorded_at) == (-20, at("2024-02-03 06:00"))


def test_late_use_that_the_plan_covers_burned_nothing(story: Story) -> None:
    story.grant("2024-01-02", "pack", 100)
    story.use("2024-01-20", "api", 60)
    story.use("2024-01-31", "api", 45, told="2024-02-03 06:00")
    story.recount("2024-02-04")
    january = explain(story, "2024-02-05").steps[1]
    assert (january.quantity, january.late_quantity) == (-5, -5)


def test_the_last_month_end_that_was_shown_otherwise_is_told_with_what_was_learnt(story: Story) -> None:
    story.grant("2024-01-02", "pack", 100)
    story.use("2024-01-20", "api", 130)
    story.use("2024-01-31", "api", 20, told="2024-02-03 06:00")
    story.use("2024-01-30", "api", 4, told="2024-02-03 18:00")
    story.use("2024-01-31", "api", -1, told="2024-02-07")
    later = explain(story, "2024-03-05").later
    assert later is not None
    assert (later.at, later.shown_then, later.known_now) == (LAST_OF_JANUARY, 70, 47)
    assert [(line.kind, line.recorded_at, line.quantity) for line in later.lines] == [
        ("burn", at("2024-02-03 18:00"), -24), ("release", at("2024-02-07"), 1),
    ]  # fmt: skip


def test_a_grant_that_was_recorded_late_is_learnt_later_too(story: Story) -> None:
    story.grant("2024-01-02", "pack", 100)
    story.grant("2024-02-02 10:00", "paid in January", 40, effective_at=at("2024-01-31 22:00"), paid_cents=400)
    later = explain(story, "2024-02-05").later
    assert later is not None
    assert (later.at, later.shown_then, later.known_now) == (LAST_OF_JANUARY, 100, 140)
    assert [(line.kind, line.quantity) for line in later.lines] == [("grant", 40)]


def test_a_past_moment_itself_may_have_been_shown_otherwise(story: Story) -> None:
    story.grant("2024-01-02", "pack", 100)
    story.use("2024-01-20", "api", 130)
    story.use("2024-01-22 09:00", "api", 8, told="2024-01-24")
    later = explain(story, "2024-01-23 12:00", "2024-01-26").later
    assert later is not None
    assert (later.at, later.shown_then, later.known_now) == (at("2024-01-23 12:00"), 70, 62)
    assert explain(story, "2024-01-21", "2024-01-26").later is None


def test_of_many_days_of_late_facts_the_last_line_sums_up_the_rest(story: Story) -> None:
    story.grant("2024-01-02", "pack", 100)
    story.use("2024-01-20", "api", 100)
    for day in range(1, 10):
        story.use("2024-01-31", "api", 1, told=f"2024-02-{day:02} 08:00")
    later = explain(story, "2024-02-15").later
    assert later is not None
    assert [line.quantity for line in later.lines] == [-1, -1, -1, -1, -1, -4]
    assert later.lines[-1].recorded_at == at("2024-02-09 08:00")


def test_a_device_first_heard_of_late_is_learnt_later(story: Story) -> None:
    story.grant("2024-01-02", "devices", 10, "mau")
    story.use("2024-01-20", "mau", None, *(f"device {number}" for number in range(100)))
    story.use("2024-01-30", "mau", None, "another", told="2024-02-02")
    later = explain(story, "2024-02-15", metric="mau").later
    assert later is not None
    assert (later.shown_then, later.known_now) == (10, 9)


def test_nothing_is_learnt_later_from_what_was_told_in_time(story: Story) -> None:
    a_year_begins(story)
    assert explain(story, "2024-03-08 13:00").later is None
    assert all(step.late_recorded_at is None for step in explain(story, "2024-03-08 13:00").steps)


def test_of_nothing_there_is_nothing_to_explain(story: Story) -> None:
    view = explain(story, "2024-01-05")
    assert (view.steps, view.left, view.where, view.later) == ((), 0, (), None)
    with pytest.raises(NotFoundError) as refusal:
        explain(story, "2024-01-05", metric="nothing")
    assert refusal.value.code == "metric_not_found"
