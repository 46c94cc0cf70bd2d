"""/admin/audit: who changed what, in every organization and in the console itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import reflex as rx

from billing_app.services.organizations import read
from billing_app.services.organizations.views import AuditPage
from billing_app.ui import operator_routes
from billing_app.ui.access.session import OperatorAccess, for_operators
from billing_app.ui.frame.operators import operator_page
from billing_app.ui.frame.state import OperatorPage
from billing_app.ui.kit.basics import head
from billing_app.ui.kit.formats import Formats
from billing_app.ui.kit.listing import pager, search_field, select, unless_empty
from billing_app.ui.kit.records import Choice
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.organizations.audit import audit_list
from billing_app.ui.organizations.text import AuditRow, audit_rows

KINDS = (
    ("all", "Everything"), ("catalogue", "Catalogue"), ("grant", "Grants"), ("gift_card", "Gift cards"),
    ("credits", "Conversions"), ("plan", "Plans"), ("override", "Overrides"), ("organization", "Organizations"),
    ("member", "Members"), ("user", "People"), ("api_key", "API keys"),
)  # fmt: skip


@dataclass(frozen=True)
class AuditScreen:
    """One page of the log."""

    ready: bool = False
    rows: list[AuditRow] = field(default_factory=list)
    kinds: list[Choice] = field(default_factory=list)
    kind: str = "all"
    organization: str = ""
    who: str = ""
    base: str = ""
    next_href: str = ""
    first_href: str = ""


class AuditState(OperatorPage):
    """What the page shows. What is looked for and the page live in the URL."""

    screen: AuditScreen = AuditScreen()

    @for_operators()
    async def load(self, access: OperatorAccess) -> None:
        """Reads a page of the log."""
        cursor, asked = access.text("cursor"), access.text("action")
        kind = asked if asked in dict(KINDS) else "all"
        wanted = "" if kind == "all" else kind
        organization, who = access.text("organization"), access.text("who")
        self.screen = await access.show(
            self,
            lambda at: read.audit_of(at.session, at.now, organization.strip(), who.strip(), cursor, wanted),
            lambda found, formats: audit_screen(found, formats, kind, organization, who, cursor),
        )

    @for_operators()
    async def search(self, access: OperatorAccess, name: str, text: str) -> rx.event.EventSpec | None:
        """Looks for what was changed in an organization, or by somebody."""
        await access.check()
        if name not in ("organization", "who"):
            return None
        sought = {"organization": self.screen.organization, "who": self.screen.who} | {name: text}
        kind = "" if self.screen.kind == "all" else self.screen.kind
        return rx.redirect(operator_routes.audit(action=kind, **sought), replace=True)


def audit_screen(
    found: AuditPage, formats: Formats, kind: str, organization: str, who: str, cursor: str
) -> AuditScreen:
    """The log as it is shown; where an entry belongs to an organization, its address says so."""
    sought = {"organization": organization, "who": who}
    here = sought | {"action": "" if kind == "all" else kind}
    base = operator_routes.audit(**sought)
    rows = audit_rows(found, found.entries[0].at, formats) if found.entries else []
    return AuditScreen(
        ready=True,
        rows=[
            replace(row, changes=[f"in {each.address}", *row.changes]) if each.address else row
            for row, each in zip(rows, found.entries, strict=True)
        ],
        kinds=[Choice(value, label) for value, label in KINDS],
        kind=kind,
        organization=organization,
        who=who,
        base=base + ("&" if "?" in base else "?") + "action=",
        next_href=operator_routes.audit(**here, cursor=found.next_cursor) if found.next_cursor else "",
        first_href=operator_routes.audit(**here) if cursor else "",
    )


screen = AuditState.screen


def audit_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head("Audit log", tools=[select(screen.kinds, screen.kind, screen.base, "What changed")]),
        rx.el.section(
            _search(),
            unless_empty(
                screen.rows,
                rx.fragment(audit_list(screen.rows), pager(screen.first_href, screen.next_href, "Pages of the log")),
                "Nothing of this kind was changed yet.",
            ),
            class_name="panel",
        ),
    )
    return operator_page(content, active="audit", ready=screen.ready, skeleton=list_skeleton("Audit log"))


def _search() -> rx.Component:
    """Where, and by whom."""
    fields = (
        ("organization", "Organization's address", screen.organization),
        ("who", "Who: an e-mail address", screen.who),
    )
    return rx.el.div(
        *[
            search_field(value, lambda text, name=name: AuditState.search(name, text), label)
            for name, label, value in fields
        ],
        class_name="filters",
    )
