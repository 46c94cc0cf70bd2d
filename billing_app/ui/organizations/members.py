"""Members with their roles, and inviting somebody."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.kit.basics import icon_button, lucide, panel_head, primary_button, refused_button
from billing_app.ui.kit.dialogs import dialog, dialog_form, secret
from billing_app.ui.kit.forms import text_field
from billing_app.ui.organizations.text import ROLES, MemberRow


def members_section(screen: Any, state: Any) -> rx.Component:
    """Everybody with a role, and who is invited."""
    return rx.el.section(
        panel_head(
            "Members",
            rx.el.small(screen.members_taken),
            rx.cond(screen.admin, rx.el.div(_invite(screen, state), class_name="panel-tools")),
        ),
        rx.el.ul(rx.foreach(screen.members, lambda one: _row(one, screen, state)), class_name="people"),
        class_name="panel",
    )


def _invite(screen: Any, state: Any) -> rx.Component:
    label = rx.fragment(lucide("user-plus", 16), "Invite")
    return rx.cond(
        screen.no_place != "",
        refused_button(label, screen.no_place, primary=True),
        primary_button(label, on_click=state.open("invite")),
    )


def _row(one: rx.Var[MemberRow], screen: Any, state: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(one.initial, class_name="initial", aria_hidden="true"),
        rx.el.span(
            rx.el.span(
                rx.el.strong(one.name),
                rx.cond(one.you, rx.badge("You", color_scheme="gray", class_name="state")),
                rx.cond(one.invited, rx.badge("Invited", color_scheme="indigo", class_name="state")),
                class_name="person-name",
            ),
            rx.el.small(rx.cond(one.email != "", one.email + " \N{MIDDLE DOT} ", ""), one.since),
            class_name="lines",
        ),
        rx.cond(screen.admin, _role(one, state), rx.el.span(one.role_label, class_name="quiet")),
        rx.cond(screen.admin, _actions(one, state), _leave(one, screen, state)),
    )


def _role(one: rx.Var[MemberRow], state: Any) -> rx.Component:
    """A select; the only admin's says why it can't be changed."""
    label = "Role of " + one.name
    return rx.cond(
        one.last_admin,
        rx.tooltip(
            rx.el.span("Admin", class_name="role-fixed", tab_index=0),
            content="The only admin: make somebody else one first.",
        ),
        rx.el.select(
            *[rx.el.option(name, value=role) for role, name, _ in ROLES],
            value=one.role,
            on_change=lambda role: state.change_role(one.id, role),
            aria_label=label,
            class_name="input select",
        ),
    )


def _actions(one: rx.Var[MemberRow], state: Any) -> rx.Component:
    email = rx.cond(one.email != "", one.email, one.name)
    new_link = _icon("link", "Make a new link for " + one.name, state.renew(email, one.role))
    withdraw = _icon("x", "Take back the invitation of " + one.name, state.ask("withdraw", one.id, one.name))
    remove = _icon("user-minus", "Remove " + one.name, state.ask("remove", one.id, one.name))
    leave = _icon("log-out", "Leave", state.ask("leave", one.id, "this organization"))
    return rx.el.span(
        rx.cond(one.invited, new_link),
        rx.cond(
            one.last_admin,
            rx.fragment(),
            rx.cond(one.invited, withdraw, rx.cond(one.you, leave, remove)),
        ),
        class_name="row-actions",
    )


def _leave(one: rx.Var[MemberRow], screen: Any, state: Any) -> rx.Component:
    return rx.el.span(
        rx.cond(one.you & screen.member, _icon("log-out", "Leave", state.ask("leave", one.id, "this organization"))),
        class_name="row-actions",
    )


def _icon(icon: str, label: Any, on_click: Any) -> rx.Component:
    return icon_button(icon, label, on_click)


def invite_dialog(state: Any) -> rx.Component:
    """Whom to invite as what; then the link to copy."""
    form = dialog_form(
        state.refused,
        text_field("E-mail", name="email", type="email", required=True, max_length=254, auto_focus=True),
        rx.el.fieldset(
            rx.el.legend("Role"),
            *[
                rx.el.label(
                    rx.el.input(type="radio", name="role", value=role, default_checked=role == "member"),
                    rx.el.span(rx.el.strong(name), rx.el.small(what), class_name="lines"),
                    class_name="choice",
                )
                for role, name, what in reversed(ROLES)
            ],
            class_name="choices",
        ),
        close=state.close,
        go="Invite",
        on_submit=state.invite,
    )
    once = secret(
        "Invitation link",
        state.link,
        "It works once and ends in 7 days. A new one can be made at any time; it replaces this one.",
        state.close,
    )
    return dialog(
        state.dialog == "invite",
        state.close,
        rx.cond(state.link != "", _made_title(state), "Invite somebody"),
        rx.cond(
            state.link != "",
            rx.el.span(_mailed(state), "Whoever opens it joins as ", rx.el.strong(state.link_for), "."),
            "They get a link with which they join. It is shown to you next.",
        ),
        rx.cond(state.link != "", once, form),
    )


def _made_title(state: Any) -> Any:
    return rx.cond(state.link_mailed, "The invitation is on its way", "Send this link")


def _mailed(state: Any) -> Any:
    return rx.cond(state.link_mailed, "The link was mailed. Here it is, too. ", "")
