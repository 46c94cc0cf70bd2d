"""What sections of the page share: the line of sections, the audit log, and the question before something ends."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.frame.banner import notice
from billing_app.ui.kit.basics import link, panel_head, primary_button
from billing_app.ui.kit.dialogs import dialog, dialog_form, question
from billing_app.ui.kit.listing import pager
from billing_app.ui.organizations.text import AuditRow, TabLink


def audit_section(screen: Any) -> rx.Component:
    """A page of the log."""
    return rx.cond(
        screen.audit.length() > 0,
        rx.el.section(
            panel_head("Audit log", rx.el.small("every change, who made it, and what it was before")),
            audit_list(screen.audit),
            pager(screen.audit_first, screen.audit_next, "Pages of the log"),
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


def tabs(sections: rx.Var[list[TabLink]]) -> rx.Component:
    """One line of sections."""
    return rx.el.nav(rx.foreach(sections, _tab), aria_label="Sections", class_name="tabs", tab_index=0)


def _tab(one: rx.Var[TabLink]) -> rx.Component:
    content = (one.label, rx.cond(one.count != "", rx.el.small(one.count)))
    return rx.cond(
        one.here,
        link(*content, href=one.href, class_name="tab-link", custom_attrs={"aria-current": "page"}),
        link(*content, href=one.href, class_name="tab-link"),
    )


def ask_first(state: Any) -> rx.Component:
    """One question for each thing that can be ended; and the sentence for what was refused without one."""
    name = state.asked.name
    cases = (
        ("remove", f"Remove {name}?", "They see nothing more of this organization, from the next click on.", "Remove"),
        ("withdraw", f"Take back the invitation of {name}?", "Its link stops working.", "Take back"),
        ("deactivate", f"Deactivate {name}?", "Its data stays. Every check and every use is refused until it is "
         "activated again, and its place is free.", "Deactivate"),
        ("revoke", f"Revoke {name}?", "Programs that use it are refused from the next request on. This can't be "
         "undone.", "Revoke"),
    )  # fmt: skip
    return rx.fragment(
        *(
            question(state.asked.what == what, state.close, title, text, go, state.act, state.refused)
            for what, title, text, go in cases
        ),
        question(
            state.asked.what == "leave",
            state.close,
            f"Leave {name}?",
            "You see nothing more of it until somebody invites you again.",
            "Leave",
            state.leave,
            state.refused,
        ),
        dialog(
            state.asked.what == "activate",
            state.close,
            f"Activate {name}?",
            "It may do again what the plan allows, and takes a place.",
            dialog_form(state.refused, close=state.close, go="Activate", on_submit=lambda _form: state.act()),
        ),
        dialog(
            state.dialog == "refused",
            state.close,
            "This was not changed",
            state.refused,
            rx.el.div(
                primary_button("Close", on_click=state.close),
                class_name="dialog-foot",
            ),
        ),
    )
