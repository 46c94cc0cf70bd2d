"""States as a browser's websocket would give them to a handler, without a browser."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import reflex as rx

from billing_app.db import Database
from billing_app.services.purchases.orders import Payments
from billing_app.settings import Settings
from billing_app.ui.access import transactions
from billing_app.ui.access.transactions import Transactions
from billing_app.ui.console import create_console

S = TypeVar("S", bound=rx.State)

APP: Any = create_console()
"""All pages, as the product makes them: its states and their handlers."""

ORIGIN = "http://127.0.0.1:3000"


@contextmanager
def served_from(database: Database, payments: Payments | None = None, **settings: Any) -> Generator[Transactions]:
    """Pages are served from this database while a test lasts."""
    before = transactions._transactions
    served = Transactions(database, Settings(_env_file=None, **settings), payments)
    transactions.serve_from(served)
    try:
        yield served
    finally:
        transactions._transactions = before


def opened(page: type[S], url: str, cookies: str = "", *, token: str = "tab-1", **headers: str) -> S:
    """The state of a tab that shows `url`."""
    root = rx.State(_reflex_internal_init=True)  # ty: ignore[unknown-argument]
    move(root, url, cookies, token=token, **headers)
    state: Any = root
    for part in page.get_full_name().split(".")[1:]:
        state = state.substates[part]
    return state


def move(root: rx.State, url: str, cookies: str = "", *, token: str = "tab-1", **headers: str) -> None:
    """The tab goes to another URL."""
    parts = urlsplit(url)
    data = {
        "token": token,
        "sid": "socket",
        "ip": "127.0.0.1",
        "headers": {"origin": ORIGIN, "cookie": cookies, **headers},
        "pathname": parts.path,
        "asPath": url,
        "query": dict(parse_qsl(parts.query)),
    }
    root._update_router_vars(data, {})


def pages() -> list[type[rx.State]]:
    """Every state of ours."""
    return list(_below(rx.State))


def _below(parent: Any) -> Iterator[type[rx.State]]:
    for state in sorted(parent.get_substates(), key=lambda one: one.__name__):
        if state.__module__.startswith("billing_app."):
            yield state
        yield from _below(state)
