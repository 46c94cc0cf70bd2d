"""The catalogue editor without a browser: typing into cells, what it says, and what is never lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.catalogue import parse_catalog, to_document
from billing_app.services.access.cookies import HASH_NAME
from billing_app.services.catalogue import versions
from billing_app.services.common.context import Context
from billing_app.services.common.secrets import digest
from billing_app.services.operators import organizations as operators
from billing_app.services.operators.views_catalogue import CheckView, FileState, FileView
from billing_app.ui.kit.values import Kind, Spec, as_text, typed
from billing_app.ui.operators.catalogue import drafts
from billing_app.ui.operators.catalogue.grids import key_of, places
from billing_app.ui.operators.catalogue.lists import GRIDS
from billing_app.ui.operators.catalogue.page import CatalogueState
from billing_app.ui.operators.catalogue.review_text import file_notice
from billing_app.ui.operators.catalogue.text import PARTS, grid_screen, place_named
from billing_app.ui.operators.gift_cards.page import GiftCardsState
from tests.conftest import SHARED
from tests.domain.catalogue.documents import small_document
from tests.support import databases
from tests.support.builders import NOON, a_session_token, a_user, an_organization
from tests.ui.conftest import Meridian, Told


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A small catalogue in its third version, which two organizations hold the plan Pro of."""
    folder = tmp_path_factory.mktemp("catalogue")
    database = databases.opened(databases.sqlite_database(request.config.stash[SHARED].sqlite_template, folder))
    with database.writing() as session:
        for grace in (7, 9, 7):
            versions.load(session, small_document() | {"grace_days": grace}, NOON, "plans.json")
        for address in ("acme", "globex"):
            organization = an_organization(session, address)
            operators.set_plan(Context(session, organization, NOON, "tests"), "pro", reason="agreed")
        token = a_session_token(session, a_user(session, "oda@console.example", operator=True))
    database.close()
    return Told(folder / "billing.db", {"operator": f"{HASH_NAME}={digest(token)}"})


@pytest.fixture
def editor(meridian: Meridian) -> Any:
    """The editor, opened."""
    state = meridian.open(CatalogueState, "/admin/catalogue", "operator")
    asyncio.run(state.load())
    return state


def cells(state: Any) -> dict[str, Any]:
    return {cell.key: cell for group in state.screen.grid.groups for line in group.lines for cell in line.cells}


def test_a_changed_cell_says_what_it_was_and_the_bar_counts(editor: Any) -> None:
    asyncio.run(editor.edit("plans|1|included|mau", "25k"))
    cell = cells(editor)["plans|1|included|mau"]
    assert (cell.value, cell.was, cell.changed) == ("25,000", "1,000", True)
    assert (editor.screen.dirty, editor.screen.changes, editor.screen.affected) == (
        True, "1 change", "2 organizations affected",
    )  # fmt: skip
    assert [each.key for each in cells(editor).values() if each.changed] == ["plans|1|included|mau"]


def test_typing_the_same_again_is_no_edit(editor: Any) -> None:
    asyncio.run(editor.edit("plans|1|included|mau", "1 000"))
    assert not editor.screen.dirty
    asyncio.run(editor.edit("plans|1|included|mau", "7"))
    asyncio.run(editor.edit("plans|1|included|mau", "1000"))
    assert not editor.screen.dirty


def test_a_mistake_stands_in_its_cell_and_nothing_can_be_reviewed(editor: Any) -> None:
    asyncio.run(editor.edit("plans|1|included|mau", "many"))
    assert cells(editor)["plans|1|included|mau"].mistake
    assert not editor.screen.sound
    assert editor.screen.mistakes


@pytest.mark.parametrize("key", ["", "plans", "plans|9|name", "plans|1|plan", "nothing|0|x", "plans|1|included", "|||"])
def test_a_browser_changes_no_place_that_the_editor_does_not_have(editor: Any, key: str) -> None:
    asyncio.run(editor.edit(key, "5"))
    assert not editor.screen.dirty


