"""The wizard's own arithmetic: what each field changes, and nothing a browser sends breaks it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.processes.processes import MAX_CENSUS, Content, Question
from billing_app.ui.processes.process import added, asked, dropped, filled, moment, whole, with_feature

BALLOT = Content(questions=(Question("Who?", ("Ada", "Grace")), Question("When?", ("Now", "Later"))))


@pytest.mark.parametrize(
    ("name", "value", "changed"),
    [
        ("title", "Board", Content(title="Board")),
        ("census", "1,200", Content(census=1_200)),
        ("census", "lots", Content()),
        ("census", "9" * 40, Content(census=MAX_CENSUS)),
        ("email_reminders", "2", Content(email_reminders=2)),
        ("starts_at", "2026-04-01T08:30", Content(starts_at=datetime(2026, 4, 1, 8, 30, tzinfo=UTC))),
        ("starts_at", "soon", Content()),
        ("voting_type", "ranked", Content(voting_type="ranked")),
        ("__class__", "x", Content()),
    ],
)
def test_a_field_changes_itself_and_nothing_else(name: str, value: str, changed: Content) -> None:
    assert filled(Content(), name, value) == changed


def test_features_are_chosen_and_let_go() -> None:
    once = with_feature(Content(), "liveResults", True)
    assert with_feature(once, "liveResults", True).features == ("liveResults",)
    assert with_feature(once, "liveResults", False).features == ()


def test_questions_and_answers_come_and_go() -> None:
    assert asked(BALLOT, 0, -1, "Whom?").questions[0].title == "Whom?"
    assert asked(BALLOT, 1, 0, "Today").questions[1].answers == ("Today", "Later")
    assert added(BALLOT, -1).questions[2] == Question("", ("", ""))
    assert added(BALLOT, 0).questions[0].answers == ("Ada", "Grace", "")
    assert dropped(BALLOT, 0, -1).questions == BALLOT.questions[1:]
    assert dropped(BALLOT, 0, 1).questions[0].answers == ("Ada",)


@given(st.integers(), st.integers(), st.text())
def test_places_that_there_are_not_change_nothing(place: int, answer: int, value: str) -> None:
    if not 0 <= place < 2 or answer >= 2:
        assert asked(BALLOT, place, answer, value) == BALLOT
        assert dropped(BALLOT, place, answer) == BALLOT


@given(st.text())
def test_any_text_is_some_number_and_some_moment_or_none(text: str) -> None:
    assert 0 <= whole(text, 10) <= 10
    assert moment(text) is None or moment(text)
