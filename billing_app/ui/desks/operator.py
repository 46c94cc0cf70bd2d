"""What operators read and do. Nothing here belongs to one organization: the role alone lets somebody in.

Each further subject is a Protocol of its own module here that `OperatorDesk` inherits, with its mixin in
`service_desks/`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from billing_app.services.operators.views import OrganizationsView
from billing_app.services.overview.views_frame import OperatorShellView
from billing_app.ui.desks.operating import OperatingDesk, OperatingDesks
from billing_app.ui.desks.operations import OperationsDesk, OperationsDesks


class OperatorDesk(OperatingDesk, OperationsDesk, Protocol):
    """What operators' pages read, and what they write in one transaction."""

    def shell(self) -> OperatorShellView:
        """What is around the page."""

    def organizations(self, search: str, cursor: str) -> OrganizationsView:
        """Organizations whose name or address has `search` in it, by name."""


class OperatorDesks(OperatingDesks, OperationsDesks, Protocol):
    """Opens desks for operators. What talks to Stripe is a method here, outside of any desk's transaction."""

    def open_operator(self, cookies: str, *, writing: bool = False) -> AbstractContextManager[OperatorDesk]:
        """A desk for an operator; `writing` commits at its end.

        Raises UnauthenticatedError, or ForbiddenError for everybody else.
        """
