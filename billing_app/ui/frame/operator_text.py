"""The frame around an operator's page."""

from __future__ import annotations

from dataclasses import dataclass

from billing_app.services.overview.views_frame import OperatorShellView
from billing_app.ui import operator_routes, routes


@dataclass(frozen=True)
class OperatorShellShown:
    """What the frame says. The defaults are what is shown before anything is known."""

    person: str = ""
    test_mode: bool = False
    selling: bool = False
    home_href: str = ""
    """Back to an organization of theirs; empty without any."""
    given_up: str = ""
    """How many of Stripe's events need a person; empty for none."""
    given_up_href: str = operator_routes.stripe_events(state="given_up")


def operator_shell_shown(view: OperatorShellView) -> OperatorShellShown:
    """The frame of an operator."""
    return OperatorShellShown(
        person=view.person_name or view.person_email,
        test_mode=view.test_mode,
        selling=view.selling,
        home_href=routes.overview(view.home) if view.home else "",
        given_up=_given_up(view.given_up),
    )


def _given_up(count: int) -> str:
    if not count:
        return ""
    return "A Stripe event was given up" if count == 1 else f"{count:,} Stripe events were given up"
