"""The seam between pages and services: what one visitor may read or do on one organization's pages.

A `Desk` is opened for one event or push, in one transaction, and only after the visitor's session, membership and role
were read from the database in that same transaction. Pages get at data in no other way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from billing_app.domain.common.access import Role
from billing_app.services.access.views import LinkView
from billing_app.services.credits.views import CreditsView, ExplainView
from billing_app.services.credits.views_ledger import LedgerFilters, LedgerView, TraceView
from billing_app.services.overview.views import OverviewView, UsageView
from billing_app.services.overview.views_frame import ShellView
from billing_app.services.purchases.views_buying import BuyView, CheckoutView
from billing_app.ui.desks.alerts import AlertsDesk, AlertsDesks
from billing_app.ui.desks.cards import CardsDesk, CardsDesks
from billing_app.ui.desks.founding import FoundingDesks
from billing_app.ui.desks.operator import OperatorDesks
from billing_app.ui.desks.organization import OrganizationDesks, OrganizationReading
from billing_app.ui.desks.plan import PlanDesk, PlanDesks
from billing_app.ui.desks.processes import ProcessesDesk, ProcessesDesks
from billing_app.ui.desks.renewals import RenewalsDesk, RenewalsDesks


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, as the server knows it: the Cookie header of the websocket, and the address in the page's URL."""

    cookies: str
    address: str


class Desk(RenewalsDesk, AlertsDesk, CardsDesk, OrganizationReading, PlanDesk, ProcessesDesk, Protocol):
    """What pages read. Every method is one service call; arguments come from a browser and are checked below."""

    def shell(self) -> ShellView:
        """What is around the page."""

    def overview(self, metric: str) -> OverviewView:
        """The overview, its chart of `metric`; empty for the first one."""

    def usage(self, metric: str, months: int, within: datetime | None) -> UsageView:
        """Months of a metric, and the days of the period that `within` falls in (default: the running one)."""

    def credits(self, metric: str, months: int) -> CreditsView:
        """The credits of a metric, with the balance over so many months."""

    def explain(self, metric: str, at: datetime | None) -> ExplainView:
        """What made the balance at a moment; None is now."""

    def buy(self, metric: str, until: datetime | None, basket: Mapping[str, int]) -> BuyView:
        """Packs, calculator and basket (pack id to count)."""

    def ledger(self, filters: LedgerFilters, cursor: str) -> LedgerView:
        """One page of the ledger."""

    def trace(self, number: int) -> TraceView:
        """One entry and where it came from."""


class Desks(
    OperatorDesks,
    AlertsDesks,
    CardsDesks,
    FoundingDesks,
    OrganizationDesks,
    PlanDesks,
    ProcessesDesks,
    RenewalsDesks,
    Protocol,
):
    """Opens desks, and does what must not happen inside a transaction."""

    def open(self, visitor: Visitor, roles: frozenset[Role]) -> AbstractContextManager[Desk]:
        """A desk for a visitor who has one of `roles`.

        Raises UnauthenticatedError, NotFoundError (also for another's organization) or ForbiddenError.
        """

    def home(self, cookies: str) -> str | None:
        """The address of the organization that a person lands on; None without any.

        Raises UnauthenticatedError when nobody is signed in.
        """

    def is_operator(self, cookies: str) -> bool:
        """Whether an operator is signed in."""

    def sign_up_open(self) -> bool:
        """Whether anybody may make an account."""

    def sends_mail(self) -> bool:
        """Whether a link can be mailed."""

    def look(self, kind: str, token: str) -> LinkView:
        """What a one-time link is for. Raises BillingError for a link that has ended."""

    def start_checkout(self, visitor: Visitor, roles: frozenset[Role], basket: Mapping[str, int]) -> str:
        """Begins a payment and gives the URL of its hosted page. Talks to Stripe: never on the event loop."""

    def checkout(self, visitor: Visitor, roles: frozenset[Role], session_id: str) -> CheckoutView:
        """Where a payment stands; fulfils it if it is paid. Talks to Stripe: never on the event loop."""

    def revisions(self, addresses: Iterable[str]) -> dict[str, int]:
        """The revision of each organization, in one query."""


class Standings(Protocol):
    """Who is at the other end of a socket: asked before anything is shown, and by nothing that shows."""

    def standing(self, cookies: str, address: str) -> str:
        """Whose session this is and what they are at `address`, as a text that changes when any of it does.

        Empty for nobody, and for a session that has ended.
        """

    def open_sessions(self, hashes: Iterable[str]) -> dict[str, bool]:
        """Which of these sessions have not ended, and whether each is an operator's, in one query."""


_desks: Desks | None = None


def desks() -> Desks:
    """Whoever opens desks in this process."""
    if _desks is None:
        raise RuntimeError("nobody opens desks: call desk.serve_from(...) in the composition")
    return _desks


def standings() -> Standings:
    """Whoever knows sessions in this process: the same that opens desks."""
    return cast("Standings", desks())


def serve_from(provider: Desks) -> None:
    """Says once, at start, who opens desks: the services, or samples in a test."""
    global _desks
    _desks = provider
