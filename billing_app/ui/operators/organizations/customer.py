"""/admin/organizations/{address}: one organization's everything, and giving money back.

A subject of its own (grants by hand, gift cards, limits) is one more function in `SECTIONS`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

import reflex as rx

from billing_app.domain.common.errors import BillingError, NotFoundError
from billing_app.services.operators import read_customer
from billing_app.services.operators.views_customer import CustomerView
from billing_app.services.reversals import refunds
from billing_app.ui import operator_routes
from billing_app.ui.access.session import OperatorAccess, for_operators
from billing_app.ui.access.transactions import OperatorPageContext
from billing_app.ui.frame.banner import remark
from billing_app.ui.frame.operators import operator_page
from billing_app.ui.frame.state import OperatorPage
from billing_app.ui.kit.basics import button_link, head, link, panel_head
from billing_app.ui.kit.listing import facts, table, unless_empty
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.operators.organizations.customer_parts import (
    grant_line,
    issue,
    overrides,
    purchases_and_events,
    refund_panel,
    standings,
)
from billing_app.ui.operators.organizations.customer_text import CustomerScreen, cents_of, customer_screen
from billing_app.ui.operators.organizations.manual_changes import manual_changes_panel

NO_AMOUNT = "Type an amount, such as 6.50."


class CustomerState(OperatorPage):
    """What the page shows. The grant whose refund is being made lives in the URL; `_key` makes it one refund."""

    screen: CustomerScreen = CustomerScreen()
    refunding: bool = False
    refused: str = ""
    done: str = ""
    _key: str = ""
    _amount: str = ""

    @for_operators()
    async def load(self, access: OperatorAccess) -> None:
        """Reads the organization of the URL, and what a refund of the opened grant would do."""
        if not access.text("grant"):
            self._amount = ""
        self._key = secrets.token_hex(12)
        self.refused = ""
        await self._show(access)

    @for_operators()
    async def reckon(self, access: OperatorAccess, amount: str) -> None:
        """Shows what another amount would do."""
        await access.check()
        self._amount, self.refused, self.done = amount[:20], "", ""
        await self._show(access)

    @for_operators(background=True)
    async def give_back(self, access: OperatorAccess, form: dict) -> Any:
        """Gives the money back, and shows what that did."""
        await access.check()
        async with self:
            grant, currency, key = self.screen.refund.grant_id, self.screen.refund.currency, self._key
            self.refused, self.done = "", ""
            cents = cents_of(form.get("amount", ""), currency)
            if cents is None:
                self.refused = NO_AMOUNT
                return None
            self.refunding = True
        try:
            made = await access.call(
                lambda: refunds.make(
                    access.writing, access.payments, grant, cents, form.get("reason", ""), f"page {key}"
                )
            )
        except BillingError as error:
            async with self:
                self.refused = error.detail
            return CustomerState.load_again
        finally:
            async with self:
                self.refunding = False
        async with self:
            self.done = access.formats.money(made.amount_cents, made.currency.upper())
            self._amount = ""
        return rx.redirect(operator_routes.organization(_address(access)))

    @for_operators()
    async def load_again(self, access: OperatorAccess) -> None:
        """Reads everything anew, with why the refund was refused still there."""
        await self._show(access)

    async def _show(self, access: OperatorAccess) -> None:
        grant, amount = access.text("grant"), self._amount

        def read(at: OperatorPageContext) -> tuple[CustomerView, str]:
            there = partial(read_customer.customer, at.session, _address(access), grant)
            first = there(None, at.now, selling=at.settings.selling)
            line = next((each for each in first.grants if each.id == grant), None)
            if not amount or line is None:
                return first, ""
            cents = cents_of(amount, line.label.currency)
            return (first, NO_AMOUNT) if cents is None else (there(cents, at.now, selling=at.settings.selling), "")

        self.screen = await access.show(
            self, read, lambda seen, formats: customer_screen(seen[0], formats, grant, amount, seen[1])
        )


def _address(access: OperatorAccess) -> str:
    address = operator_routes.address_in(access.path)
    if not address:
        raise NotFoundError("There is no such organization.")
    return address


screen = CustomerState.screen


def customer_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head(
            screen.name,
            rx.cond(screen.issues.length() > 0, rx.el.ul(rx.foreach(screen.issues, issue), class_name="troubles")),
            crumb=link("Organizations", href=operator_routes.ORGANIZATIONS, class_name="crumb"),
            tools=[
                button_link("Their audit log", href=screen.audit_href),
                button_link("See their pages", href=screen.pages_href),
            ],
        ),
        rx.cond(CustomerState.done != "", _done()),
        rx.cond(screen.payer != "", _paid_by()),
        rx.el.section(facts(screen.facts, "facts-strip"), class_name="panel"),
        *[section() for section in SECTIONS],
    )
    return operator_page(content, active="organizations", ready=screen.ready, skeleton=list_skeleton("Organization"))


def _paid_by() -> rx.Component:
    """What it uses counts somewhere else (credits.md, rule 14)."""
    return remark(
        "network",
        screen.payer + " pays for this organization.",
        "Where it stands is where they stand together. Credits are given, and plans changed, there.",
        action=rx.el.div(button_link("Open ", screen.payer, href=screen.payer_href), class_name="banner-actions"),
    )


def _done() -> rx.Component:
    return remark(
        "circle-check",
        CustomerState.done + " given back.",
        "Their credits and ledger follow it already.",
        tone="good",
    )


def _grants() -> rx.Component:
    return rx.el.div(
        rx.el.section(
            panel_head("Grants"),
            unless_empty(
                screen.grants,
                table(
                    "Grants, the newest first",
                    ("Grant", ("Left", "number"), ("Since", "wide-cell"), ("Until", "wide-cell"), ""),
                    screen.grants,
                    grant_line,
                    "rows list",
                ),
                "They have never had credits.",
            ),
            class_name="panel",
        ),
        rx.cond(screen.refund.visible, refund_panel(CustomerState)),
        class_name="ledger-layout",
    )


SECTIONS: tuple[Callable[[], rx.Component], ...] = (
    lambda: standings(screen),
    lambda: manual_changes_panel(CustomerState.load),
    lambda: overrides(screen),
    _grants,
    lambda: purchases_and_events(screen),
)
"""From top to bottom."""
