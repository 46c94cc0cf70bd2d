"""States as a browser's websocket would give them to a handler, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import reflex as rx

from tests.ui import sample_app

S = TypeVar("S", bound=rx.State)

ORIGIN = "http://127.0.0.1:3000"


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
    assert sample_app.app is not None
    return list(_below(rx.State))


def _below(parent: Any) -> Iterator[type[rx.State]]:
    for state in sorted(parent.get_substates(), key=lambda one: one.__name__):
        if state.__module__.startswith("billing_app."):
            yield state
        yield from _below(state)
