"""The banner: one, the worst thing; and the strip that says which actions work."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.frame.banner_text import BannerScreen
from billing_app.ui.kit.basics import button_link, lucide, refused_button


def banner(screen: rx.Var[BannerScreen], others: rx.Var[list[str]], strip: Any = None) -> rx.Component:
    """What is wrong, in a sentence, and the one thing to do about it."""
    sign = rx.cond(
        screen.tone == "blocked",
        lucide("ban", 18),
        lucide("triangle-alert", 18),
    )
    words = rx.el.div(
        rx.el.strong(screen.title),
        rx.cond((screen.more != "") & (screen.tone == "blocked"), _others(screen, others)),
        rx.el.span(screen.text, class_name="text"),
        rx.cond((screen.more != "") & (screen.tone != "blocked"), _others(screen, others)),
        class_name="banner-words",
    )
    return rx.el.section(
        rx.el.div(sign, words, _actions(screen), class_name="banner-line"),
        *([strip] if strip is not None else []),
        class_name="banner",
        custom_attrs={"data-tone": screen.tone, "aria-label": "What needs attention"},
    )


def _others(screen: rx.Var[BannerScreen], others: rx.Var[list[str]]) -> rx.Component:
    """ "and 2 more", which opens to say what."""
    return rx.popover.root(
        rx.popover.trigger(rx.el.button(screen.more, type="button", class_name="others")),
        rx.popover.content(
            rx.el.ul(rx.foreach(others, rx.el.li), class_name="others-list"), size="1", max_width="340px"
        ),
    )


def _actions(screen: rx.Var[BannerScreen]) -> rx.Component:
    label = rx.fragment(
        rx.el.span(screen.action, class_name="wide-only"), rx.el.span(screen.action_full, class_name="phone-only")
    )
    return rx.el.div(
        rx.cond(screen.second != "", button_link(screen.second, href=screen.second_href, class_name="wide-only")),
        rx.cond(
            screen.action != "",
            rx.cond(
                screen.action_why_not != "",
                refused_button(label, screen.action_why_not, primary=True),
                button_link(label, href=screen.action_href, primary=True),
            ),
        ),
        class_name="banner-actions",
    )


def action_strip(actions: rx.Var[list]) -> rx.Component:
    """Each action of the product: works or not, and what it needs."""
    return rx.el.ul(
        rx.foreach(
            actions,
            lambda one: rx.el.li(
                rx.cond(
                    one.works,
                    lucide("circle-check", 16),
                    lucide("ban", 16),
                ),
                rx.el.div(rx.el.strong(one.name), rx.el.span(one.note)),
                custom_attrs={"data-works": rx.cond(one.works, "yes", "no")},
            ),
        ),
        class_name="strip",
        aria_label="What works",
    )


def notice(icon: str, title: Any, text: Any, *actions: Any, tone: str = "", whole: bool = False) -> rx.Component:
    """A panel that says something: what is empty, or, as the `whole` page, what went wrong."""
    return rx.el.section(
        lucide(icon, 22),
        rx.el.h1(title) if whole else rx.el.h2(title),
        rx.el.p(text),
        rx.el.div(*actions, class_name="notice-actions"),
        class_name="panel notice",
        custom_attrs={"data-tone": tone},
    )


def refusal(frame: Any) -> rx.Component:
    """Why the last thing that was asked for on this page was not done."""
    said = remark("circle-alert", "That did not work.", frame.problem_detail, tone="blocked", role="alert")
    return rx.cond(frame.problem == "refused", said)


def remark(
    icon: str, title: Any, text: Any, *, tone: str = "", action: Any = None, role: str = "status"
) -> rx.Component:
    """One line above a page that says what has just happened, or what to know of it."""
    return rx.el.section(
        rx.el.div(
            lucide(icon, 18),
            rx.el.div(rx.el.strong(title), rx.el.span(text, class_name="text"), class_name="banner-words"),
            *([] if action is None else [action]),
            class_name="banner-line",
        ),
        class_name="banner remark",
        role=role,
        custom_attrs={"data-tone": tone},
    )
