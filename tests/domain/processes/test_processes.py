"""What a process holds, and what is missing before it can be published."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.catalogue import Catalog, VotingType, parse_catalog
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.processes.processes import (
    MAX_ANSWERS,
    MAX_CENSUS,
    MAX_QUESTIONS,
    MAX_REMINDERS,
    MAX_TITLE,
    Content,
    Question,
    checked,
    decode,
    encode,
    missing,
)
from billing_app.domain.processes.voting import Given, OptionKind, OptionState, options
from billing_app.locations import ROOT

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)

COMPLETE = Content(title="Board", questions=(Question("Who?", ("Ada", "Grace")),), census=100)

texts = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs"]), max_size=30)
moments = st.none() | st.datetimes(timezones=st.just(UTC))
contents = st.builds(
    Content,
    title=texts.map(str.strip),
    description=texts,
    starts_at=moments,
    ends_at=moments,
    questions=st.lists(st.builds(Question, texts, st.lists(texts, max_size=4).map(tuple)), max_size=4).map(tuple),
    census=st.integers(0, MAX_CENSUS),
    voting_type=st.sampled_from([each.value for each in VotingType]),
    features=st.lists(texts, max_size=3, unique=True).map(tuple),
    email_reminders=st.integers(0, MAX_REMINDERS),
    sms_reminders=st.integers(0, MAX_REMINDERS),
)


@given(contents)
def test_what_is_stored_is_what_was_filled_in(content: Content) -> None:
    assert decode(encode(checked(content))) == content


@given(contents)
def test_every_message_goes_to_a_voter(content: Content) -> None:
    assert sum(content.used.values()) == content.census * (content.email_reminders + content.sms_reminders)
    assert all(content.used.values()), "a metric of which nothing is used is not named"


def test_what_is_complete_lacks_nothing() -> None:
    assert missing(COMPLETE, NOON) == []


@pytest.mark.parametrize(
    ("change", "step", "words"),
    [
        ({"title": ""}, "information", "title"),
        ({"starts_at": NOON, "ends_at": NOON}, "information", "after the start"),
        ({"ends_at": NOON - timedelta(days=1)}, "information", "passed"),
        ({"questions": ()}, "questions", "at least one"),
        ({"questions": (Question(" ", ("a", "b")),)}, "questions", "no text"),
        ({"questions": (Question("Who?", ("a", " ")),)}, "questions", "two answers"),
        ({"questions": (Question("Who?", ("a", "a ")),)}, "questions", "twice"),
        ({"census": 0}, "census", "voters"),
    ],
)
def test_what_is_missing_names_its_step(change: dict[str, object], step: str, words: str) -> None:
    (found,) = missing(replace(COMPLETE, **change), NOON)
    assert found.step == step
    assert words in found.detail


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "a" * (MAX_TITLE + 1)}, "title"),
        ({"title": "a\x00"}, "title"),
        ({"questions": (Question("a\x1b", ()),)}, "questions.0.title"),
        ({"questions": (Question("a", ("b" * (MAX_TITLE + 1),)),)}, "questions.0.answers.0"),
        ({"questions": (Question("a"),) * (MAX_QUESTIONS + 1)}, "questions"),
        ({"questions": (Question("a", ("b",) * (MAX_ANSWERS + 1)),)}, "questions.0.answers"),
        ({"census": -1}, "census"),
        ({"census": MAX_CENSUS + 1}, "census"),
        ({"email_reminders": MAX_REMINDERS + 1}, "email_reminders"),
        ({"sms_reminders": -1}, "sms_reminders"),
        ({"voting_type": "coin toss"}, "voting_type"),
    ],
)
def test_what_is_out_of_bounds_is_named(change: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        checked(replace(COMPLETE, **change))
    assert refused.value.fields["field"] == field


class TestOptions:
    """Features and ways of voting: the plan, then an override, then the admin's switch."""

    @pytest.fixture
    def catalog(self) -> Catalog:
        return parse_catalog(json.loads((ROOT / "plans.json").read_text()), "plans.json")

    def states(
        self, catalog: Catalog, plan: str, override: Given | None = None, *, off: bool = False
    ) -> dict[str, OptionState]:
        ranked = (OptionKind.VOTING_TYPE, "ranked")
        given = {ranked: override} if override else {}
        found = options(catalog, catalog.plan(plan), given, [ranked] if off else [])
        return {each.id: each.state for each in found}

    def test_everything_is_named_once(self, catalog: Catalog) -> None:
        found = options(catalog, catalog.default_plan, {}, [])
        assert len({(each.kind, each.id) for each in found}) == len(found)
        assert len(found) == len(catalog.features) + len(VotingType)

    def test_the_plan_decides(self, catalog: Catalog) -> None:
        assert self.states(catalog, "free")["ranked"] is OptionState.LOCKED
        assert self.states(catalog, "pro")["ranked"] is OptionState.ON

    def test_an_override_stands_in_its_place(self, catalog: Catalog) -> None:
        assert self.states(catalog, "free", Given(True, None))["ranked"] is OptionState.ON
        assert self.states(catalog, "pro", Given(False, None))["ranked"] is OptionState.LOCKED

    def test_an_admin_switches_off_what_there_is(self, catalog: Catalog) -> None:
        assert self.states(catalog, "pro", off=True)["ranked"] is OptionState.OFF
        assert self.states(catalog, "free", off=True)["ranked"] is OptionState.LOCKED
