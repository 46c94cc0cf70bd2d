"""All pages in one Reflex app."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import reflex as rx
from reflex.constants import Page404
from reflex.event import EventSpec

from billing_app.ui import operator_routes, routes
from billing_app.ui.access import live, tabs
from billing_app.ui.access.binding import Bound
from billing_app.ui.access.guarded_page import GuardedPage
from billing_app.ui.credits import explain, ledger
from billing_app.ui.credits import page as credits
from billing_app.ui.frame import layout
from billing_app.ui.frame.connection import SCRIPT, connection
from billing_app.ui.frame.theme import STYLESHEETS
from billing_app.ui.notifications import page as alerts
from billing_app.ui.operators.audit import page as audit
from billing_app.ui.operators.catalogue import page as catalogue
from billing_app.ui.operators.gift_cards import page as gift_cards
from billing_app.ui.operators.organizations import customer
from billing_app.ui.operators.organizations import page as customers
from billing_app.ui.operators.recounts import page as recounts
from billing_app.ui.operators.stripe import events, reconciliation
from billing_app.ui.organizations import create
from billing_app.ui.organizations import page as organization
from billing_app.ui.overview import page as overview
from billing_app.ui.plans import page as plan
from billing_app.ui.processes import features, process
from billing_app.ui.processes import page as processes
from billing_app.ui.purchases import checkout_return, renewals
from billing_app.ui.purchases import page as buy
from billing_app.ui.sign_in import page as entrance
from billing_app.ui.usage import page as usage

REFLEX_OVERLAY = (5, "Overlay")
"""Where Reflex puts its own sign of a lost connection, in front of every page: ours takes its place."""

logger = logging.getLogger(__name__)

PAGES: tuple[tuple[str, str, Any, Any], ...] = (
    (routes.HOME, "Billing", entrance.home_page, entrance.EntranceState.go_home),
    (routes.SIGN_IN, "Sign in", entrance.sign_in_page, entrance.EntranceState.sign_in),
    (routes.SIGN_UP, "Make an account", entrance.sign_up_page, entrance.EntranceState.sign_in),
    (routes.FORGOT_PASSWORD, "Forgot password", entrance.forgot_password_page, entrance.EntranceState.sign_in),
    (routes.SET_UP, "Set up", entrance.set_up_page, entrance.EntranceState.open_link),
    (routes.NEW_PASSWORD, "New password", entrance.new_password_page, entrance.EntranceState.open_link),
    (routes.INVITATION, "Join", entrance.invitation_page, entrance.EntranceState.open_link),
    (routes.NEW_ORGANIZATION, "New organization", create.create_organization_page, create.CreateOrganizationState.open),
    (routes.OVERVIEW, "Overview", overview.overview_page, overview.OverviewState.load),
    (routes.USAGE, "Usage", usage.usage_page, usage.UsageState.load),
    (routes.CREDITS, "Credits", credits.credits_page, [credits.CreditsState.load, renewals.RenewalsState.arrive]),
    (routes.EXPLAIN, "Explain a balance", explain.explain_page, explain.ExplainState.load),
    (routes.BUY, "Buy credits", buy.buy_page, [buy.BuyState.load, renewals.RenewalsState.arrive]),
    (routes.RETURNED, "Payment", checkout_return.checkout_return_page, checkout_return.CheckoutReturnState.load),
    (routes.LEDGER, "Ledger", ledger.ledger_page, ledger.LedgerState.load),
    (routes.PLAN, "Plan", plan.plan_page, [plan.PlanState.load, plan.PlanState.arrive]),
    (routes.FEATURES, "Features", features.features_page, features.FeaturesState.load),
    (routes.PROCESSES, "Processes", processes.processes_page, processes.ProcessesState.load),
    (routes.PROCESS, "Process", process.process_page, process.ProcessPageState.enter),
    (routes.ORGANIZATION_PAGE, "Organization", organization.organization_page, organization.OrganizationState.load),
    (routes.ALERTS, "Alerts", alerts.alerts_page, alerts.AlertsState.load),
    (Page404.SLUG, "Nothing here", layout.not_found_page, None),
    (routes.ADMIN, "Organizations", customers.organizations_page, customers.OrganizationsState.load),
    (operator_routes.ORGANIZATIONS, "Organizations", customers.organizations_page, customers.OrganizationsState.load),
    (operator_routes.ORGANIZATION, "Organization", customer.customer_page, customer.CustomerState.load),
    (operator_routes.STRIPE_EVENTS, "Stripe events", events.stripe_events_page, events.StripeEventsState.load),
    (operator_routes.RECONCILIATION, "Reconciliation", reconciliation.reconciliation_page,
     reconciliation.ReconciliationState.load),
    (operator_routes.RECOUNTS, "Recounts", recounts.recounts_page, recounts.RecountsState.load),
    (operator_routes.CATALOGUE, "Catalogue", catalogue.catalogue_page, catalogue.CatalogueState.load),
    (operator_routes.GIFT_CARDS, "Gift cards", gift_cards.gift_cards_page, gift_cards.GiftCardsState.load),
    (operator_routes.AUDIT, "Audit log", audit.audit_page, audit.AuditState.load),
)  # fmt: skip
"""Every page: its route, its title, what it shows, and what happens when it opens."""


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
    for route, title, page, on_load in PAGES:
        app.add_page(page, route=route, title=title, on_load=on_load)
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
