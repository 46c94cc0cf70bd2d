"""/admin/organizations: every organization, those with something wrong first, with a search."""

from __future__ import annotations

import reflex as rx

from billing_app.services.operators import organizations
from billing_app.ui import operator_routes
from billing_app.ui.access.session import OperatorAccess, for_operators
from billing_app.ui.frame.banner import notice
from billing_app.ui.frame.operators import operator_page
from billing_app.ui.frame.state import OperatorPage
from billing_app.ui.kit.basics import head, link, lucide, more_link
from billing_app.ui.kit.listing import pager, search_field, table
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.operators.organizations.customer_parts import issue
from billing_app.ui.operators.organizations.text import OrganizationRow, OrganizationsScreen, organizations_screen


class OrganizationsState(OperatorPage):
    """What the list shows. Search and page live in the URL."""

    screen: OrganizationsScreen = OrganizationsScreen()

    @for_operators()
    async def load(self, access: OperatorAccess) -> None:
        """Reads a page of the list."""
        search, cursor = access.text("search"), access.text("cursor")
        self.screen = await access.show(
            self,
            lambda at: organizations.organizations(at.session, search.strip(), cursor, at.now),
            lambda view, formats: organizations_screen(view, formats, search, cursor),
        )

    @for_operators()
    async def search(self, access: OperatorAccess, text: str) -> rx.event.EventSpec:
        """Searches by name, address or Stripe's customer."""
        await access.check()
        return rx.redirect(operator_routes.organizations(search=text), replace=True)


screen = OrganizationsState.screen


def organizations_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head("Organizations"),
        rx.el.section(
            _search(),
            rx.cond(
                screen.rows.length() > 0,
                _table(),
                rx.cond(
                    screen.search != "",
                    rx.el.p(
                        "No organization has this in its name or address, and no customer at Stripe is called so.",
                        class_name="quiet-note inset",
                    ),
                    notice(
                        "building-2",
                        "No organization yet",
                        "The first one is made by your product over the API, or by an import of usage.",
                    ),
                ),
            ),
            pager(screen.first_href, screen.next_href, "Pages of the list", "First page", "Next page"),
            class_name="panel",
        ),
    )
    return operator_page(content, active="organizations", ready=screen.ready, skeleton=list_skeleton("Organizations"))


def _search() -> rx.Component:
    return rx.el.div(
        search_field(screen.search, OrganizationsState.search, "Search name, address or Stripe customer"),
        rx.cond(screen.search != "", more_link("Clear", operator_routes.ORGANIZATIONS)),
        class_name="filters",
    )


def _table() -> rx.Component:
    return table(
        "Organizations, those with something wrong first",
        ("Name", "Plan", ("Members", "number"), "State", ("Open", "unseen")),
        screen.rows,
        _row,
        "rows list organizations",
    )


def _row(row: rx.Var[OrganizationRow]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            rx.el.div(
                link(row.name, href=row.href, class_name="cover strong"),
                rx.el.small(row.address),
                class_name="lines",
            ),
            scope="row",
            class_name="l-what",
        ),
        rx.el.td(row.plan),
        rx.el.td(row.members, class_name="number"),
        rx.el.td(
            rx.cond(
                row.issues.length() > 0,
                rx.el.ul(rx.foreach(row.issues, issue), class_name="troubles"),
                rx.el.span("ok", class_name="quiet"),
            )
        ),
        rx.el.td(lucide("chevron-right", 14, class_name="chevron"), class_name="go"),
    )
