"""What operators read of events, comparisons, recounts and one customer, and what they do about money."""

from __future__ import annotations

from typing import Protocol

from billing_app.services.operators.views_customer import CustomerView
from billing_app.services.operators.views_operations import (
    EventFilters,
    EventsView,
    EventView,
    ReconciliationView,
    RecountsView,
)
from billing_app.services.reversals.views import RefundView


class OperationsDesk(Protocol):
    """Reading, and what is done in one transaction."""

    def stripe_events(self, filters: EventFilters, cursor: str) -> EventsView:
        """A page of what Stripe has sent."""

    def stripe_event(self, event_id: str) -> EventView:
        """One event with what was received."""

    def reconciliation(self, run: int, cursor: str) -> ReconciliationView:
        """The report of a run (0: the latest), and the runs before."""

    def ask_for_reconciliation(self) -> None:
        """Has everything compared with Stripe now."""

    def recounts(self, cursor: str) -> RecountsView:
        """A page of recounts."""

    def customer(self, address: str, grant: str, amount_cents: int | None) -> CustomerView:
        """One organization, with what a refund of a grant would do if one is named."""


class OperationsDesks(Protocol):
    """What talks to Stripe, or takes more than one transaction: never on the event loop."""

    def replay_event(self, cookies: str, event_id: str) -> None:
        """Works on an event of Stripe's again."""

    def recount(self, cookies: str) -> None:
        """Brings every ledger that is behind up to date."""

    def refund(self, cookies: str, grant: str, amount_cents: int | None, reason: str, key: str) -> RefundView:
        """Gives money back for a grant, once per key."""
