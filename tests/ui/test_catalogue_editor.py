"""The catalogue editor without a browser: typing into cells, what it says, and what is never lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.catalog import parse_catalog, to_document
from billing_app.services.views.catalogue import CheckView
from billing_app.ui.pages.operator.catalogue import CatalogueState
from billing_app.ui.pages.operator.gift_cards import GiftCardsState
from billing_app.ui.present import catalogue_drafts as drafts
from billing_app.ui.present.catalogue import GRIDS, grid_shown, place_named
from billing_app.ui.present.catalogue_grids import key_of, places
from billing_app.ui.present.catalogue_values import Kind, Spec, shown, typed
from tests.domain.documents import small_document
from tests.ui.states import opened

OPERATOR = "sample_role=operator"


def editor() -> Any:
    state: Any = opened(CatalogueState, "/admin/catalogue", OPERATOR)
    asyncio.run(state.load())
    return state


def cells(state: Any) -> dict[str, Any]:
    return {cell.key: cell for group in state.screen.grid.groups for line in group.lines for cell in line.cells}


def test_a_changed_cell_says_what_it_was_and_the_bar_counts() -> None:
    state = editor()
    asyncio.run(state.edit("plans|1|included|mau", "25k"))
    cell = cells(state)["plans|1|included|mau"]
    assert (cell.value, cell.was, cell.changed) == ("25,000", "1,000", True)
    assert (state.screen.dirty, state.screen.changes, state.screen.affected) == (
        True, "1 change", "2 organizations affected",
    )  # fmt: skip
    assert [each.key for each in cells(state).values() if each.changed] == ["plans|1|included|mau"]


def test_typing_the_same_again_is_no_edit() -> None:
    state = editor()
    asyncio.run(state.edit("plans|1|included|mau", "1 000"))
    assert not state.screen.dirty
    asyncio.run(state.edit("plans|1|included|mau", "7"))
    asyncio.run(state.edit("plans|1|included|mau", "1000"))
    assert not state.screen.dirty


def test_a_mistake_stands_in_its_cell_and_nothing_can_be_reviewed() -> None:
    state = editor()
    asyncio.run(state.edit("plans|1|included|mau", "many"))
    assert cells(state)["plans|1|included|mau"].mistake
    assert not state.screen.sound
    assert state.screen.mistakes


@pytest.mark.parametrize("key", ["", "plans", "plans|9|name", "plans|1|plan", "nothing|0|x", "plans|1|included", "|||"])
def test_a_browser_changes_no_place_that_the_editor_does_not_have(key: str) -> None:
    state = editor()
    asyncio.run(state.edit(key, "5"))
    assert not state.screen.dirty


def test_an_edit_outlives_leaving_the_page_and_ends_with_discard() -> None:
    state = editor()
    asyncio.run(state.edit("plans|0|organization|memberships", "unlimited"))
    asyncio.run(state.load())
    assert state.screen.dirty
    asyncio.run(state.discard())
    assert not state.screen.dirty


def test_reviewed_then_saved() -> None:
    state = editor()
    asyncio.run(state.edit("plans|1|prices|month", "59"))
    asyncio.run(state.review(False))
    review = state.screen.review
    assert (review.open, review.title, review.save) == (True, "Review 1 change", "Save as version 4")
    assert [(line.subject, line.before, line.after) for line in review.changes] == [("Pro", "49.00", "59.00")]
    assert review.prices
    asyncio.run(state.save())
    assert (state.screen.review.open, state.screen.saved, state.screen.push) == (
        False, "Saved as version 4: 1 change.", True,
    )  # fmt: skip


def test_packs_rates_and_plans_are_added_and_taken_out() -> None:
    state = editor()
    for part, before in (("plans", 2), ("packs", 3), ("rates", 1)):
        asyncio.run(state.show_part(part))
        asyncio.run(state.add())
        name = "token_rates" if part == "rates" else part
        assert len(state._draft[name]) == before + 1
    parse_catalog(state._draft, "draft")
    asyncio.run(state.take_out("packs|3"))
    assert len(state._draft["packs"]) == 3


def test_an_earlier_version_is_opened_as_an_edit() -> None:
    state = editor()
    asyncio.run(state.restore(2))
    assert (state.screen.dirty, state._draft["grace_days"]) == (True, 9)


def test_codes_are_shown_once_and_forgotten_when_closed() -> None:
    state: Any = opened(GiftCardsState, "/admin/gift-cards", OPERATOR)
    asyncio.run(state.load())
    asyncio.run(state.make({"name": "=cmd", "holds mau": "1k", "count": "3"}))
    assert (state.asking, len(state.codes)) == ("codes", 3)
    assert asyncio.run(state.save_codes()) is not None
    assert state._csv.splitlines()[1].split(",")[1] == "'=cmd"
    asyncio.run(state.close(False))
    assert (state.codes, state._csv, asyncio.run(state.save_codes())) == ([], "", None)


SPECS = st.sampled_from(
    [Spec(Kind.NUMBER), Spec(Kind.LIMIT), Spec(Kind.LIMIT, factor=10**9), Spec(Kind.PRICE, currency="usd"),
     Spec(Kind.PRICE, currency="jpy"), Spec(Kind.MONEY, currency="kwd")]
)  # fmt: skip


@given(SPECS, st.integers(0, 10**15))
def test_what_is_shown_and_typed_again_is_the_same(spec: Spec, value: int) -> None:
    assert typed(shown(value, spec), spec) == value


@given(st.text(max_size=30), SPECS)
def test_whatever_is_typed_is_a_value_or_stays_what_it_was(text: str, spec: Spec) -> None:
    value = typed(text, spec)
    assert value is None or isinstance(value, int | str)


@pytest.mark.parametrize("part", GRIDS)
def test_every_cell_can_be_edited_and_leaves_the_given_document_alone(part: str) -> None:
    document = to_document(parse_catalog(small_document(), "x"))
    kept = to_document(parse_catalog(small_document(), "x"))
    for place in places(GRIDS[part](document, document)):
        assert place_named(part, key_of(place.path), document, document) == place
        was = shown(drafts.value_at(document, place.path), place.spec)
        assert drafts.changed(document, place, was) == document, place
        drafts.changed(document, place, "no" if was == "yes" else "yes" if was == "no" else "3")
    assert document == kept
    assert not any(
        cell.changed
        for group in grid_shown(part, document, kept, CheckView()).groups
        for line in group.lines
        for cell in line.cells
    )
