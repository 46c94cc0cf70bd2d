"""The plan page on the product's database, and at Stripe."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from billing_app.db import Session
from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.purchases.subscriptions import BillingInterval
from billing_app.services.common.context import Enter
from billing_app.services.common.organizations import Organization
from billing_app.services.plans import changes, orders, read
from billing_app.services.subscriptions.views_plan import InvoiceLink, PlanChangeView, PlanView
from billing_app.settings import Settings
from billing_app.ui.desks.plan import PlanDeed

if TYPE_CHECKING:
    from billing_app.ui.desk import Visitor

DEEDS = {
    PlanDeed.CANCEL: changes.cancel,
    PlanDeed.KEEP: changes.uncancel,
    PlanDeed.PAUSE: changes.pause,
    PlanDeed.RESUME: changes.resume,
}


class ServicePlanDesk:
    """What the page reads."""

    session: Session
    organization: Organization
    settings: Settings
    now: datetime

    def plan(self) -> PlanView:
        """The page."""
        return read.plan_view(self.session, self.organization, self.settings, self.now)


class ServicePlanDesks:
    """What the page does, each transaction of a visitor who was let in anew."""

    settings: Settings

    def _enter(self, visitor: Visitor, roles: frozenset[Role]) -> AbstractContextManager[Any]:
        raise NotImplementedError

    def _payments(self) -> Any:
        raise NotImplementedError

    def _entering(self, visitor: Visitor, roles: frozenset[Role]) -> Enter:
        return lambda: self._enter(visitor, roles)

    def start_plan(self, visitor: Visitor, roles: frozenset[Role], plan: str, interval: str) -> str:
        """Begins a first subscription; the URL of its hosted page."""
        enter, rhythm = self._entering(visitor, roles), _interval(interval)
        return orders.start(enter, self._payments(), plan, rhythm, self.settings.public_url).url

    def preview_plan(self, visitor: Visitor, roles: frozenset[Role], plan: str, interval: str) -> PlanChangeView:
        """What a change of the running subscription would cost."""
        enter = self._entering(visitor, roles)
        seen = changes.preview(enter, self._payments(), plan, _interval(interval))
        with enter() as visit:
            return read.change_view(visit.session, seen, visit.now)

    def change_plan(self, visitor: Visitor, roles: frozenset[Role], plan: str, interval: str, at: datetime) -> None:
        """Changes the running subscription as it was previewed."""
        changes.change(self._entering(visitor, roles), self._payments(), plan, _interval(interval), at)

    def do_to_plan(self, visitor: Visitor, roles: frozenset[Role], deed: PlanDeed) -> None:
        """Ends, keeps, pauses or resumes the running subscription."""
        DEEDS[deed](self._entering(visitor, roles), self._payments())

    def portal(self, visitor: Visitor, roles: frozenset[Role]) -> str:
        """The URL of Stripe's own pages for this customer."""
        return changes.portal(self._entering(visitor, roles), self._payments(), self.settings.public_url)

    def invoices(self, visitor: Visitor, roles: frozenset[Role]) -> list[InvoiceLink]:
        """What was billed, newest first."""
        found = changes.invoices(self._entering(visitor, roles), self._payments())
        return [read.invoice_link(each) for each in found]


def _interval(text: str) -> BillingInterval:
    """Raises InvalidError `invalid_interval` for a word that is none."""
    try:
        return BillingInterval(text)
    except ValueError:
        raise InvalidError("A plan is paid per month or per year.", code="invalid_interval") from None