def test_an_edit_outlives_leaving_the_page_and_ends_with_discard(editor: Any) -> None:
    asyncio.run(editor.edit("plans|0|organization|memberships", "unlimited"))
    asyncio.run(editor.load())
    assert editor.screen.dirty
    asyncio.run(editor.discard())
    assert not editor.screen.dirty


def test_reviewed_then_saved(editor: Any) -> None:
    asyncio.run(editor.edit("plans|1|prices|month", "59"))
    asyncio.run(editor.review(False))
    review = editor.screen.review
    assert (review.open, review.title, review.save) == (True, "Review 1 change", "Save as version 4")
    assert [(line.subject, line.before, line.after) for line in review.changes] == [("Pro", "49.00", "59.00")]
    assert review.prices
    asyncio.run(editor.save())
    assert (editor.screen.review.open, editor.screen.saved, editor.screen.push) == (
        False, "Saved as version 4: 1 change.", True,
    )  # fmt: skip


@pytest.mark.parametrize("part", [part for part in PARTS if part != "general"])
def test_an_item_of_every_list_is_added_moved_and_taken_out(editor: Any, part: str) -> None:
    asyncio.run(editor.show_part(part))
    name = "token_rates" if part == "rates" else part
    before = editor._draft[name]
    asyncio.run(editor.add())
    made = editor._draft[name][-1]
    assert editor._draft[name][:-1] == before or part == "plans"
    parse_catalog(editor._draft, "draft")
    asyncio.run(editor.move(f"{name}|{len(before)}"))
    assert editor._draft[name][-2] == made
    asyncio.run(editor.take_out(f"{name}|{len(before) - 1}"))
    assert not editor.screen.dirty


