"""The frame around an operator's page."""

from __future__ import annotations

from dataclasses import dataclass

from billing_app.services.views.operator import OperatorShellView
from billing_app.ui import routes


@dataclass(frozen=True)
class OperatorShellShown:
    """What the frame says. The defaults are what is shown before anything is known."""

    person: str = ""
    test_mode: bool = False
    selling: bool = False
    home_href: str = ""
    """Back to an organization of theirs; empty without any."""


def operator_shell_shown(view: OperatorShellView) -> OperatorShellShown:
    """The frame of an operator."""
    return OperatorShellShown(
        person=view.person_name or view.person_email,
        test_mode=view.test_mode,
        selling=view.selling,
        home_href=routes.overview(view.home) if view.home else "",
    )
