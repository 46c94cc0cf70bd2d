"""All pages in one Reflex app."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import reflex as rx
from reflex.event import EventSpec

from billing_app.ui import live, tabs
from billing_app.ui.binding import Bound
from billing_app.ui.components.connection import SCRIPT, connection
from billing_app.ui.pages import (
    alerts,
    buy,
    credits,
    entrance,
    explain,
    features,
    founding,
    ledger,
    nowhere,
    organization,
    overview,
    plan,
    process,
    processes,
    returned,
    usage,
)
from billing_app.ui.pages.operator import (
    audit,
    catalogue,
    customer,
    gift_cards,
    organizations,
    reconciliation,
    recounts,
    stripe_events,
)
from billing_app.ui.session import GuardedPage
from billing_app.ui.theme import STYLESHEETS

REFLEX_OVERLAY = (5, "Overlay")
"""Where Reflex puts its own sign of a lost connection, in front of every page: ours takes its place."""

logger = logging.getLogger(__name__)

PAGES = (
    entrance, founding, overview, usage, credits, explain, buy, returned, ledger, plan, features, processes, process,
    organization, alerts, nowhere,
)  # fmt: skip
OPERATOR_PAGES = (organizations, customer, stripe_events, reconciliation, recounts, catalogue, gift_cards, audit)


def create_console(api_transformer: Any = None) -> rx.App:
    """The app of all pages, with its watcher. `api_transformer` is what the product puts around them (the API)."""
    app = rx.App(
        stylesheets=STYLESHEETS,
        html_lang="en",
        head_components=[
            rx.el.meta(name="viewport", content="width=device-width, initial-scale=1"),
            rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
            rx.el.script(src=SCRIPT),
        ],
        backend_exception_handler=say_that_it_failed,
        toaster=None,
        extra_app_wraps={REFLEX_OVERLAY: lambda stateful: rx.fragment(connection()) if stateful else None},
        api_transformer=api_transformer,
    )
    for page in PAGES + OPERATOR_PAGES:
        page.add(app)
    app.add_middleware(Bound())
    # Reflex makes its namespace itself; a second one beside it would connect to Redis once more.
    cast("Any", app.event_namespace).__class__ = tabs.PageSockets

    async def watch() -> None:
        await asyncio.gather(live.watch(app), tabs.watch(app))

    app.register_lifespan_task(watch)
    return app


def say_that_it_failed(exception: Exception) -> EventSpec:
    """An unexpected error: logged with its trace, and told on the page without it."""
    logger.error("an event handler failed", exc_info=exception)
    return cast("EventSpec", GuardedPage.fail())
