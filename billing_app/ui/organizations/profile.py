"""The profile: a form for admins, facts for everybody else, what is known of the organization; and how it ends."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.frame.banner import remark
from billing_app.ui.kit.basics import lucide, panel_head, primary_button, quiet_button
from billing_app.ui.kit.dialogs import dialog, refusal
from billing_app.ui.kit.forms import labelled
from billing_app.ui.kit.listing import facts


def ending_remark(screen: Any, state: Any) -> rx.Component:
    """That it ends, or has ended, above everything; with the way back for whoever may go it."""
    ending = screen.ending
    keep = rx.cond(
        ending.may_keep,
        rx.el.div(
            quiet_button("Keep it", on_click=state.keep_organization, loading=state.busy),
            class_name="banner-actions",
        ),
    )  # fmt: skip
    return rx.cond(
        ending.state != "",
        rx.fragment(
            remark("calendar-x", ending.title, ending.text, tone="soon", action=keep),
            rx.cond(ending.problem != "", remark("info", "Stripe does not know yet.", ending.problem)),
        ),
    )


def ending_panel(screen: Any, state: Any) -> rx.Component:
    """Below the profile: what it pays for, and the button."""
    ending = screen.ending
    return rx.cond(
        ending.offered,
        rx.el.section(
            rx.el.h2("End this organization"),
            rx.cond(
                ending.nothing != "",
                rx.el.p(ending.nothing, class_name="quiet-note"),
                facts(ending.pays, "facts stacked"),
            ),
            rx.el.p("Credits, ledger and history stay readable.", class_name="quiet-note"),
            rx.button(
                "End it...", type="button", size="2", variant="soft", color_scheme="red", class_name="button",
                on_click=state.open("end"),
            ),
            class_name="panel side-panel ending",
        ),
    )  # fmt: skip


def ending_dialog(screen: Any, state: Any) -> rx.Component:
    """What ends, and when; sent only with a choice."""
    ending = screen.ending
    return dialog(
        state.dialog == "end",
        state.close,
        f"End {screen.profile.name}?",
        "It pays for nothing any more, and nothing more can be done in it. You can change your mind until it is over.",
        rx.el.form(
            refusal(state.refused),
            rx.cond(
                ending.nothing != "",
                rx.el.p(ending.nothing, class_name="quiet-note"),
                facts(ending.pays, "facts stacked"),
            ),
            rx.cond(
                ending.with_it.length() > 0,
                rx.el.p(
                    "Its sub-organizations end with it: ", rx.el.strong(ending.with_it.join(", ")), ".",
                    class_name="quiet-note",
                ),
            ),
            _when("period_end", ending.at_end, chosen=True),
            _when("now", ending.at_once),
            rx.el.p(
                "What has changed at Stripe by then decides: what has ended there already stays as it is.",
                class_name="quiet-note",
            ),
            labelled(
                "Why (kept in the audit log)", rx.el.input(name="reason", max_length=500, class_name="input"), wide=True
            ),
            rx.el.div(
                quiet_button("Keep it", on_click=state.close),
                rx.button(
                    "End it", type="submit", size="2", color_scheme="red", class_name="button", loading=state.busy
                ),
                class_name="dialog-foot",
            ),
            on_submit=state.end_organization,
            class_name="form",
        ),
        width="520px",
    )  # fmt: skip


def _when(value: str, text: Any, *, chosen: bool = False) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="radio", name="when", value=value, default_checked=chosen),
        rx.el.span(text),
        class_name="radio-line",
    )


def profile_section(screen: Any, state: Any) -> rx.Component:
    """What the organization says, and beside it what there is."""
    return rx.fragment(
        ending_remark(screen, state),
        rx.cond(
            screen.inactive != "",
            remark("ban", "This organization is deactivated.", screen.inactive, tone="blocked"),
        ),
        rx.el.div(
            rx.cond(screen.admin, _form(screen, state), _read(screen)),
            rx.el.div(_facts(screen), ending_panel(screen, state), class_name="column"),
            class_name="pair wide-side",
        ),
    )


def _form(screen: Any, state: Any) -> rx.Component:
    profile = screen.profile
    return rx.el.section(
        panel_head("Profile"),
        rx.el.form(
            refusal(state.refused),
            _line("Name", "name", profile.name, required=True, max_length=200, wide=True),
            _description(profile),
            _line("Type", "type", profile.type, placeholder="company, association, city", max_length=100),
            _line("Size", "size", profile.size, placeholder="10 or 11-50", max_length=50),
            _line("Time zone", "timezone", profile.timezone, placeholder="Europe/Lisbon or GMT+2", max_length=64),
            _line("Country", "country", profile.country, placeholder="PT", max_length=2),
            _colour(profile),
            _web_address(profile),
            _line("Logo", "logo", profile.logo, placeholder="https://example.org/a.svg", max_length=2_000, wide=True),
            rx.cond(
                profile.logo_visible,
                rx.el.img(src=profile.logo, alt="The logo", class_name="logo-shown"),
                rx.el.p("Kept as its address: our pages load nothing from other hosts.", class_name="quiet-note wide"),
            ),
            rx.el.div(
                primary_button("Save", type="submit"),
                rx.cond(state.saved, _done()),
                class_name="form-foot wide",
            ),
            on_submit=state.save,
            class_name="form two-columns",
        ),
        class_name="panel",
    )


def _done() -> rx.Component:
    return rx.el.span(lucide("check", 14), "Saved", role="status", class_name="done")


def _description(profile: Any) -> rx.Component:
    return labelled(
        "Description",
        rx.el.textarea(
            name="description",
            default_value=profile.description,
            key=f"description{profile.description}",
            rows=3,
            max_length=2_000,
            class_name="input area",
        ),
        wide=True,
    )


def _colour(profile: Any) -> rx.Component:
    swatch = rx.cond(
        profile.color != "",
        rx.el.i(class_name="swatch", style={"background": profile.color}),
        rx.el.i(class_name="swatch"),
    )
    text = rx.el.input(
        name="color",
        default_value=profile.color,
        key=f"color{profile.color}",
        placeholder="#0090ff",
        max_length=7,
        class_name="input",
    )
    return labelled("Colour", rx.el.span(swatch, text, class_name="swatch-line"))


def _web_address(profile: Any) -> rx.Component:
    """A plan without one says so; it is kept meanwhile."""
    return rx.fragment(
        _line("Web address", "subdomain", profile.subdomain, placeholder="acme", max_length=63),
        rx.cond(profile.web_address != "", rx.el.p(profile.web_address, class_name="quiet-note wide")),
    )


def _line(label: str, name: str, value: Any, *, wide: bool = False, **props: Any) -> rx.Component:
    return rx.el.label(
        rx.el.span(label),
        rx.el.input(name=name, default_value=value, key=f"{name}{value}", class_name="input", **props),
        class_name="field wide" if wide else "field",
    )


def _read(screen: Any) -> rx.Component:
    profile = screen.profile
    return rx.el.section(
        panel_head(profile.name),
        rx.el.div(
            rx.cond(
                profile.said.length() > 0,
                facts(profile.said, "sum"),
                rx.el.p("Nothing has been said about this organization yet.", class_name="quiet-note"),
            ),
            class_name="inset",
        ),
        class_name="panel",
    )


def _facts(screen: Any) -> rx.Component:
    profile = screen.profile
    return rx.fragment(
        rx.el.section(
            rx.el.h2("At a glance"),
            facts(profile.facts, "facts"),
            class_name="panel side-panel",
        ),
        rx.cond(
            profile.money.length() > 0,
            rx.el.section(
                rx.el.h2("Billing"),
                facts(profile.money, "facts"),
                class_name="panel side-panel",
            ),
        ),
    )
