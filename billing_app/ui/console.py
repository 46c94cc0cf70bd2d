"""All pages in one Reflex app."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import reflex as rx
from reflex.event import EventSpec

from billing_app.ui.access import live, tabs
from billing_app.ui.access.binding import Bound
from billing_app.ui.access.guarded_page import GuardedPage
from billing_app.ui.credits import explain, ledger
from billing_app.ui.credits import page as credits
from billing_app.ui.frame import not_found
from billing_app.ui.frame.connection import SCRIPT, connection
from billing_app.ui.frame.theme import STYLESHEETS
from billing_app.ui.notifications import page as alerts
from billing_app.ui.operators.audit import page as audit
from billing_app.ui.operators.catalogue import page as catalogue
from billing_app.ui.operators.gift_cards import page as gift_cards
from billing_app.ui.operators.organizations import customer
from billing_app.ui.operators.organizations import page as organizations
from billing_app.ui.operators.recounts import page as recounts
from billing_app.ui.operators.stripe import events, reconciliation
from billing_app.ui.organizations import create
from billing_app.ui.organizations import page as organization
from billing_app.ui.overview import page as overview
from billing_app.ui.plans import page as plan
from billing_app.ui.processes import features, process
from billing_app.ui.processes import page as processes
from billing_app.ui.purchases import checkout_return
from billing_app.ui.purchases import page as buy
from billing_app.ui.sign_in import page as entrance
from billing_app.ui.usage import page as usage

REFLEX_OVERLAY = (5, "Overlay")
"""Where Reflex puts its own sign of a lost connection, in front of every page: ours takes its place."""

logger = logging.getLogger(__name__)

PAGES = (
    entrance, create, overview, usage, credits, explain, buy, checkout_return, ledger, plan, features, processes,
    process, organization, alerts, not_found,
)  # fmt: skip
OPERATOR_PAGES = (organizations, customer, events, reconciliation, recounts, catalogue, gift_cards, audit)


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
