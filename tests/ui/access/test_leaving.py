"""A tab's state is one session's at one place: anything else, and it is as it began."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import reflex as rx
from reflex.event import Event
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken
from reflex_base.event.context import EventContext
from sqlalchemy.exc import OperationalError

from billing_app.services.access.cookies import HASH_NAME
from billing_app.ui.access import binding, tabs, transactions
from billing_app.ui.access.binding import Binding, Bound
from billing_app.ui.operators.organizations.customer import CustomerState
from billing_app.ui.organizations.create import CreateOrganizationState
from billing_app.ui.organizations.page import OrganizationState
from billing_app.ui.sign_in.page import EntranceState
from tests.ui.states import move, opened, pages

APP: Any = None
"""The guard asks nothing of the app."""
SECRET = "bk_live_shown-once"
KEYS = "/o/acme/organization?tab=keys"


class Standing:
    """What every session is worth now."""

    def __init__(self) -> None:
        self.said = "ada admin"
        self.broken = False
        self.alive: dict[str, bool] = {}

    def standing(self, cookies: str, address: str) -> str:
        if self.broken:
            raise OperationalError("SELECT", {}, OSError("the database is away"))
        return self.said

    def open_sessions(self, hashes: Any) -> dict[str, bool]:
        return {each: self.alive[each] for each in hashes if each in self.alive}


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Standing]:
    standing = Standing()
    monkeypatch.setattr(transactions, "_transactions", standing)
    tabs._tabs.clear()
    yield standing
    tabs._tabs.clear()


def looks(root: Any, event: str = "reflex___state____state.hydrate_and_load", *, follows: bool = False) -> Any:
    """What the guard before every event answers."""

    async def run() -> Any:
        manager: Any = StateManagerMemory()
        context = EventContext(
            token="tab-1", state_manager=manager, enqueue_impl=_nothing, parent_txid="earlier" if follows else None
        )
        token = EventContext.set(context)
        try:
            return await Bound().preprocess(APP, root, Event(name=event, payload={}))
        finally:
            EventContext.reset(token)

    return asyncio.run(run())


async def _nothing(*_: Any) -> None:
    return None


def shown_to(sessions: Standing) -> tuple[Any, OrganizationState]:
    """A tab that shows the secret of a key, as its person left it."""
    state = opened(OrganizationState, KEYS)
    root: Any = state._get_root_state()
    looks(root)
    state.secret, state.dialog = SECRET, "key"
    return root, state


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("", KEYS),
        ("ada billing", KEYS),
        ("bob admin", KEYS),
        ("ada admin", "/o/globex/organization?tab=keys"),
        ("ada admin", "/admin/organizations"),
        ("ada admin", "/sign-in"),
        ("ada admin", "/new-organization"),
    ],
    ids=["nobody", "another role", "another person", "another organization", "operators", "sign-in", "founding"],
)
def test_nothing_is_left_for_anybody_else_or_anywhere_else(sessions: Standing, said: str, url: str) -> None:
    root, state = shown_to(sessions)
    sessions.said = said
    move(root, url)
    assert looks(root) is None
    assert (state.secret, state.dialog) == ("", "")
    assert SECRET not in str(root.dict())


def test_it_stays_for_whom_it_was_made_on_every_page_of_the_organization(sessions: Standing) -> None:
    root, state = shown_to(sessions)
    move(root, "/o/acme/usage")
    assert looks(root) is None
    assert state.secret == SECRET


def test_every_state_of_ours_is_cleared(sessions: Standing) -> None:
    root, _ = shown_to(sessions)
    texts = 0
    for kind in pages():
        state = asyncio.run(root.get_state(kind))
        for name, field in kind.__fields__.items():
            if field._owner is kind and isinstance(field.default_value(), str) and kind is not Binding:
                setattr(state, name, "of before")
                texts += 1
    assert texts > 40
    sessions.said = "bob admin"
    looks(root)
    left = [kind.__name__ for kind in pages() if "of before" in str(vars(asyncio.run(root.get_state(kind))))]
    assert left == []


def test_what_was_clicked_before_is_not_done_for_somebody_else(sessions: Standing) -> None:
    root, _ = shown_to(sessions)
    sessions.said = "bob admin"
    answer = looks(root, "reflex___state____state.billing_app.revoke")
    assert [event.name.rpartition(".")[2] for event in answer.events] == ["on_load_internal"]
    assert SECRET not in str(answer.delta)


def test_what_follows_an_event_is_not_asked_about_again_where_it_was(sessions: Standing) -> None:
    root, state = shown_to(sessions)
    sessions.said = "bob admin"
    looks(root, follows=True)
    assert state.secret == SECRET
    move(root, "/o/globex")
    looks(root, follows=True)
    assert state.secret == ""


def test_who_cannot_be_looked_up_is_shown_nothing(sessions: Standing) -> None:
    root, state = shown_to(sessions)
    sessions.broken = True
    looks(root)
    assert state.secret == ""


def test_a_customer_of_the_operator_is_a_place(sessions: Standing) -> None:
    places = {binding.place_of(f"/admin/organizations/{address}") for address in ("acme", "globex")}
    assert len(places | {binding.place_of("/admin/organizations"), binding.place_of("/o/acme")}) == 4
    assert CustomerState.get_full_name()


def test_entrance_and_founding_are_cleared_too(sessions: Standing) -> None:
    root, _ = shown_to(sessions)
    entrance, founding = (asyncio.run(root.get_state(kind)) for kind in (EntranceState, CreateOrganizationState))
    entrance.token, founding.email = "of a link", "ada@example.org"
    sessions.said = "bob"
    looks(root)
    assert (entrance.token, founding.email) == ("", "")


class TestSaidPlace:
    """Of what a browser says about itself only its place is kept."""

    def test_headers_and_the_like_are_not(self) -> None:
        cookie = f"{HASH_NAME}={'0' * 64}"
        said = {
            "pathname": "/o/acme", "asPath": "/o/acme?a=b", "query": {"a": "b", "list": ["x"]}, "token": "other",
            "headers": {"cookie": cookie}, "cookie": cookie, "sid": "other", "ip": "192.0.2.1", "more": "x" * 100,
        }  # fmt: skip
        assert tabs.said_place(said) == {"pathname": "/o/acme", "asPath": "/o/acme?a=b", "query": {"a": "b"}}

    @pytest.mark.parametrize("said", [None, [], "x", 1, {"pathname": ["/"], "asPath": 1, "query": "a=b"}])
    def test_what_is_no_place_is_none(self, said: Any) -> None:
        assert tabs.said_place(said) == {}

    def test_it_has_an_end(self) -> None:
        place = tabs.said_place(
            {"asPath": "/" + "x" * 9_000, "query": {str(number): "x" * 9_000 for number in range(999)}}
        )
        assert len(place["asPath"]) == tabs.MAX_TEXT
        assert len(place["query"]) == tabs.MAX_QUERY
        assert {len(text) for text in place["query"].values()} == {tabs.MAX_TEXT}


class FakeApp:
    """As much of a Reflex app as the watcher needs."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.state_manager = StateManagerMemory()
        self.event_processor = SimpleNamespace(enqueue=self._enqueue)

    def set_contexts(self) -> Any:
        return nullcontext()

    async def _enqueue(self, token: str, *_: Any) -> None:
        self.asked.append(token)

    async def holds(self, *tokens: str) -> None:
        for token in tokens:
            await self.state_manager.get_state(BaseStateToken(ident=token, cls=rx.State))


