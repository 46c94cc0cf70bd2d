"""What pages of a sub-organization say of its payer (credits.md, rule 14)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.ui.access.session import Frame
from billing_app.ui.frame.banner import notice, remark
from billing_app.ui.kit.basics import button_link, head

shell: Any = Frame.shell


def paid_by() -> rx.Component:
    """One line above figures that are somebody else's."""
    return rx.cond(
        shell.payer != "",
        remark(
            "network",
            shell.payer + " pays for this organization.",
            "Its plan and credits are shared by all that it pays for. What is yours of their use stands beside it.",
            action=rx.cond(
                shell.payer_href != "",
                rx.el.div(button_link(_open(), href=shell.payer_href), class_name="banner-actions"),
            ),
        ),
    )


def elsewhere(
    content: Any, page: str, icon: str, title: str, text: str, *, keeps: bool = True
) -> rx.Component | rx.Var:
    """`content` of the page `page`, or who does that instead.

    What is left of its own credits stays readable where the page `keeps` it.
    """
    instead = rx.fragment(
        head(page),
        notice(
            icon,
            title,
            shell.payer + text,
            rx.cond(
                shell.payer_buy_href != "",
                button_link("Buy credits there", href=shell.payer_buy_href, primary=True),
                rx.cond(shell.payer_href != "", button_link(_open(), href=shell.payer_href, primary=True)),
            ),
            rx.cond(
                shell.payer_href != "",
                button_link("See what is left", href=shell.overview_href),
                button_link("See what is left", href=shell.overview_href, primary=True),
            ),
        ),
    )
    if not keeps:
        return rx.cond(shell.payer != "", instead, content)
    resting = remark(
        "network",
        shell.payer + " pays for this organization.",
        "These are credits of its own from before. They pay for nothing meanwhile, and still end on their dates.",
    )
    own = rx.fragment(rx.cond(shell.payer != "", resting), content)
    return rx.cond((shell.payer != "") & ~shell.keeps_credits, instead, own)


def _open() -> rx.Component:
    return rx.fragment("Open ", shell.payer)
