"""What the plan page reads and does."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from billing_app.domain.common.access import Role
from billing_app.services.subscriptions.views_plan import InvoiceLink, PlanChangeView, PlanView

if TYPE_CHECKING:
    from billing_app.ui.desk import Visitor


class PlanDeed(StrEnum):
    """What can be done to a running subscription with one click and a yes."""

    CANCEL = "cancel"
    KEEP = "keep"
    PAUSE = "pause"
    RESUME = "resume"


class PlanDesk(Protocol):
    """What the page reads."""

    def plan(self) -> PlanView:
        """The plan in force, its subscription, limits and all plans."""


class PlanDesks(Protocol):
    """What the page does. Everything talks to Stripe: never on the event loop."""

    def start_plan(self, visitor: Visitor, roles: frozenset[Role], plan: str, interval: str) -> str:
        """Begins a first subscription; the URL of its hosted page."""

    def preview_plan(self, visitor: Visitor, roles: frozenset[Role], plan: str, interval: str) -> PlanChangeView:
        """What a change of the running subscription would cost."""

    def change_plan(self, visitor: Visitor, roles: frozenset[Role], plan: str, interval: str, at: datetime) -> None:
        """Changes the running subscription as it was previewed."""

    def do_to_plan(self, visitor: Visitor, roles: frozenset[Role], deed: PlanDeed) -> None:
        """Ends, keeps, pauses or resumes the running subscription."""

    def portal(self, visitor: Visitor, roles: frozenset[Role]) -> str:
        """The URL of Stripe's own pages for this customer."""

    def invoices(self, visitor: Visitor, roles: frozenset[Role]) -> list[InvoiceLink]:
        """What was billed, newest first."""
