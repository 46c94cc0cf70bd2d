"""A shop with a saved card and an auto top-up, and credits that run low when a test says so."""

from __future__ import annotations

from typing import Any

from sqlmodel import select

from billing_app.db import Database
from billing_app.services.common import organizations
from billing_app.services.credits import grants
from billing_app.services.purchases import saved_cards, top_up_charging, top_ups
from billing_app.services.purchases.top_ups import TopUp, Wanted
from billing_app.services.usage import consumption
from billing_app.store.tables.base import new_id
from billing_app.store.tables.purchases import TopUpAttempt
from tests.support.recurring import Renewing
from tests.support.shop import PAYS, PUBLIC_URL

METRIC = "emails"
WANTED = Wanted(enabled=True, threshold=100, pack="emails-1k", count=2, cap_cents=1_200, consent=True)
"""Two packs of 1,000 emails for $5.00 when 100 are left, at most $12.00 a month."""


class Topping(Renewing):
    """Emails: 250 in the plan, 1,000 of credits, and a top-up that is on unless told otherwise."""

    def __init__(self, database: Database, card: str | None = PAYS, wanted: Wanted | None = WANTED) -> None:
        """`card` is the number of the card that is saved."""
        super().__init__(database)
        with self.shop.enter() as buyer:
            grants.grant(
                buyer, grants.NewGrant(METRIC, 1_000, source="operator", source_key="first", reason="To begin with")
            )
        if card is not None:
            self.save_card(card)
        if wanted is not None:
            self.put(wanted)

    def save_card(self, number: str) -> None:
        """What its owner does on the page."""
        started = saved_cards.begin(self.shop.enter, self.shop.payments, PUBLIC_URL, METRIC)
        assert self.shop.pay(started.session_id, number, authentication="complete")["decline"] is None
        assert saved_cards.finish(self.shop.enter, self.shop.payments, started.session_id) is not None

    def put(self, wanted: Wanted) -> TopUp:
        """Sets the top-up."""
        with self.shop.enter() as buyer:
            return top_ups.put(buyer, METRIC, wanted)

    def use(self, quantity: int) -> None:
        """Emails are sent."""
        with self.shop.enter() as buyer:
            consumed = consumption.consume(buyer, METRIC, quantity, key=new_id().hex)
        assert consumed.accepted == quantity

    def sweep(self) -> int:
        """What the job does."""
        return top_up_charging.sweep(self.shop.database.writing, self.shop.payments, self.shop.clock)

    def top_up(self) -> TopUp:
        """How it stands."""
        with self.shop.enter() as buyer:
            return top_ups.top_up(buyer, METRIC)

    def attempts(self) -> list[TopUpAttempt]:
        """Every attempt, oldest first."""
        with self.shop.database.reading() as session:
            owner = organizations.by_address(session, "acme").pk
            found = session.exec(select(TopUpAttempt).where(TopUpAttempt.organization_id == owner))
            return sorted(found, key=lambda attempt: attempt.id)

    def bought(self) -> list[int]:
        """Quantities that were bought by it."""
        return [grant.quantity for grant in self.shop.grants() if grant.source == "top_up"]

    def charges(self) -> list[Any]:
        """What the card was really charged, oldest first."""
        found = self.shop.stripe.charges.list({"customer": self.customer_id, "limit": 100}).data
        return [charge for charge in reversed(found) if charge.status == "succeeded"]
