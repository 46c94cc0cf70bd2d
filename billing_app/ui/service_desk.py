"""Desks that are served by the services: the seam between pages and everything that is stored."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterable, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TypeVar

from sqlalchemy.exc import OperationalError

from billing_app import clock
from billing_app.db import Database, Session
from billing_app.domain.common.access import MONEY_ROLES, Role
from billing_app.domain.common.errors import NotFoundError, UnavailableError
from billing_app.services.access import one_time_links, sessions
from billing_app.services.access.views import Kind, LinkView
from billing_app.services.common import organizations, payers
from billing_app.services.credits import explaining, read_ledger
from billing_app.services.credits import read as reading_credits
from billing_app.services.credits.views import CreditsView, ExplainView
from billing_app.services.credits.views_ledger import LedgerFilters, LedgerView, TraceView
from billing_app.services.overview import frame, overview, read_usage
from billing_app.services.overview.views import OverviewView, UsageView
from billing_app.services.overview.views_frame import ShellView
from billing_app.services.purchases import buying, orders
from billing_app.services.purchases import status as purchase_status
from billing_app.services.purchases.orders import Payments
from billing_app.services.purchases.views_buying import BuyView, CheckoutView
from billing_app.services.usage import accounts
from billing_app.settings import Settings
from billing_app.ui.desk import Visitor
from billing_app.ui.service_desks.alerts import ServiceAlertsDesk, ServiceAlertsDesks
from billing_app.ui.service_desks.cards import ServiceCardsDesk, ServiceCardsDesks
from billing_app.ui.service_desks.founding import ServiceFoundingDesks
from billing_app.ui.service_desks.operator import ServiceOperatorDesks
from billing_app.ui.service_desks.organization import ServiceOrganizationDesks, ServiceOrganizationReading
from billing_app.ui.service_desks.plan import ServicePlanDesk, ServicePlanDesks
from billing_app.ui.service_desks.processes import ServiceProcessesDesk, ServiceProcessesDesks
from billing_app.ui.service_desks.renewals import ServiceRenewalsDesk, ServiceRenewalsDesks
from billing_app.ui.service_desks.shared import SharedViews

View = TypeVar("View")


class ServiceDesk(
    ServiceAlertsDesk,
    ServiceCardsDesk,
    ServiceOrganizationReading,
    ServicePlanDesk,
    ServiceProcessesDesk,
    ServiceRenewalsDesk,
):
    """What one visitor reads of one organization, in one transaction."""

    def __init__(
        self, session: Session, access: sessions.Access, settings: Settings, now: datetime, views: SharedViews
    ) -> None:
        """`access` was found in the same transaction; `views` are those that all desks of the process share."""
        self.session = session
        self.views = views
        self.access = access
        self.organization = access.organization
        self.settings = settings
        self.now = now

    def shell(self) -> ShellView:
        """What is around the page."""
        return frame.shell(self.session, self.access, self.settings, self.now)

    def overview(self, metric: str) -> OverviewView:
        """The overview."""
        return self._shared(
            overview.overview, (metric,), lambda read: read(self.session, self.organization, self.now, metric)
        )

    def usage(self, metric: str, months: int, within: datetime | None) -> UsageView:
        """Months of a metric and the days of the period that `within` falls in."""
        return self._shared(
            read_usage.usage,
            (metric, months, within),
            lambda read: read(self.session, self.organization, metric, self.now, months=months, within=within),
        )

    def credits(self, metric: str, months: int) -> CreditsView:
        """The credits of a metric."""
        return self._shared(
            reading_credits.credits,
            (metric, months),
            lambda read: read(self.session, self.organization, metric, self.now, months=months),
        )

    def explain(self, metric: str, at: datetime | None) -> ExplainView:
        """What made the balance at a moment."""
        return self._shared(
            explaining.explain,
            (metric, at),
            lambda read: read(self.session, self.organization, metric, at or self.now, self.now),
        )

    def buy(self, metric: str, until: datetime | None, basket: Mapping[str, int]) -> BuyView:
        """Packs, calculator and basket."""
        return self._shared(
            buying.buy,
            (metric, until, tuple(sorted(basket.items()))),
            lambda read: read(self.session, self.organization, self.now, metric=metric, until=until, basket=basket),
        )

    def ledger(self, filters: LedgerFilters, cursor: str) -> LedgerView:
        """One page of the ledger."""
        return self._shared(
            read_ledger.ledger,
            (filters, cursor),
            lambda read: read(self.session, self.organization, filters, cursor, self.now),
        )

    def trace(self, number: int) -> TraceView:
        """One entry and where it came from."""
        return read_ledger.trace(self.session, self.organization, number, self.now)

    def _shared(self, read: Callable[..., View], asked: Hashable, call: Callable[[Callable[..., View]], View]) -> View:
        """What `call(read)` gives, which is all that pages of this organization show: read once for all that ask it.

        Its revision names what was changed last, its payer's what was changed there; neither tells who looks, so the
        role does. What is about the person who looks is never read through here.
        """
        payer = payers.payer(self.session, self.organization, self.now)
        owners = {self.access.organization_id, accounts.organization_id(payer)}
        revisions = organizations.revisions(self.session, sorted(owners))
        key = (self.access.organization_id, tuple(sorted(revisions.items())), self.access.role, read, asked)
        return self.views.read(key, self.now, lambda: call(read))


class ServiceDesks(
    ServiceOperatorDesks,
    ServiceAlertsDesks,
    ServiceCardsDesks,
    ServiceFoundingDesks,
    ServiceOrganizationDesks,
    ServicePlanDesks,
    ServiceProcessesDesks,
    ServiceRenewalsDesks,
):
    """Opens desks on the product's database; talks to Stripe outside transactions."""

    def __init__(self, database: Database, settings: Settings, payments: Payments | None) -> None:
        """`payments` None: nothing can be bought."""
        self.database = database
        self.settings = settings
        self.payments = payments
        self.views = SharedViews()

    @contextmanager
    def open(self, visitor: Visitor, roles: frozenset[Role]) -> Generator[ServiceDesk]:
        """A desk for a visitor who has one of `roles`; raises as `sessions.authorize` does."""
        now = clock.now()
        with self.database.reading() as session:
            access = self._access(session, visitor, roles, now)
            yield ServiceDesk(session, access, self.settings, now, self.views)
        if access.identity.renewal_due:
            with suppress(OperationalError), self.database.noting() as session:  # the next event makes the note
                sessions.renew(session, access.identity, now)

    def standing(self, cookies: str, address: str) -> str:
        """Whose session this is and what they are at `address`."""
        with self.database.reading() as session:
            identity = sessions.identify_socket(session, cookies, clock.now(), demo=self.settings.demo)
            return sessions.standing(session, identity, address)

    def open_sessions(self, hashes: Iterable[str]) -> dict[str, bool]:
        """Which of these sessions have not ended, and whether each is an operator's."""
        with self.database.reading() as session:
            return sessions.still_open(session, list(hashes), clock.now(), demo=self.settings.demo)

    def home(self, cookies: str) -> str | None:
        """The address of the organization that a person lands on."""
        now = clock.now()
        with self.database.reading() as session:
            identity = sessions.identify_socket(session, cookies, now, demo=self.settings.demo)
            return frame.home(session, identity)

    def is_operator(self, cookies: str) -> bool:
        """Whether an operator is signed in."""
        with self.database.reading() as session:
            identity = sessions.identify_socket(session, cookies, clock.now(), demo=self.settings.demo)
            return identity is not None and identity.operator

    def sign_up_open(self) -> bool:
        """Whether anybody may make an account: the operator lets them, and the link can be mailed."""
        return self.settings.sign_up and self.settings.mailing

    def sends_mail(self) -> bool:
        """Whether a link can be mailed."""
        return self.settings.mailing

    def look(self, kind: str, token: str) -> LinkView:
        """What a one-time link is for; raises BillingError for one that has ended."""
        if kind not in set(Kind):
            raise NotFoundError("There is no such link.")
        with self.database.reading() as session:
            return one_time_links.look(session, token, Kind(kind), clock.now())

    def start_checkout(self, visitor: Visitor, roles: frozenset[Role], basket: Mapping[str, int]) -> str:
        """Begins a payment and gives the URL of its hosted page."""
        started = orders.start_checkout(
            lambda: self._enter(visitor, roles), self._payments(), basket.items(), self.settings.public_url
        )
        return started.url

    def checkout(self, visitor: Visitor, roles: frozenset[Role], session_id: str) -> CheckoutView:
        """Where a payment stands; fulfils it if it is paid."""
        status = purchase_status.status(lambda: self._enter(visitor, roles), self._payments(), session_id)
        with self.open(visitor, roles) as desk:
            return buying.checkout(desk.session, desk.organization, status, desk.now)

    def revisions(self, addresses: Iterable[str]) -> dict[str, int]:
        """The revision of each organization, in one query."""
        with self.database.reading() as session:
            return organizations.revisions_by_address(session, list(addresses))

    def _payments(self) -> Payments:
        if self.payments is None:
            raise UnavailableError(
                "Buying is not set up: the operator has not connected Stripe yet.", code="buying_unavailable"
            )
        return self.payments

    def _access(self, session: Session, visitor: Visitor, roles: frozenset[Role], now: datetime) -> sessions.Access:
        identity = sessions.identify_socket(session, visitor.cookies, now, demo=self.settings.demo)
        return sessions.authorize(session, identity, visitor.address, now, roles)

    @contextmanager
    def _enter(self, visitor: Visitor, roles: frozenset[Role]) -> Generator[_Entered]:
        """One transaction that may write, of a visitor who was let in anew."""
        now = clock.now()
        with self.database.writing() as session:
            access = self._access(session, visitor, roles & MONEY_ROLES, now)
            yield _Entered(session, access, now)


class _Entered:
    """A transaction of somebody who was let in, as purchases take it."""

    def __init__(self, session: Session, access: sessions.Access, now: datetime) -> None:
        self.session = session
        self.organization = access.organization
        self.now = now
        self.actor = access.identity.email
