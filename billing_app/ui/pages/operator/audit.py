"""/admin/audit: who changed what, in every organization and in the console itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

import reflex as rx

from billing_app.services.audit import Entry
from billing_app.services.views.organization import AuditPage
from billing_app.ui import operator_routes
from billing_app.ui.components.banner import notice
from billing_app.ui.components.basics import head
from billing_app.ui.components.listing import pager, select
from billing_app.ui.components.organization.audit import audit_list
from billing_app.ui.components.skeletons import list_skeleton
from billing_app.ui.operator_layout import operator_page
from billing_app.ui.operator_session import OperatorFrame, OperatorVisit, for_operators
from billing_app.ui.present.audit import AuditRow, audit_row
from billing_app.ui.present.shared import Choice

KINDS = (
    ("all", "Everything"), ("catalogue", "Catalogue"), ("grant", "Grants"), ("gift_card", "Gift cards"),
    ("credits", "Conversions"), ("plan", "Plans"), ("override", "Overrides"), ("organization", "Organizations"),
    ("member", "Members"), ("user", "People"), ("api_key", "API keys"),
)  # fmt: skip


@dataclass(frozen=True)
class AuditShown:
    """One page of the log."""

    ready: bool = False
    rows: list[AuditRow] = field(default_factory=list)
    kinds: list[Choice] = field(default_factory=list)
    kind: str = "all"
    base: str = ""
    next_href: str = ""
    first_href: str = ""


class AuditState(OperatorFrame):
    """What the page shows. Kind and page live in the URL."""

    screen: AuditShown = AuditShown()

    @rx.event
    @for_operators
    async def load(self, visit: OperatorVisit) -> None:
        """Reads a page of the log."""
        cursor, asked = visit.text("cursor"), visit.text("action")
        kind = asked if asked in dict(KINDS) else "all"
        wanted = "" if kind == "all" else kind
        self.screen = await visit.show(
            self,
            lambda desk: desk.audit(cursor, wanted),
            lambda found, _formats: audit_shown(found, kind, cursor),
        )


def audit_shown(found: AuditPage, kind: str, cursor: str) -> AuditShown:
    """The log as it is shown; where an entry belongs to an organization, its address says so."""
    action = "" if kind == "all" else kind
    newest = found.entries[0].at if found.entries else None
    return AuditShown(
        ready=True,
        rows=[_row(each, newest) for each in found.entries] if newest else [],
        kinds=[Choice(value, label) for value, label in KINDS],
        kind=kind,
        base=operator_routes.AUDIT + "?action=",
        next_href=operator_routes.audit(action=action, cursor=found.next_cursor) if found.next_cursor else "",
        first_href=operator_routes.audit(action=action) if cursor else "",
    )


def _row(entry: Entry, newest: datetime) -> AuditRow:
    row = audit_row(entry, newest)
    return replace(row, changes=[f"in {entry.address}", *row.changes]) if entry.address else row


screen = AuditState.screen


def audit_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head("Audit log", tools=[select(screen.kinds, screen.kind, screen.base, "What changed")]),
        rx.cond(
            screen.rows.length() > 0,
            rx.el.section(
                audit_list(screen.rows),
                pager(screen.first_href, screen.next_href, "Pages of the log"),
                class_name="panel",
            ),
            notice(
                "list-checks", "Nothing of this kind was changed yet", "Every change is listed here, with who made it."
            ),
        ),
    )
    return operator_page(content, active="audit", ready=screen.ready, skeleton=list_skeleton("Audit log"))


def add(app: rx.App) -> None:
    """Puts the page into the app."""
    app.add_page(audit_page, route=operator_routes.AUDIT, title="Audit log", on_load=AuditState.load)
