"""What pages without an organization ask and do: for whoever the cookie names, or for nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import reflex as rx

from billing_app.ui import threads
from billing_app.ui.access.transactions import PersonContext, transactions

View = TypeVar("View")


async def read(page: rx.State, work: Callable[[PersonContext], View]) -> View:
    """What `work` gives, in one transaction, in a thread. Who may ask is for the service to say."""
    cookies = page.router.headers.cookie

    def inside() -> View:
        with transactions().of_anybody(cookies) as at:
            return work(at)

    return await threads.load(threads.neighbour(cookies), inside)


async def write(page: rx.State, work: Callable[[PersonContext], View]) -> View:
    """The same for what changes something: committed before this comes back."""
    cookies = page.router.headers.cookie

    def inside() -> View:
        with transactions().of_anybody(cookies, writing=True) as at:
            return work(at)

    return await threads.deed(threads.neighbour(cookies), inside)
