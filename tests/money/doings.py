"""What people, banks and time do to money in a town, each at random. One call is one money event, or tries to be."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import stripe

from billing_app.domain.common.errors import BillingError
from billing_app.domain.purchases.subscriptions import BillingInterval
from billing_app.services.common import organizations
from billing_app.services.plans import changes, orders
from billing_app.services.purchases import recurring_changes, saved_cards, top_ups
from billing_app.services.purchases.top_ups import Wanted
from billing_app.services.reversals import refunds
from billing_app.services.subscriptions import recurring_packs
from billing_app.services.usage import consumption
from billing_app.services.usage.consumption import Mode
from billing_app.store.credits import grants as credit_store
from tests.money.town import CODES, START, Household, Town
from tests.support.shop import PUBLIC_URL

LONGEST_DAYS = 300
"""Grants live a year: a town's story ends before the first of them expires."""

ONCE = ("mau-100", "mau-1k", "mau-50k", "storage-50gb", "bandwidth-100gb", "emails-100", "emails-1k", "sms-100")
MONTHLY = ("mau-10k-monthly", "storage-100gb-monthly", "sms-500-monthly", "emails-10k-monthly")
CARDS = (
    *["4242424242424242"] * 8,
    "4000000000000002",
    "4000000000009995",
    "4000002500003155",
    "4000000000005126",
    "4000000000007726",
    "4000000000000259",
    "000123456789",
    "000222222227",
)
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "api_error", "status": 500},
    {"kind": "api_error", "status": 500, "when": "after"},
    {"kind": "api_error", "status": 429},
    {"kind": "api_timeout", "seconds": 0.01},
    {"kind": "api_timeout", "seconds": 0.01, "when": "after"},
)

_numbers = itertools.count()


def buy(town: Town, house: Household) -> None:
    """A basket by Checkout; who does not get through at once tries again with the same key, and perhaps again."""
    chance = town.chance
    packs = chance.sample(ONCE, chance.randint(1, 3)) + (chance.sample(MONTHLY, 1) if chance.random() < 0.2 else [])
    wanted = {pack: chance.randint(1, 3) for pack in packs}
    key = f"basket-{next(_numbers)}"
    for _ in range(3):
        started = town.ask(house.shop.start, key=key, **wanted)
        if started is not None:
            break
    else:
        return
    house.sessions.append(started.session_id)
    if chance.random() < 0.1:
        return  # thinks better of it
    card = chance.choice(CARDS)
    passed = chance.choice(["complete", "complete", "fail"])
    code = {"promotion_code": town.codes.choice(list(CODES))} if town.codes.random() < 0.2 else {}
    house.shop.pay(started.session_id, card, authentication=passed, **code)
    if chance.random() < 0.5:
        town.ask(house.shop.come_back, started.session_id)


def pass_time(town: Town, house: Household) -> None:
    """Days go by: renewals, failures, retries."""
    days = town.chance.choice([1, 3, 9, 16])
    if (town.now - START).days + days < LONGEST_DAYS:
        town.advance(days=days, hours=town.chance.randint(0, 23))
    else:
        buy(town, house)


def fail_renewals(town: Town, house: Household) -> None:
    """The next automatic payments of a subscription will be declined."""
    running = town.v1.subscriptions.list({"customer": house.customer_id, "limit": 100}).data
    if running:
        chosen = town.chance.choice(running)
        town.shop.control("POST", f"/subscriptions/{chosen.id}/fail-next-renewal", count=town.chance.randint(1, 4))


def change_recurring(town: Town, house: Household) -> None:
    """Another quantity from the next renewal on, or the end."""
    with house.shop.enter() as visit:
        rows = recurring_packs.listed(visit.session, visit.organization)
    packs = sorted((row.started_at, row.pack, row.id) for row in rows)
    if packs:
        count, (_, _, chosen) = town.chance.randint(0, 4), town.chance.choice(packs)
        town.ask(recurring_changes.change, house.shop.enter, house.shop.payments, chosen, count)


def _charges(town: Town, house: Household) -> list[Any]:
    found = town.v1.charges.list({"customer": house.customer_id, "limit": 100}).data
    return [charge for charge in found if charge.status == "succeeded"]


def refund(town: Town, house: Household) -> None:
    """In Stripe's dashboard: all that is left, or a part."""
    chance = town.chance
    charges = [each for each in _charges(town, house) if each.amount_refunded < each.amount]
    if charges:
        charge = chance.choice(charges)
        left = charge.amount - charge.amount_refunded
        part: Any = {} if chance.random() < 0.3 else {"amount": chance.randint(1, left)}
        with suppress(stripe.InvalidRequestError):  # Stripe refuses what was charged back
            town.v1.refunds.create({"charge": charge.id, **part})


def refund_here(town: Town, house: Household) -> None:
    """On our pages, for one grant."""
    with town.database.reading() as session:
        owner = organizations.by_address(session, house.shop.address).pk
        found = [(each.recorded_at, each.paid_cents, each.id) for each in credit_store.grants(session, owner)]
    paid = sorted(each for each in found if each[1])
    if paid:
        _, cents_paid, grant = town.chance.choice(paid)
        cents, key = town.chance.choice([None, town.chance.randint(1, cents_paid)]), f"refund-{next(_numbers)}"
        for _ in range(2):
            if town.ask(refunds.make, house.shop.enter, house.shop.payments, grant, cents, "As asked", key):
                return


