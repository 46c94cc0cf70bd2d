"""The ledger as a person reads it: pages, filters, what is not posted, and the trace of an entry."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import pytest

from billing_app.db import Database
from billing_app.domain.common.errors import InvalidError, NotFoundError
from billing_app.services.common.context import Context
from billing_app.services.credits import read_ledger
from billing_app.services.credits.views import GrantStatus
from billing_app.services.credits.views_ledger import LedgerFilters, LedgerView, TraceView
from billing_app.services.usage import accounts
from tests.services.notifications.telling import Story, at

NOW = "2024-02-10"


@pytest.fixture
def story(database: Database) -> Story:
    return Story(database)


@pytest.fixture
def told(story: Story) -> Story:
    """Two metrics, two grants, use above the plan in two months, all of it posted on 6 February."""
    story.grant("2024-01-02", "pack", 100, paid_cents=900)
    story.grant("2024-01-03", "devices", 50, "mau")
    story.use("2024-01-20", "api", 130)
    story.recount("2024-02-01")
    story.use("2024-02-05", "api", 110)
    story.recount("2024-02-06")
    return story


def ledger(story: Story, cursor: str = "", now: str = NOW, **filters: Any) -> LedgerView:
    with story.reading() as (session, organization):
        return read_ledger.ledger(Context(session, organization, at(now)), LedgerFilters(**filters), cursor)


def trace(story: Story, number: int, now: str = NOW) -> TraceView:
    with story.reading() as (session, organization):
        return read_ledger.trace(Context(session, organization, at(now)), number)


def lines(view: LedgerView) -> list[tuple[int, str, str, int, int]]:
    return [(line.number, line.metric.id, line.kind, line.quantity, line.balance) for line in view.lines]


def numbers(view: LedgerView) -> list[int]:
    return [line.number for line in view.lines]


def test_the_newest_entry_is_first_and_each_knows_the_balance_of_its_metric(told: Story) -> None:
    view = ledger(told)
    assert lines(view) == [
        (4, "api", "burn", -10, 60), (3, "api", "burn", -30, 70), (2, "mau", "grant", 50, 50),
        (1, "api", "grant", 100, 100),
    ]  # fmt: skip
    assert (view.unposted, view.next_cursor, view.ever_posted) == ((), "", True)


def test_an_entry_tells_its_grant_its_month_when_it_counts_and_when_it_was_written(told: Story) -> None:
    entry = next(line for line in ledger(told).lines if line.number == 3)
    assert entry.label is not None
    assert (entry.grant_id, entry.label.paid_cents, entry.label.currency) == ("pack", 900, "USD")
    assert entry.period is not None
    assert (entry.period.start, entry.occurred_at, entry.recorded_at) == (
        at("2024-01-01"), at("2024-01-20"), at("2024-02-01"),
    )  # fmt: skip
    assert (entry.reason, entry.source) == ("Use above the plan in January 2024", "key of pack")


def test_with_what_is_not_posted_the_ledger_is_the_balance_at_any_moment(told: Story) -> None:
    told.use("2024-02-07 09:00", "api", 7)
    told.use("2024-02-07 10:00", "mau", None, *(f"device {number}" for number in range(103)))
    view = ledger(told, now="2024-02-07 12:00")
    assert [(each.metric.id, each.quantity) for each in view.unposted] == [("api", -7), ("mau", -3)]
    with told.reading() as (session, organization):
        for waiting in view.unposted:
            posted = sum(line.quantity for line in view.lines if line.metric == waiting.metric)
            account = accounts.account(session, organization, waiting.metric.id, at("2024-02-07 12:00"))
            assert posted + waiting.quantity == account.left - account.debt


def test_an_expiry_that_has_passed_unposted_waits_to_be_posted(story: Story) -> None:
    story.grant("2024-01-02", "short", 100, expires_at=at("2024-01-10"))
    assert [each.quantity for each in ledger(story, now="2024-01-10").unposted] == [-100]
    story.recount("2024-01-10 06:00")
    assert ledger(story, now="2024-01-10 07:00").unposted == ()


def test_what_waits_is_shown_where_the_filters_let_burns_of_now_through(told: Story) -> None:
    told.use("2024-02-07", "api", 7)

    def waits(cursor: str = "", **filters: Any) -> bool:
        return bool(ledger(told, cursor, **filters).unposted)

    assert waits()
    assert waits(metric="api", kind="burn")
    assert waits(starting=at("2024-02-01"))
    assert not waits(metric="mau")
    assert not waits(kind="grant")
    assert not waits(search="plan")
    assert not waits(grant="pack")
    assert not waits(ending=at("2024-02-08"))


def test_filters_narrow_the_ledger_together(told: Story) -> None:
    assert numbers(ledger(told, metric="mau")) == [2]
    assert numbers(ledger(told, kind="burn")) == [4, 3]
    assert numbers(ledger(told, kind="burn", ending=at("2024-02-05"))) == [3]
    assert numbers(ledger(told, kind="burn", starting=at("2024-02-05"))) == [4]
    assert numbers(ledger(told, grant="pack")) == [4, 3, 1]
    assert numbers(ledger(told, grant="nobody's")) == []


def test_a_search_looks_at_reasons_references_and_numbers(told: Story) -> None:
    assert numbers(ledger(told, search="january")) == [3]
    assert numbers(ledger(told, search=" KEY OF dev ")) == [2]
    assert numbers(ledger(told, search="1")) == [1]
    assert numbers(ledger(told, search="%")) == []
    assert numbers(ledger(told, search="9" * 150)) == []


def test_pages_follow_each_other_without_gap_or_overlap_also_while_the_ledger_grows(story: Story) -> None:
    for number in range(120):
        story.grant("2024-01-02", f"grant {number}", 1)
    cursor, pages = ledger(story).next_cursor, 1
    found = numbers(ledger(story))
    story.grant("2024-01-03", "one more", 1)
    while cursor:
        view = ledger(story, cursor)
        found, cursor, pages = found + numbers(view), view.next_cursor, pages + 1
    assert (found, pages) == (list(range(120, 0, -1)), 3)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


FOREIGN = (
    "7", "nonsense", "%%%", "ü", "a" * 5_000, encoded("7"), encoded("[]"), encoded("[-3]"), encoded("[7, 7]"),
    encoded('["7"]'), encoded("[7.5]"), encoded("[true]"), encoded("[null]"), encoded('{"0": 7}'),
    encoded(f"[{2**63}]"), encoded(f"[{'9' * 700}]"), encoded("[٧]"), encoded("[" * 900),
)  # fmt: skip


def test_a_cursor_that_is_not_ours_is_refused(told: Story) -> None:
    for cursor in FOREIGN:
        with pytest.raises(NotFoundError) as refusal:
            ledger(told, cursor)
        assert refusal.value.code == "cursor_not_found", cursor


MEANINGLESS: tuple[dict[str, Any], ...] = (
    {"metric": "nothing"},
    {"kind": "gift"},
    {"search": "x" * 201},
    {"search": "a\0b"},
    {"grant": "\0"},
    {"starting": datetime(2024, 1, 1)},  # noqa: DTZ001 - what is refused
)


def test_a_filter_that_means_nothing_is_refused(told: Story) -> None:
    for filters in MEANINGLESS:
        with pytest.raises(InvalidError) as refusal:
            ledger(told, **filters)
        assert refusal.value.code == "invalid_filter", filters


def test_an_organization_without_anything_has_an_empty_ledger(story: Story) -> None:
    view = ledger(story)
    assert (view.lines, view.unposted, view.ever_posted) == ((), (), False)
    assert not ledger(story, kind="burn").ever_posted


def test_a_filter_that_finds_nothing_does_not_make_the_ledger_look_new(told: Story) -> None:
    assert ledger(told, kind="void").ever_posted


def test_a_burn_is_traced_to_its_grant_and_to_everything_else_that_happened_to_it(told: Story) -> None:
    view = trace(told, 3)
    assert (view.line.number, view.line.quantity) == (3, -30)
    assert view.grant is not None
    assert (view.grant.id, view.grant.left, view.grant.status) == ("pack", 60, GrantStatus.BURNING)
    assert [(burn.period.start, burn.quantity) for burn in view.grant.burns] == [
        (at("2024-01-01"), 30), (at("2024-02-01"), 10),
    ]  # fmt: skip
    assert ([line.number for line in view.others], view.others_left_out) == ([1, 4], 0)


def test_of_a_long_history_the_first_entries_are_shown_and_the_others_counted(story: Story) -> None:
    story.grant("2024-01-01", "pack", 1_000)
    story.use("2024-01-01 00:30", "api", 100)
    for hour in range(1, 61):
        day, left = divmod(hour, 24)
        moment = f"2024-01-{day + 2:02} {left:02}:00"
        story.use(moment, "api", 1)
        story.recount(moment)
    view = trace(story, 61, now="2024-02-10")
    assert [line.number for line in view.others] == list(range(1, 51))
    assert view.others_left_out == 10
    assert trace(story, 1, now="2024-02-10").others_left_out == 10


def test_an_entry_of_a_debt_is_traced_to_the_grant_that_owes_it(story: Story) -> None:
    story.grant("2024-01-02", "bought", 50, paid_cents=500)
    story.use("2024-01-03", "api", 150)
    story.refund("2024-01-04", "bought", 200)
    debt = next(line for line in ledger(story).lines if line.kind == "debt")
    assert (debt.quantity, debt.grant_id) == (-20, "")
    view = trace(story, debt.number)
    assert view.grant is not None
    assert (view.grant.id, view.grant.debt) == ("bought", 20)
    assert [line.kind for line in view.others] == ["grant", "burn"]


@pytest.mark.parametrize("number", [0, -1, 99, 2**63, 10**30])
def test_an_entry_that_is_not_there_is_not_found(told: Story, number: int) -> None:
    with pytest.raises(NotFoundError) as refusal:
        trace(told, number)
    assert refusal.value.code == "entry_not_found"
