"""The frame around every page: side, phone head, phone tabs, and what is listed in place of a page when things fail.

There is one, for organizations' pages and for operators'. Each says in a `Frame` what differs: its links, what stands
on top, who is there, and the way to the other side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reflex as rx

from billing_app.ui import routes
from billing_app.ui.frame.banner import notice, refusal
from billing_app.ui.kit.basics import button_link, link, lucide, plain_link
from billing_app.ui.kit.forms import plain_form

ICON_SIDE, ICON_MORE, ICON_TAB = 16, 18, 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that the frame leads to."""

    key: str
    label: str
    icon: str
    href: Any
    """Where it is; a person who may not open the page has an empty one, and no entry."""
    group: int = 0
    """Entries of one number stand together."""
    tab: str = ""
    """Its short name among the phone's tabs; without one it is under "More"."""
    within: str = ""
    """The entry that is marked in the side for it, which has none of its own."""
    sign: Any = None
    """What stands behind its name in the side."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a frame shows. What is said of a person and a page comes from `state`, as it was just read."""

    state: Any
    entries: tuple[Entry, ...]
    top: Callable[[str], rx.Component]
    """What stands on top of the side and of the phone, told its class."""
    role: Any
    """What the person is here."""
    other_side: Entry
    """From an organization to the operators' pages, and back."""
    not_found: rx.Component
    forbidden: rx.Component
    above: tuple[Any, ...] = ()
    """What is said above every page."""
    unknown: Any = False
    """Hrefs are not known yet: every entry is listed meanwhile."""
    nowhere: Any = None
    """True on an address of which the frame has nothing to say; it shows the way `home` then."""
    home: Entry | None = None


def framed(frame: Frame, content: Any, *, active: str, ready: Any, skeleton: Any) -> rx.Component:
    """A page inside its frame. Until its data is there it shows a skeleton in the final shape."""
    body = rx.match(
        frame.state.problem,
        ("not_found", frame.not_found),
        ("forbidden", frame.forbidden),
        ("broken", _broken()),
        rx.cond(
            ready,
            rx.fragment(*frame.above, refusal(frame.state), content),
            rx.el.div(skeleton, aria_busy="true", aria_label="Loading"),
        ),
    )
    return rx.el.div(
        plain_link("Skip to content", href="#content", class_name="skip"),
        _side(frame, active),
        rx.el.header(
            _unless_nowhere(frame, _brand("phone-switcher"), frame.top("phone-switcher")),
            rx.cond(frame.state.frame.test_mode, rx.el.span("TEST MODE", class_name="test-mode")),
            appearance_button(),
            class_name="phone-head",
        ),
        rx.el.main(body, id="content", tab_index=-1, class_name="main"),
        _unless_nowhere(frame, rx.fragment(), _phone_tabs(frame, active)),
        class_name="app",
    )


def bare_page(*content: Any) -> rx.Component:
    """A page without an organization: sign in and the like."""
    return rx.el.div(
        rx.el.main(
            rx.el.div(_mark(), rx.el.span("Billing console"), class_name="bare-brand"),
            rx.el.div(*content, class_name="panel bare-panel"),
            id="content",
            class_name="bare-main",
        ),
        rx.el.footer(appearance_button(), class_name="bare-foot"),
        class_name="bare",
    )


def signed_in_as(email: rx.Var[str]) -> rx.Component | rx.Var:
    """Who is here, and the way out: there is no frame yet that says it."""
    return rx.cond(
        email != "",
        rx.el.div(
            rx.el.span("Signed in as ", email, "."), _sign_out("Sign out", "text-link"), class_name="quiet-note who"
        ),
    )


def appearance_button() -> rx.Component:
    """Light or dark; until it is used, the system decides."""
    return rx.el.button(
        rx.color_mode_cond(light=lucide("moon", 15), dark=lucide("sun", 15)),
        type="button",
        on_click=rx.toggle_color_mode,
        class_name="icon-button",
        title="Light or dark",
        aria_label="Switch between light and dark",
    )


def _unless_nowhere(frame: Frame, there: Any, usual: Any) -> Any:
    return usual if frame.nowhere is None else rx.cond(frame.nowhere, there, usual)


def _mark() -> rx.Component:
    """The console's sign."""
    return rx.el.img(src="/logo.svg", alt="", width="28", height="28")


def _brand(class_name: str) -> rx.Component:
    """The console's own name, where there is no organization's to show."""
    return rx.el.div(
        _mark(),
        rx.el.span(rx.el.strong("Billing console"), class_name="lines"),
        class_name=f"switcher still {class_name}",
    )


