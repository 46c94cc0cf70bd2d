"""Desks that serve samples. For developing and testing pages; the product never imports this."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import BillingError, ForbiddenError, NotFoundError, UnauthenticatedError
from billing_app.services.access.views import Kind, LinkView
from billing_app.services.credits.views import CreditsView, ExplainView
from billing_app.services.credits.views_ledger import LedgerFilters, LedgerView, TraceView
from billing_app.services.notifications.views import AlertsView
from billing_app.services.overview.views import OverviewView, UsageView
from billing_app.services.overview.views_frame import ShellView
from billing_app.services.payments.stripe_catalogue import Step
from billing_app.services.purchases.views_buying import BuyView, CheckoutView
from billing_app.services.subscriptions.views_recurring import RenewalsView
from billing_app.ui.desk import Visitor
from tests.ui.samples import accounts, alerting, cards, organizing, overviews, renewals, shop, usages
from tests.ui.samples.operations import SampleOperationsDesks
from tests.ui.samples.operators import SampleOperatorDesk

ADDRESSES = ("meridian", "stopped", "fresh-start")


class SampleDesk(cards.SampleCardsDesk, organizing.SampleOrganizationReading):
    """One visitor's desk over samples."""

    def __init__(self, address: str, role: str) -> None:
        self.address, self.role = address, role

    def shell(self) -> ShellView:
        return overviews.shell(self.address, self.role)

    def overview(self, metric: str) -> OverviewView:
        make = {"meridian": overviews.meridian, "stopped": overviews.stopped, "fresh-start": overviews.fresh}
        return make[self.address](metric)

    def usage(self, metric: str, months: int, within: datetime | None) -> UsageView:
        return usages.usage(self.address, metric, months, within)

    def credits(self, metric: str, months: int) -> CreditsView:
        return accounts.credits(self.address, metric, months)

    def renewals(self, metric: str) -> RenewalsView | None:
        return renewals.renewals(self.address, self.role, metric)

    def explain(self, metric: str, at: datetime | None) -> ExplainView:
        return accounts.explain(self.address, metric, at)

    def buy(self, metric: str, until: datetime | None, basket: Mapping[str, int]) -> BuyView:
        return shop.buy(self.address, metric, until, basket)

    def ledger(self, filters: LedgerFilters, cursor: str) -> LedgerView:
        return accounts.ledger(self.address, filters, cursor)

    def trace(self, number: int) -> TraceView:
        return accounts.trace(number)

    def alerts(self, state: str, opened: str) -> AlertsView:
        return alerting.alerts(self.address, state, opened)


def role_in(cookies: str) -> str:
    """The role that a tab's cookies claim."""
    role = "admin"
    for part in cookies.split(";"):
        name, _, value = part.strip().partition("=")
        role = value if name == "sample_role" else role
    return role


class SampleDesks(
    alerting.SampleAlertsDesks,
    cards.SampleCardsDesks,
    renewals.SampleRenewalsDesks,
    SampleOperationsDesks,
    organizing.SampleOrganizationDesks,
):
    """Everybody is Ana Ruiz, an admin, unless the cookie `sample_role` says otherwise ("none": nobody)."""

    revision = 1

    @contextmanager
    def open(self, visitor: Visitor, roles: frozenset[Role]) -> Generator[SampleDesk]:
        role = role_in(visitor.cookies)
        if role == "none":
            raise UnauthenticatedError("Sign in to see this.")
        if visitor.address not in ADDRESSES:
            raise NotFoundError("There is no such organization.")
        if role != "operator" and Role(role) not in roles:
            raise ForbiddenError(f"Your role here is {role}; this needs {' or '.join(sorted(roles))}.")
        yield SampleDesk(visitor.address, role)

    def standing(self, cookies: str, address: str) -> str:
        return f"{role_in(cookies)} {address}"

    def open_sessions(self, hashes: Iterable[str]) -> dict[str, bool]:
        return dict.fromkeys(hashes, False)

    def home(self, cookies: str) -> str | None:
        return "meridian"

    def start_checkout(self, visitor: Visitor, roles: frozenset[Role], basket: Mapping[str, int]) -> str:
        return f"/o/{visitor.address}/credits/bought?session_id=sample"

    def checkout(self, visitor: Visitor, roles: frozenset[Role], session_id: str) -> CheckoutView:
        return shop.checkout(session_id)

    def sign_up_open(self) -> bool:
        return True

    def sends_mail(self) -> bool:
        return True

    def look(self, kind: str, token: str) -> LinkView:
        if token == "ended":
            raise BillingError("This link has ended or was used.", code="link_ended")
        return LinkView(Kind(kind), "ana@meridian.example", "Ana", "Meridian", "admin", False)

    def is_operator(self, cookies: str) -> bool:
        return role_in(cookies) == "operator"

    @contextmanager
    def open_operator(self, cookies: str, *, writing: bool = False) -> Generator[SampleOperatorDesk]:
        role = role_in(cookies)
        if role == "none":
            raise UnauthenticatedError("Sign in to see this.")
        if role != "operator":
            raise ForbiddenError("This is for operators only.")
        yield SampleOperatorDesk()

    def push_prices(self, cookies: str) -> Sequence[Step]:
        with self.open_operator(cookies):
            return []  # nothing is at Stripe that would have to be made

    def revisions(self, addresses: Iterable[str]) -> dict[str, int]:
        return dict.fromkeys(addresses, self.revision)
