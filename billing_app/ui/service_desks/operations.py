"""Events, comparisons, recounts and refunds, served by the services."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from billing_app import clock
from billing_app.db import Database, Session
from billing_app.domain.common.errors import UnavailableError
from billing_app.services.access import sessions
from billing_app.services.operators import operations, read_customer
from billing_app.services.operators.views_customer import CustomerView
from billing_app.services.operators.views_operations import (
    EventFilters,
    EventsView,
    EventView,
    ReconciliationView,
    RecountsView,
)
from billing_app.services.purchases.orders import Payments
from billing_app.services.reversals import refunds
from billing_app.services.reversals.views import RefundView
from billing_app.services.stripe import reconciliation, replaying
from billing_app.services.usage import recounts
from billing_app.settings import Settings


class ServiceOperationsDesk:
    """What an operator reads, in one transaction."""

    session: Session
    settings: Settings
    now: datetime

    def stripe_events(self, filters: EventFilters, cursor: str) -> EventsView:
        """A page of what Stripe has sent."""
        return operations.events(self.session, filters, cursor, self.now)

    def stripe_event(self, event_id: str) -> EventView:
        """One event with what was received."""
        return operations.event(self.session, event_id)

    def reconciliation(self, run: int, cursor: str) -> ReconciliationView:
        """The report of a run (0: the latest), and the runs before."""
        return operations.reconciliations(self.session, run, cursor, self.now, selling=self.settings.selling)

    def ask_for_reconciliation(self) -> None:
        """Has everything compared with Stripe now."""
        if not self.settings.selling:
            raise UnavailableError("There is nothing to compare with: Stripe is not set up.", code="buying_unavailable")
        reconciliation.ask_for(self.session, self.now)

    def recounts(self, cursor: str) -> RecountsView:
        """A page of recounts."""
        return operations.recount_runs(self.session, cursor, self.now)

    def customer(self, address: str, grant: str, amount_cents: int | None) -> CustomerView:
        """One organization, with what a refund of a grant would do if one is named."""
        selling = self.settings.selling
        return read_customer.customer(self.session, address, grant, amount_cents, self.now, selling=selling)


@dataclass(frozen=True, slots=True)
class _Entered:
    """A transaction of an operator who was let in, as refunds take it."""

    session: Session
    now: datetime
    actor: str


class ServiceOperationsDesks:
    """What talks to Stripe, or takes more than one transaction."""

    database: Database
    settings: Settings
    payments: Payments | None

    def replay_event(self, cookies: str, event_id: str) -> None:
        """Works on an event of Stripe's again."""
        with self._entered(cookies):
            pass  # nobody makes us talk to Stripe who is no operator
        replaying.replay(self.database.writing, self._stripe(), event_id, clock.now)

    def recount(self, cookies: str) -> None:
        """Brings every ledger that is behind up to date."""
        with self._entered(cookies):
            pass
        recounts.demand(self.database.writing, clock.now)

    def refund(self, cookies: str, grant: str, amount_cents: int | None, reason: str, key: str) -> RefundView:
        """Gives money back for a grant, once per key."""
        return refunds.make(lambda: self._entered(cookies), self._stripe(), grant, amount_cents, reason, key)

    def _stripe(self) -> Payments:
        if self.payments is None:
            raise UnavailableError("Stripe is not set up on this server.", code="buying_unavailable")
        return self.payments

    @contextmanager
    def _entered(self, cookies: str) -> Generator[_Entered]:
        """One transaction that may write, of an operator who was let in anew."""
        now = clock.now()
        with self.database.writing() as session:
            identity = sessions.identify_socket(session, cookies, now, demo=self.settings.demo)
            sessions.authorize_operator(identity)
            yield _Entered(session, now, f"user:{identity.user_id}" if identity else "")