def _side(frame: Frame, active: str) -> rx.Component:
    listed = [entry for entry in frame.entries if not entry.within]
    groups: list[Any] = []
    for before, entry in zip((listed[0], *listed), listed, strict=False):
        if entry.group != before.group:
            groups.append(rx.el.hr())
        groups.append(_side_entry(frame, entry, active))
    home = rx.el.nav(_titled(frame.home, "entry", ICON_SIDE), aria_label="Pages", class_name="side-nav")
    person = frame.state.frame.person
    return rx.el.aside(
        _unless_nowhere(frame, _brand("side-switcher"), frame.top("side-switcher")),
        _unless_nowhere(frame, home, rx.el.nav(*groups, aria_label="Pages", class_name="side-nav")),
        rx.el.div(class_name="side-space"),
        rx.cond(frame.other_side.href != "", _titled(frame.other_side, "entry", ICON_SIDE)),
        rx.cond(frame.state.frame.test_mode, _test_mode()),
        rx.el.div(
            rx.el.span(rx.el.strong(person), rx.el.small(frame.role), class_name="lines"),
            _sign_out(lucide("log-out", 15), "icon-button"),
            appearance_button(),
            class_name="person",
        ),
        class_name="side",
    )


def _side_entry(frame: Frame, entry: Entry, active: str) -> Any:
    covers = {entry.key} | {each.key for each in frame.entries if each.within == entry.key}
    signs = [] if entry.sign is None else [entry.sign]
    made = _titled(entry, "entry", ICON_SIDE, *signs, custom_attrs=_current(active in covers))
    return made if isinstance(entry.href, str) else rx.cond((entry.href != "") | frame.unknown, made)


def _titled(entry: Entry | None, class_name: str, size: int, *behind: Any, **props: Any) -> rx.Component:
    if entry is None:
        return rx.fragment()
    icon = lucide(entry.icon, size)
    return link(icon, entry.label, *behind, href=entry.href, title=entry.label, class_name=class_name, **props)


def _current(here: bool) -> dict[str, str]:
    return {"aria-current": "page"} if here else {}


def _phone_tabs(frame: Frame, active: str) -> rx.Component:
    tabs = [
        link(
            lucide(entry.icon, ICON_TAB),
            rx.el.span(entry.tab),
            href=entry.href,
            class_name="tab",
            custom_attrs=_current(entry.key == active),
        )
        for entry in frame.entries
        if entry.tab
    ]
    return rx.el.nav(*tabs, _more(frame, active), aria_label="Pages", class_name="phone-tabs")


def _more(frame: Frame, active: str) -> rx.Component:
    """Everything that has no tab of its own."""
    rest = [entry for entry in frame.entries if not entry.tab]
    other = _titled(frame.other_side, "more-line", ICON_MORE)
    return rx.popover.root(
        rx.popover.trigger(
            rx.el.button(
                lucide("menu", ICON_TAB),
                rx.el.span("More"),
                type="button",
                class_name="tab",
                custom_attrs=_current(active in {entry.key for entry in rest}),
            )
        ),
        rx.popover.content(
            *[_more_line(entry) for entry in rest],
            rx.cond(frame.other_side.href != "", rx.popover.close(other)),
            _sign_out(rx.fragment(lucide("log-out", ICON_MORE), "Sign out"), "more-line"),
            rx.el.p(frame.state.frame.person, " \N{MIDDLE DOT} ", frame.role, class_name="menu-note"),
            side="top",
            align="end",
            size="1",
            class_name="more-menu",
        ),
    )


def _more_line(entry: Entry) -> Any:
    icon = lucide(entry.icon, ICON_MORE)
    line = rx.popover.close(link(icon, entry.label, href=entry.href, class_name="more-line"))
    return line if isinstance(entry.href, str) else rx.cond(entry.href != "", line)


def _test_mode() -> rx.Component:
    """Says that no money moves."""
    return rx.el.p(
        rx.el.strong("TEST MODE"),
        rx.el.span("Payments go to a fake Stripe. No money moves."),
        class_name="test-mode",
    )


def _sign_out(content: Any, class_name: str) -> rx.Component:
    """A form, because signing out ends in a full page load that opens the websocket anew."""
    return plain_form(
        rx.el.button(content, type="submit", class_name=class_name, title="Sign out", aria_label="Sign out"),
        method="post",
        action=f"{routes.API}/sign-out",
    )


def _broken() -> rx.Component:
    """What is listed in place of a page whose handler failed."""
    return notice(
        "unplug",
        "This did not work",
        "Something went wrong on our side. Nothing was changed, and no figure was lost. Try again in a moment.",
        rx.button(plain_link("Try again", href=""), as_child=True, size="2", class_name="button primary"),
        tone="blocked",
        whole=True,
    )


def not_found_page() -> rx.Component:
    """Says so, and leads back: to one's organization, or to signing in."""
    return bare_page(
        rx.el.h1("There is nothing here"),
        rx.el.p("No page has this address. It may be mistyped, or the page has moved.", class_name="quiet"),
        button_link("Go to my organization", href=routes.HOME, primary=True),
    )
