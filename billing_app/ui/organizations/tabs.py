"""The sections of a page as links: they live in the URL, and on the phone they scroll sideways."""

from __future__ import annotations

import reflex as rx

from billing_app.ui.kit.basics import link
from billing_app.ui.organizations.text import TabLink


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
