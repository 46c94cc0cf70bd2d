"""Open pages of one organization read what they show once per change, and never past anybody's rights."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.access import ALL_ROLES, Role
from billing_app.domain.common.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from billing_app.services.access import members
from billing_app.services.access.cookies import cookie_name, for_reflex
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.overview import overview
from billing_app.services.overview.shared_views import KEPT, KEPT_FOR, SharedViews
from billing_app.settings import Settings
from billing_app.store.access import users
from billing_app.ui.access.transactions import Transactions
from billing_app.ui.overview.page import overview_of
from tests.support.builders import NOON, a_session_token, a_user, an_organization, the_catalogue
from tests.support.patience import PATIENCE_SECONDS

TABS = 20


class Counted:
    """A read, and how often it was done for whom."""

    def __init__(self, read: Callable[..., Any]) -> None:
        self.read = read
        self.done: list[str] = []

    def __call__(self, context: Any, *rest: Any) -> Any:
        self.done.append(context.organization.address)
        return self.read(context, *rest)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted(overview.overview)
    monkeypatch.setattr(overview, "overview", counted)
    monkeypatch.setattr(clock, "now", lambda: NOON)
    return counted


@pytest.fixture
def served(database: Database) -> Transactions:
    the_catalogue(database)
    return Transactions(database, Settings(_env_file=None), None)


@dataclass(frozen=True)
class Visitor:
    """Who asks: the cookies of a page's websocket, and the address in its URL."""

    cookies: str
    address: str


def a_visitor(database: Database, address: str, email: str, role: Role = Role.ADMIN) -> Visitor:
    """Somebody with a role, as a page's websocket shows them; the organization is made where it is new."""
    with database.writing() as session:
        found = organizations.store.by_address(session, address)
        organization = found or an_organization(session, address)
        token = a_session_token(session, a_user(session, email, member_of=organization, role=role))
    return Visitor(for_reflex(f"{cookie_name(False)}={token}", secure=False), address)


def changed(database: Database, address: str) -> None:
    """Something that its pages show has changed."""
    with database.writing() as session:
        organization = organizations.store.by_address(session, address)
        assert organization is not None
        organizations.raise_revision(session, organization.pk)


def shown(served: Transactions, visitor: Visitor, metric: str = "") -> Any:
    with served.reading(visitor.cookies, visitor.address, ALL_ROLES) as at:
        return overview_of(at, metric)


@pytest.mark.both_databases
def test_tabs_of_one_organization_read_once_per_change(
    database: Database, served: Transactions, reads: Counted
) -> None:
    people = [a_visitor(database, "acme", f"{number}@acme.example") for number in range(4)]
    neighbour = a_visitor(database, "other", "o@other.example")
    with ThreadPoolExecutor(TABS) as pool:
        for change in range(1, 6):
            seen = list(pool.map(lambda tab: shown(served, people[tab % 4]), range(TABS)))
            assert all(view is seen[0] for view in seen)
            assert reads.done == ["acme"] * change
            changed(database, "acme")
    shown(served, neighbour)
    assert reads.done == ["acme"] * 5 + ["other"]


def test_what_differs_in_rights_query_or_moment_is_read_for_itself(
    database: Database, served: Transactions, reads: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = a_visitor(database, "acme", "admin@acme.example")
    member = a_visitor(database, "acme", "member@acme.example", Role.MEMBER)
    shown(served, admin)
    shown(served, member)
    assert len(reads.done) == 2
    shown(served, admin, "bandwidth")
    assert len(reads.done) == 3
    shown(served, admin)
    shown(served, member)
    assert len(reads.done) == 3
    monkeypatch.setattr(clock, "now", lambda: NOON + KEPT_FOR + timedelta(microseconds=1))
    shown(served, admin)
    assert len(reads.done) == 4


def test_nobody_gets_a_kept_view_without_being_let_in(database: Database, served: Transactions, reads: Counted) -> None:
    ada = a_visitor(database, "acme", "ada@acme.example")
    stranger = a_visitor(database, "other", "o@other.example")
    shown(served, ada)
    with pytest.raises(NotFoundError):
        shown(served, Visitor(stranger.cookies, "acme"))
    with pytest.raises(UnauthenticatedError):
        shown(served, Visitor("", "acme"))
    with database.writing() as session:
        user = users.by_email(session, "ada@acme.example")
        assert user is not None
        organization = organizations.store.by_address(session, "acme")
        assert organization is not None
        a_user(session, "another@acme.example", member_of=organization)  # the last admin may not go
        members.remove(Context(session, organization, NOON, "test"), user.id)
    with pytest.raises((NotFoundError, ForbiddenError)):
        shown(served, ada)
    assert len(reads.done) == 1


@pytest.mark.both_databases
def test_those_who_ask_for_the_same_at_once_read_it_once() -> None:
    views, held, began = SharedViews(), threading.Event(), []

    def read() -> object:
        began.append(1)
        assert held.wait(PATIENCE_SECONDS)
        return object()

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(views.read, "key", NOON, read) for _ in range(8)]
        while not began:
            pass
        held.set()
        assert len({id(each.result(PATIENCE_SECONDS)) for each in asked}) == 1
    assert len(began) == 1


def test_a_read_that_fails_is_not_kept_and_others_read_for_themselves() -> None:
    views = SharedViews()
    with pytest.raises(ZeroDivisionError):
        views.read("key", NOON, lambda: 1 // 0)
    assert views.read("key", NOON, lambda: "read") == "read"
    assert views.read("key", NOON, lambda: "again") == "read"


def test_no_more_is_kept_than_the_limit() -> None:
    views = SharedViews()
    for number in range(3 * KEPT):
        views.read(number, NOON, lambda: "read")
    assert len(views._kept) == KEPT