def test_there_is_a_cell_for_everything_that_plans_json_says() -> None:
    document = to_document(parse_catalog(small_document(), "x"))
    paths = {place.path for grid in GRIDS.values() for place in places(grid(document, document))}
    known = {path[:3] if path[0] == "actions" else path for path in paths}

    def leaves(value: Any, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
        if isinstance(value, dict):
            return [leaf for key, each in value.items() for leaf in leaves(each, (*path, key))]
        if (isinstance(value, list) and path[-1] != "metrics") or path == ("metrics",):
            return [leaf for at, each in enumerate(value) for leaf in leaves(each, (*path, at))]
        return [path]

    # The id of an item that is in force is for ever; it stands in front of its row.
    ids = {(key, at, "id") for key in ("packs", "features", "actions") for at in range(9)}
    assert set(leaves(document, ())) - known <= ids


def test_the_id_of_a_new_metric_is_followed_wherever_it_is_named(editor: Any) -> None:
    asyncio.run(editor.show_part("metrics"))
    asyncio.run(editor.add())
    asyncio.run(editor.edit("metrics|2|id", "calls"))
    asyncio.run(editor.show_part("plans"))
    asyncio.run(editor.edit("plans|1|included|calls", "5k"))
    asyncio.run(editor.show_part("metrics"))
    asyncio.run(editor.edit("metrics|2|id", "api-calls"))
    assert [plan["included"]["api-calls"] for plan in editor._draft["plans"]] == [0, 5_000]
    parse_catalog(editor._draft, "draft")


def test_an_id_that_is_taken_is_a_mistake_and_touches_nothing_of_its_owner(editor: Any) -> None:
    asyncio.run(editor.show_part("metrics"))
    asyncio.run(editor.add())
    asyncio.run(editor.edit("metrics|2|id", "mau"))
    assert "used already" in cells(editor)["metrics|2|id"].mistake
    asyncio.run(editor.edit("metrics|2|id", "calls"))
    assert [plan["included"]["mau"] for plan in editor._draft["plans"]] == [100, 1_000]
    assert editor.screen.sound
    asyncio.run(editor.take_out("metrics|2"))
    assert not editor.screen.dirty


def test_a_feature_that_is_taken_out_leaves_every_plan(editor: Any) -> None:
    asyncio.run(editor.show_part("features"))
    asyncio.run(editor.take_out("features|0"))
    assert [plan["features"] for plan in editor._draft["plans"]] == [{}, {}]
    assert editor.screen.sound


def test_a_metric_takes_its_packs_rates_and_needs_with_it(editor: Any) -> None:
    asyncio.run(editor.show_part("metrics"))
    asyncio.run(editor.take_out("metrics|0"))
    assert (editor._draft["packs"], editor._draft["token_rates"]) == ([], [])
    parse_catalog(editor._draft, "draft")


def test_another_default_plan_takes_the_place_of_the_one_before(editor: Any) -> None:
    asyncio.run(editor.edit("plans|1|default", "yes"))
    assert [plan["default"] for plan in editor._draft["plans"]] == [False, True]
    asyncio.run(editor.edit("plans|1|default", "no"))
    assert editor.screen.mistakes == ['plans: no plan is the default; give exactly one "default": true']


def test_a_mistake_of_another_table_is_named_by_its_cell(editor: Any) -> None:
    asyncio.run(editor.edit("plans|1|included|mau", "many"))
    asyncio.run(editor.show_part("packs"))
    assert editor.screen.mistakes == ['Plans, MAU of Pro: must be a whole number, not "many" (null means unlimited)']


def test_what_facts_refuse_is_marked_in_its_cell() -> None:
    document = to_document(parse_catalog(small_document(), "x"))
    check = CheckView(mistakes=(("metrics.mau.unit", "can't change"),))
    found = [cell for group in grid_screen("metrics", document, document, check).groups for line in group.lines
             for cell in line.cells if cell.mistake]  # fmt: skip
    assert [cell.key for cell in found] == ["metrics|0|unit"]


def test_the_page_tells_what_the_next_start_does_with_the_file() -> None:
    said = {state: file_notice(FileView(state, ("plans.pro.prices.month", *"abcd"))) for state in FileState}
    assert not said[FileState.KNOWN].title
    assert said[FileState.CONFLICT].title == "plans.json has changed and was not loaded."
    assert "plans.pro.prices.month, a, b, c and 1 more" in said[FileState.CONFLICT].text
    assert [said[state].opens for state in FileState] == [False, True, True, False]


def test_an_earlier_version_is_opened_as_an_edit(editor: Any) -> None:
    asyncio.run(editor.restore(2))
    assert (editor.screen.dirty, editor._draft["grace_days"]) == (True, 9)


def test_codes_are_shown_once_and_forgotten_when_closed(meridian: Meridian) -> None:
    state = meridian.open(GiftCardsState, "/admin/gift-cards", "operator")
    asyncio.run(state.load())
    asyncio.run(state.make({"name": "=cmd", "holds mau": "1k", "count": "3"}))
    assert (state.asking, len(state.codes)) == ("codes", 3)
    assert asyncio.run(state.save_codes()) is not None
    assert state._csv.startswith("\ufeffcode,")
    assert state._csv.splitlines()[1].split(",")[1] == "'=cmd"
    asyncio.run(state.close(False))
    assert (state.codes, state._csv, asyncio.run(state.save_codes())) == ([], "", None)


SPECS = st.sampled_from(
    [Spec(Kind.NUMBER), Spec(Kind.LIMIT), Spec(Kind.LIMIT, factor=10**9), Spec(Kind.PRICE, currency="usd"),
     Spec(Kind.PRICE, currency="jpy"), Spec(Kind.MONEY, currency="kwd")]
)  # fmt: skip


@given(SPECS, st.integers(0, 10**15))
def test_what_is_shown_and_typed_again_is_the_same(spec: Spec, value: int) -> None:
    assert typed(as_text(value, spec), spec) == value


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
        was = as_text(drafts.value_at(document, place.path), place.spec)
        assert drafts.changed(document, place, was) == document, place
        drafts.changed(document, place, "no" if was == "yes" else "yes" if was == "no" else "3")
    assert document == kept
    assert not any(
        cell.changed
        for group in grid_screen(part, document, kept, CheckView()).groups
        for line in group.lines
        for cell in line.cells
    )
