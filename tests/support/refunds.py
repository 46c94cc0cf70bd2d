"""Refunds and disputes at the shop's account of the fake Stripe, and what became of the grants that they are of."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from billing_app import clock
from billing_app.domain.credits.accounts import Account, GrantAccount
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.usage import accounts, reporting
from billing_app.services.verification import verification
from billing_app.store.tables.credits import GrantRow
from tests.support.shop import Shop

EVENTS = (
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.closed",
    "charge.dispute.funds_reinstated",
)


def buy(shop: Shop, *packs: str, **counts: int) -> str:
    """A purchase that was fulfilled; its payment's id."""
    session_id = shop.buy(*packs, **counts)
    assert shop.come_back(session_id).state == "paid"
    return payment_of(shop, session_id)


def payment_of(shop: Shop, session_id: str) -> str:
    """The payment of a Checkout session."""
    return str(shop.stripe.checkout.sessions.retrieve(session_id).payment_intent)


def refund(shop: Shop, payment_id: str, cents: int | None = None, grant: str = "") -> str:
    """Gives money back in Stripe's dashboard (naming a `grant` as our pages do); the refund's id. We hear nothing."""
    amount: Any = {} if cents is None else {"amount": cents}
    named: Any = {"metadata": {"grant": grant}} if grant else {}
    return shop.stripe.refunds.create({"payment_intent": payment_id, **amount, **named}).id


def dispute(shop: Shop, payment_id: str, **more: Any) -> str:
    """The payer's bank takes the money back; the dispute's id."""
    return str(shop.control("POST", "/disputes", payment_intent=payment_id, **more)["id"])


def close(shop: Shop, dispute_id: str, outcome: str) -> None:
    """The bank decides."""
    shop.control("POST", f"/disputes/{dispute_id}/close", outcome=outcome)


def use(shop: Shop, metric: str, quantity: int, key: str = "use") -> None:
    """The organization uses something above its plan, which includes nothing of it here."""
    with shop.database.writing() as session:
        now = shop.clock()
        acme = organizations.by_address(session, "acme")
        reporting.report(Context(session, acme, now), [reporting.ReportedEvent(metric, quantity, id=key, at=now)])


def a_second_later() -> None:
    """Waits for the next second of the clock."""
    time.sleep(1 - time.time() % 1)


def plan(shop: Shop, name: str = "free") -> None:
    """The organization takes a plan."""
    with shop.database.writing() as session:
        grants.change_plan(Context(session, organizations.by_address(session, "acme"), shop.clock()), name)


def account(shop: Shop, metric: str) -> Account:
    """Where the metric's credits are, as the engine says it a moment later."""
    with shop.database.reading() as session:
        acme = organizations.by_address(session, "acme")
        return accounts.account(session, acme, metric, shop.clock() + timedelta(seconds=2))


def grant_account(shop: Shop, grant: GrantRow) -> GrantAccount:
    """Where one grant's credits are."""
    return account(shop, grant.metric).grants[grant.id]


def clawed_back(shop: Shop) -> dict[str, int]:
    """What was taken back, by the pack of the grant; each pack was bought once."""
    return {grant.pack or "": grant_account(shop, grant).clawed_back for grant in shop.grants()}


def differences(shop: Shop) -> list[verification.Difference]:
    """What `billing verify` finds."""
    with shop.database.reading() as session:
        acme = organizations.by_address(session, "acme")
        # Sweeps in these stories run two minutes ahead, and what they record is no mistake.
        return list(verification.verify(Context(session, acme, clock.now() + timedelta(minutes=3))))
