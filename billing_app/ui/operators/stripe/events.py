"""/admin/stripe-events: what Stripe has sent, what became of it, and doing it again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import reflex as rx

from billing_app import clock
from billing_app.domain.common.errors import BillingError
from billing_app.services.operators import operations
from billing_app.services.operators.views_operations import EventFilters, EventsView, EventWithPayloadAnswer
from billing_app.services.stripe import inbox
from billing_app.ui import operator_routes
from billing_app.ui.access.session import OperatorAccess, for_operators
from billing_app.ui.access.transactions import OperatorPageContext
from billing_app.ui.frame.banner import notice
from billing_app.ui.frame.operators import operator_page
from billing_app.ui.frame.state import OperatorPage
from billing_app.ui.kit.basics import close_link, head, link, lucide, more_link, primary_button, state_badge
from billing_app.ui.kit.listing import facts, pager, search_field, select, table, unless_empty
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.operators.stripe.events_text import ANY, STATES, EventRow, StripeEventsScreen, events_screen

TYPE_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz_.")


class StripeEventsState(OperatorPage):
    """What the list shows. Filters, page and opened event live in the URL."""

    screen: StripeEventsScreen = StripeEventsScreen()
    replaying: bool = False

    @for_operators()
    async def load(self, access: OperatorAccess) -> None:
        """Reads a page of events, and the opened one."""
        self.screen = await _read(self, access)

    @for_operators()
    async def search(self, access: OperatorAccess, text: str) -> rx.event.EventSpec:
        """Shows the events of one organization."""
        await access.check()
        filters = filters_of(access)
        found = operator_routes.stripe_events(state=filters.state, type=filters.type, organization=text)
        return rx.redirect(found, replace=True)

    @for_operators(background=True)
    async def replay(self, access: OperatorAccess) -> Any:
        """Works on the opened event again, and shows what became of it."""
        await access.check()
        async with self:
            self.replaying = True
        try:
            event_id = access.text("event")
            await access.call(lambda: inbox.replay(access.outside(), access.payments, event_id, clock.now))
        finally:
            async with self:
                self.replaying = False
        return StripeEventsState.load


async def _read(page: StripeEventsState, access: OperatorAccess) -> StripeEventsScreen:
    filters, cursor, event_id = filters_of(access), access.text("cursor"), access.text("event")

    def read(at: OperatorPageContext) -> tuple[EventsView, EventWithPayloadAnswer | str | None]:
        # what is typed keeps its blanks on the screen, or words run together while somebody types them
        found = operations.events(
            at.session, replace(filters, organization=filters.organization.strip()), cursor, at.now
        )
        if not event_id:
            return found, None
        try:
            return found, operations.event(at.session, event_id)
        except BillingError as error:
            return found, error.detail

    return await access.show(
        page, read, lambda seen, formats: events_screen(seen[0], seen[1], formats, filters, cursor)
    )


def filters_of(access: OperatorAccess) -> EventFilters:
    """The filters of the URL; what is not a filter is left out."""
    state, kind = access.text("state"), access.text("type")
    return EventFilters(
        state=state if state in STATES else "",
        type="" if kind == ANY or not set(kind) <= TYPE_LETTERS else kind,
        organization=access.text("organization")[:64],
    )


screen = StripeEventsState.screen


def stripe_events_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head("Stripe events", tools=[rx.el.span(screen.summary, class_name="recount")]),
        rx.cond(
            screen.empty,
            notice(
                "webhook",
                "Nothing was received yet",
                "Every event that Stripe sends is stored here before anything is done about it.",
            ),
            rx.el.div(_list(), rx.cond(screen.event.visible, _event()), class_name="ledger-layout"),
        ),
    )
    return operator_page(content, active="stripe-events", ready=screen.ready, skeleton=list_skeleton("Stripe events"))


def _list() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            select(screen.states, screen.state, screen.state_base, "State"),
            select(screen.types, screen.type, screen.type_base, "Type"),
            search_field(screen.organization, StripeEventsState.search, "Address of an organization"),
            rx.cond(screen.filtered, more_link("Clear", operator_routes.STRIPE_EVENTS)),
            class_name="filters",
        ),
        unless_empty(
            screen.rows,
            table(
                "Events, the newest first",
                ("Received", "Event", ("Organization", "l-metric"), "State"),
                screen.rows,
                _row,
                "rows list",
            ),
            "No event fits these filters.",
        ),
        pager(screen.newest_href, screen.older_href, "Pages of events"),
        class_name="panel",
    )


def _row(row: rx.Var[EventRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(rx.el.div(rx.el.span(row.when), rx.el.small(row.when_note), class_name="lines"), class_name="l-when"),
        rx.el.th(
            rx.el.div(
                link(row.type, href=row.href, class_name="cover strong", scroll=False),
                rx.el.small(row.object_id),
                class_name="lines",
            ),
            scope="row",
            class_name="l-what",
        ),
        rx.el.td(row.organization, class_name="l-metric quiet"),
        rx.el.td(
            rx.el.div(
                state_badge(row.state, row.tone),
                rx.el.small(row.note, class_name="event-note"),
                class_name="event-state",
            )
        ),
        custom_attrs={"data-chosen": rx.cond(row.chosen, "yes", "no")},
    )


def _event() -> rx.Component:
    event = screen.event
    return rx.el.section(
        rx.el.div(
            rx.el.h2(rx.cond(event.missing != "", "No such event", event.type)),
            close_link(screen.close_href),
            class_name="two",
        ),
        rx.cond(event.missing != "", rx.el.p(event.missing, class_name="quiet"), _opened()),
        class_name="panel side-panel trace event",
        aria_label="Event",
    )


def _opened() -> rx.Component:
    event = screen.event
    return rx.fragment(
        rx.el.div(state_badge(event.state, event.tone), rx.el.small(event.id), class_name="group event-id"),
        rx.cond(event.error != "", rx.el.p(event.error, class_name="event-error")),
        facts(event.facts, "facts"),
        rx.cond(event.organization_href != "", more_link(event.organization, event.organization_href)),
        primary_button(
            lucide("rotate-cw", 14),
            rx.cond(StripeEventsState.replaying, "Working on it", "Replay"),
            on_click=StripeEventsState.replay,
            disabled=StripeEventsState.replaying,
        ),
        rx.el.p("Reads everything anew from Stripe. What was done already is not done again.", class_name="quiet-note"),
        rx.el.details(
            rx.el.summary(lucide("chevron-down", 14), "What was received"),
            rx.el.pre(event.payload, class_name="payload", tab_index=0, aria_label="Payload"),
            class_name="numbers-below",
        ),
    )
