"""The profile: a form for admins, the same as facts for everybody else, and what is known of the organization."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.frame.banner import remark
from billing_app.ui.kit.basics import lucide, panel_head, primary_button
from billing_app.ui.kit.dialogs import refusal
from billing_app.ui.kit.forms import labelled
from billing_app.ui.kit.listing import facts
from billing_app.ui.organizations.ending import ending_panel, ending_remark


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