class TestTabs:
    """What the server keeps for a tab goes with its session, or with its socket."""

    def run(self, sessions: Standing, **found: tabs.Tab) -> FakeApp:
        tabs._tabs.update(found)

        async def run() -> FakeApp:
            app: Any = FakeApp()
            await app.holds(*found)
            for _ in range(2):
                await tabs.look(app)
            await app.state_manager.close()
            return app

        return asyncio.run(run())

    def test_an_open_tab_whose_session_ended_is_asked_once_to_look_again(self, sessions: Standing) -> None:
        sessions.alive = {"h2": False}
        app = self.run(sessions, gone=tabs.Tab("h1", {"s1"}), here=tabs.Tab("h2", {"s2"}), nobody=tabs.Tab("", {"s3"}))
        assert app.asked == ["gone"]
        assert {*app.state_manager.states} == {"gone", "here", "nobody"}

    def test_an_operator_who_is_none_any_more_is_asked(self, sessions: Standing) -> None:
        sessions.alive = {"h1": False}
        app = self.run(sessions, tab=tabs.Tab("h1", {"s1"}, operator=True))
        assert app.asked == ["tab"]

    def test_what_is_kept_of_a_closed_tab(self, sessions: Standing) -> None:
        sessions.alive = {"h2": False}
        later = 1e12
        app = self.run(
            sessions, ended=tabs.Tab("h1", kept_until=later), waits=tabs.Tab("h2", kept_until=later),
            late=tabs.Tab("h2"), nobody=tabs.Tab(""),
        )  # fmt: skip
        assert {*app.state_manager.states} == {"waits"}
        assert {*tabs._tabs} == {"waits"}


def test_what_is_at_work_for_a_tab_ends_when_it_is_cleared() -> None:
    async def run() -> list[str]:
        done: list[str] = []

        async def works() -> None:
            with binding.working("tab-1"):
                await asyncio.sleep(5)
                done.append("written")

        task = asyncio.create_task(works())
        await asyncio.sleep(0)
        with binding.working("tab-1"):
            binding.end_work("tab-1")
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        return [*done, *binding._at_work]

    assert asyncio.run(run()) == []
