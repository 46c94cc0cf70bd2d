"""The audit log: who changed what, from what to what."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.frame.banner import notice
from billing_app.ui.kit.basics import button_link, panel_head
from billing_app.ui.organizations.audit_text import AuditRow


def audit_section(screen: Any) -> rx.Component:
    """A page of the log."""
    return rx.cond(
        screen.audit.length() > 0,
        rx.el.section(
            panel_head("Audit log", rx.el.small("every change, who made it, and what it was before")),
            audit_list(screen.audit),
            rx.cond(
                (screen.audit_next != "") | (screen.audit_first != ""),
                rx.el.nav(
                    rx.cond(screen.audit_first != "", button_link("Newest", href=screen.audit_first)),
                    rx.cond(screen.audit_next != "", button_link("Older", href=screen.audit_next)),
                    aria_label="Pages of the log",
                    class_name="pager",
                ),
            ),
            class_name="panel",
        ),
        notice("scroll-text", "Nothing was changed yet", "Every change of this organization is listed here."),
    )  # fmt: skip


def audit_list(rows: rx.Var[list[AuditRow]]) -> rx.Component:
    """Entries, the newest first."""
    return rx.el.ol(rx.foreach(rows, _row), class_name="audit")


def _row(one: rx.Var[AuditRow]) -> rx.Component:
    return rx.el.li(
        rx.el.time(one.when, rx.el.small(one.time), date_time=one.exact, title=one.exact, class_name="lines"),
        rx.el.div(
            rx.el.p(
                rx.el.strong(one.who),
                " ",
                one.did,
            ),
            rx.cond(
                one.changes.length() > 0,
                rx.el.ul(rx.foreach(one.changes, rx.el.li), class_name="changes"),
            ),
        ),
    )
