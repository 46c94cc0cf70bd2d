"""/o/{address}/features: every feature and way of voting, on, off, or locked with the plans that have it."""

from __future__ import annotations

import reflex as rx

from billing_app.domain.common.access import ADMIN_ROLES
from billing_app.domain.processes.voting import option_kind
from billing_app.services.limits import features
from billing_app.services.processes import read
from billing_app.services.processes.views import OptionsView
from billing_app.ui.access.session import PageAccess, guarded
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.frame.organization import page
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.basics import head, link, lucide
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.processes.text import FeaturesScreen, OptionRow, features_screen


class FeaturesState(OrganizationPage):
    """What the page shows."""

    screen: FeaturesScreen = FeaturesScreen()

    @guarded()
    async def load(self, access: PageAccess) -> None:
        """Reads the page."""
        self.screen = await access.show(self, options_of, features_screen)

    @guarded(ADMIN_ROLES)
    async def switch(self, access: PageAccess, kind: str, name: str, on: bool) -> None:
        """Switches one on or off."""
        await access.write(lambda at: features.switch(at, {(option_kind(kind), name): on}))
        self.screen = await access.show(self, options_of, features_screen)


def options_of(at: PageContext) -> OptionsView:
    """Every feature and way of voting."""
    return read.options_view(at, may_change=at.access.may_change)


screen = FeaturesState.screen


def features_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head("Features", rx.el.span(screen.summary, class_name="head-note")),
        rx.cond(screen.why_not != "", rx.el.p(screen.why_not, class_name="quiet-note")),
        rx.el.div(
            _group("Features", "What a process may offer its voters.", screen.features),
            _group("Ways of voting", "How the answers of a question may be given.", screen.voting_types),
            class_name="option-groups",
        ),
    )
    return page(content, active="features", ready=screen.ready, skeleton=list_skeleton("Features"))


def _group(title: str, text: str, options: rx.Var[list[OptionRow]]) -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.div(rx.el.h2(title), rx.el.small(text), class_name="lines"), class_name="panel-head"),
        rx.el.ul(rx.foreach(options, _option), class_name="options"),
        class_name="panel",
        aria_label=title,
    )


def _option(one: rx.Var[OptionRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(one.name),
            rx.el.small(one.description),
            class_name="lines",
        ),
        rx.cond(
            one.locked,
            link(
                one.note,
                href=one.plan_href,
                class_name="option-note",
                title="See the plans",
            ),
            rx.el.span(one.note, class_name="option-note"),
        ),
        rx.cond(
            one.locked | (screen.why_not != ""),
            _read_only(one),
            rx.switch(
                checked=one.on,
                on_change=lambda on: FeaturesState.switch(one.kind, one.id, on),
                size="2",
                custom_attrs={"aria-label": one.name},
            ),
        ),
        custom_attrs={"data-state": one.tone},
    )


def _read_only(one: rx.Var[OptionRow]) -> rx.Component:
    """What a reader who cannot switch it is told in place of the switch: a disabled one looks alike on and off."""
    sign = rx.match(
        one.tone,
        ("on", lucide("check", 14)),
        ("off", lucide("minus", 14)),
        lucide("lock", 14),
    )
    word = rx.match(one.tone, ("on", "On"), ("off", "Off"), "Locked")
    return rx.el.span(
        sign, word, class_name="told-state", title=rx.cond(one.locked, one.note, screen.why_not),
        custom_attrs={"data-state": one.tone},
    )  # fmt: skip
