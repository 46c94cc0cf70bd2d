"""The demo's purchases whose money goes back: one refunded in part, one in dispute, really at the fake Stripe.

They are bought on the first start, through the product's own services, so that an operator finds the payment, its
refund or dispute and every event of it on both sides. Each step can be repeated: the next start continues one that
was killed. Neither is of a metric that the story is about.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import httpx
from sqlmodel import Session

from billing_app.db import Database
from billing_app.demo.people import ACCOUNTS, LARKFIELD, PEBBLEBROOK, DemoOrganization
from billing_app.domain.common.errors import UnavailableError
from billing_app.gateways import tls
from billing_app.gateways.payments import CheckoutState, Payments
from billing_app.locations import PREFIX
from billing_app.services.common import organizations
from billing_app.services.common.context import Context, OperatorContext
from billing_app.services.credits import statements
from billing_app.services.credits.grants import GrantRow
from billing_app.services.credits.views_statements import GrantAnswer
from billing_app.services.purchases import orders, status
from billing_app.services.reversals import refunds, reversals
from billing_app.settings import Settings

CARD = "4242424242424242"

REFUNDED_PACK, REFUNDED_CENTS, REASON = "emails-1k", 100, "Bought one pack too many"
DISPUTED_PACK = "bandwidth-100gb"


@dataclass(frozen=True, slots=True)
class Till:
    """What buying in the story needs."""

    database: Database
    payments: Payments
    settings: Settings
    now: datetime

    @contextmanager
    def enter(self, organization: DemoOrganization, actor: str) -> Generator[Context]:
        """Somebody comes in."""
        with self.database.writing() as session:
            yield Context(session, organizations.by_address(session, organization.address), self.now, actor)

    @contextmanager
    def enter_as_operator(self, actor: str) -> Generator[OperatorContext]:
        """An operator comes in."""
        with self.database.writing() as session:
            yield OperatorContext(session, self.now, actor)

    def control(self, path: str, **members: Any) -> None:
        """Lets a payer or a bank do something at the fake Stripe, once: what is done already is refused there."""
        secret = self.settings.stripe_api_secret.get_secret_value()
        try:
            answer = httpx.post(
                f"{self.settings.stripe_api_base}{PREFIX}/control{path}",
                headers={"Authorization": f"Bearer {secret}"},
                json=members,
                timeout=20,
                trust_env=False,
                verify=tls.context(),
            )
        except httpx.HTTPError as error:
            raise UnavailableError(f"The fake Stripe does not answer: {error}") from None
        if answer.is_error:
            raise UnavailableError(f"The fake Stripe refused {path}: {answer.text.strip()[:500]}")


def stage(database: Database, payments: Payments, settings: Settings, now: datetime) -> None:
    """Makes what is missing of both; quick once it was done."""
    till = Till(database, payments, settings, now)
    grant = _bought(till, LARKFIELD, REFUNDED_PACK)
    with database.reading() as session:
        refunded = refunds.of_grants(session, organizations.by_address(session, LARKFIELD.address).pk, [grant.id])
        disputer = organizations.by_address(session, PEBBLEBROOK.address).pk
        paid = [each.payment_id for each in _paid(till, session, PEBBLEBROOK)]
        disputed = reversals.is_disputed(session, disputer, paid)
    if not refunded or refunded[0].state == "open":
        operator = ACCOUNTS.operator.email
        enter = partial(till.enter_as_operator, operator)
        refunds.make(enter, payments, grant.id, REFUNDED_CENTS, REASON, "demo refund")
    if not disputed:
        _dispute(till, _bought(till, PEBBLEBROOK, DISPUTED_PACK).payment_id)


def _bought(till: Till, organization: DemoOrganization, pack: str) -> GrantRow | GrantAnswer:
    """The grant of one pack, bought and paid by the organization's admin if it was not yet."""
    key = f"demo {pack}"
    person, _role = organization.members[0]
    with till.database.reading() as session:
        known = [row for row in _paid(till, session, organization) if row.pack == pack]
    if known:
        return known[0]

    def enter() -> Any:
        return till.enter(organization, person.email)

    started = orders.start_checkout(enter, till.payments, [(pack, 1)], till.settings.public_url, key=key)
    if till.payments.checkout(started.session_id).state is not CheckoutState.PAID:
        till.control(f"/checkout/{started.session_id}/pay", number=CARD, name=person.name, email=person.email)
    return status.status(enter, till.payments, started.session_id).grants[0]


def _paid(till: Till, session: Session, organization: DemoOrganization) -> list[GrantAnswer]:
    """What an organization bought, the oldest first."""
    found = statements.grants(Context(session, organizations.by_address(session, organization.address), till.now))
    return [each for each in reversed(found) if each.payment_id]


def _dispute(till: Till, payment_id: str) -> None:
    """The payer's bank takes the money back; the organization hears of it as from an event."""
    found = reversals.read(till.payments, payment_id)
    if found is None or not found.reversals.disputes:
        till.control("/disputes", payment_intent=payment_id, reason="product_not_received")
        found = reversals.read(till.payments, payment_id)
    if found is not None:
        with till.database.writing() as session:
            reversals.settle(session, found, till.now)