def fail_refund(town: Town, house: Household) -> None:
    """A bank sends a refund back, or takes it at last."""
    charges = [charge.id for charge in _charges(town, house) if charge.amount_refunded]
    if charges:
        found = town.v1.refunds.list({"charge": town.chance.choice(charges), "limit": 100}).data
        alive = [each for each in found if each.status in ("pending", "succeeded")]
        if alive:
            chosen = town.chance.choice(alive)
            if chosen.status == "pending" and town.chance.random() < 0.5:
                town.shop.control("POST", f"/refunds/{chosen.id}/settle")
            else:
                town.shop.control("POST", f"/refunds/{chosen.id}/fail")


def dispute(town: Town, house: Household) -> None:
    """A payer's bank takes money back, or only asks."""
    chance = town.chance
    charges = [each for each in _charges(town, house) if not each.disputed]
    if charges:
        charge = chance.choice(charges)
        part: Any = {} if chance.random() < 0.6 else {"amount": chance.randint(1, charge.amount)}
        town.shop.control("POST", "/disputes", charge=charge.id, inquiry=chance.random() < 0.2, **part)


def decide_dispute(town: Town, house: Household) -> None:
    """The bank decides."""
    for charge in _charges(town, house):
        for found in town.v1.disputes.list({"charge": charge.id}).data if charge.disputed else []:
            if found.status == "warning_needs_response":
                town.shop.control("POST", f"/disputes/{found.id}/close", outcome="won")
                return
            if found.status == "needs_response":
                town.shop.control("POST", f"/disputes/{found.id}/close", outcome=town.chance.choice(["won", "lost"]))
                return


def plan(town: Town, house: Household) -> None:
    """A plan is subscribed to, changed at the price that was shown, ended, paused, and what else can be done to it."""
    if not house.subscribes:
        use(town, house)
        return
    chance, visit = town.chance, (house.shop.enter, house.shop.payments)
    wanted = (chance.choice(["essential", "pro"]), chance.choice(list(BillingInterval)))
    doing = chance.choice(["start"] * 2 + ["change"] * 3 + ["cancel", "uncancel", "pause", "resume", "keep"])
    if doing == "start":
        started = town.ask(orders.start, *visit, *wanted, PUBLIC_URL, key=f"plan-{next(_numbers)}")
        if started is not None:
            house.shop.pay(started.session_id, chance.choice(CARDS[:10]), authentication="complete")
    elif doing == "change":
        _change_plan(town, house, *wanted)
    else:
        does = {"cancel": changes.cancel, "uncancel": changes.uncancel, "pause": changes.pause,
                "resume": changes.resume, "keep": changes.keep_plan}  # fmt: skip
        town.ask(does[doing], *visit)


def _change_plan(town: Town, house: Household, name: str, interval: BillingInterval) -> None:
    """What was shown is what is charged, to the cent."""
    visit = (house.shop.enter, house.shop.payments)
    shown = town.ask(changes.preview, *visit, name, interval)
    before = {each.id for each in town.v1.invoices.list({"customer": house.customer_id}).data}
    if shown is None or not town.manages(changes.change, *visit, name, interval, shown.at):
        return
    made = [each for each in town.v1.invoices.list({"customer": house.customer_id}).data if each.id not in before]
    assert sum(each.amount_due for each in made) == max(0, shown.due_cents)


def use(town: Town, house: Household) -> None:
    """Messages are sent, as many as there is room for."""
    if house.subscribes:
        plan(town, house)
        return
    metric = town.chance.choice(["sms", "emails"])
    wanted = town.chance.choice([7, 60, 400, 3_000])
    with house.shop.enter() as visit:
        taken = consumption.consume(visit, metric, wanted, mode=Mode.CLAMP, key=f"use-{next(_numbers)}")
    house.used[metric, town.now.month] += taken.accepted


def top_up(town: Town, house: Household) -> None:
    """Saves a card and sets an auto top-up, with a card that works or one that will not; or lets the job look."""
    chance = town.chance
    if house.subscribes or chance.random() < 0.7:
        town.sweep()
        return
    try:
        with town.trouble():
            started = saved_cards.begin(house.shop.enter, house.shop.payments, PUBLIC_URL, "emails")
        house.shop.pay(started.session_id, chance.choice(CARDS[:8] + CARDS[10:11]), authentication="complete")
        saved_cards.finish(house.shop.enter, house.shop.payments, started.session_id)
        wanted = Wanted(
            enabled=True, threshold=100, pack="emails-1k", count=chance.randint(1, 3), cap_cents=5_000, consent=True
        )
        with house.shop.enter() as visit:
            top_ups.put(visit, "emails", wanted)
    except BillingError:
        return


def trouble(town: Town, house: Household) -> None:
    """Stripe does not answer the next calls, or does what was asked and does not say so."""
    town.troubles.append({"count": town.chance.choice([1, 2, 5]), **town.chance.choice(FAULTS)})


DOINGS: dict[Callable[[Town, Household], None], int] = {
    buy: 30,
    pass_time: 10,
    fail_renewals: 4,
    change_recurring: 6,
    refund: 12,
    refund_here: 6,
    fail_refund: 5,
    dispute: 6,
    decide_dispute: 6,
    use: 10,
    top_up: 5,
    plan: 8,
    trouble: 5,
}
"""With how often each happens."""
