"""Many at once on one balance: none is decided on credits that are gone (credits.md, fine point 17).

Each client has connections of its own and has read its clock before it waits, as a request does.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier, Event
from typing import Any

import pytest
from sqlmodel import Session

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.errors import BillingError, NotFoundError
from billing_app.domain.credits.accounts import Account
from billing_app.locations import ROOT
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import gift_cards, granting, tokens
from billing_app.services.credits import grants as credits
from billing_app.services.usage import accounts, consumption
from billing_app.services.verification import verification
from billing_app.store.credits.grants import actions, grants
from billing_app.store.tables.organizations import Organization
from tests.support import databases
from tests.support.builders import an_organization, the_catalogue

Deed = Callable[[Session, Organization, datetime], Any]

MADE = "made"


@pytest.fixture
def acme(database: Database) -> Database:
    """An organization on the free plan, which includes 250 e-mails."""
    the_catalogue(database)
    with database.writing() as session:
        organization = an_organization(session)
        credits.change_plan(Context(session, organization, clock.now() - timedelta(days=40)), "free")
    return database


def at_once(database: Database, deeds: Sequence[Deed], addresses: Sequence[str] = ("acme",)) -> list[str]:
    """Every deed at the same moment, in a transaction of its own: `made`, what it answered, or why it was refused."""
    url, begin = database.url.render_as_string(hide_password=False), Barrier(len(deeds))

    def client(number: int) -> str:
        own = databases.opened(url).ticking(clock.now)
        try:
            with own.reading() as session:
                organizations.by_address(session, "acme")
            begin.wait()
            now = clock.now()
            with own.writing() as session:
                organization = organizations.by_address(session, addresses[number % len(addresses)])
                said = deeds[number](session, organization, now)
        except BillingError as refusal:
            return refusal.code
        finally:
            own.close()
        return said if isinstance(said, str) else MADE

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(client, range(len(deeds))))


def give(database: Database, metric: str, quantity: int, name: str = "gift", **more: Any) -> None:
    facts: dict[str, Any] = {"source": "operator", "source_key": name, "reason": name, "id": name} | more
    with database.writing() as session:
        credits.grant(
            Context(session, organizations.by_address(session, "acme"), clock.now()),
            credits.NewGrant(metric, quantity, **facts),
        )


def account(database: Database, metric: str) -> Account:
    with database.reading() as session:
        return accounts.account(session, organizations.by_address(session, "acme"), metric, clock.now())


def differences(database: Database) -> list[str]:
    with database.reading() as session:
        found = verification.verify(Context(session, organizations.by_address(session, "acme"), clock.now()))
        return [str(each) for each in found]


def consumes(quantity: int, metric: str = "emails") -> Deed:
    def deed(session: Session, organization: Organization, now: datetime) -> str:
        return (
            MADE if consumption.consume(Context(session, organization, now), metric, quantity).accepted else "refused"
        )

    return deed


def converts(count: int, key: str) -> Deed:
    return lambda session, organization, now: tokens.convert(
        Context(session, organization, now, "tests"), "mau", count, key=key
    )


@pytest.mark.parametrize(("clients", "each", "held", "fit"), [(8, 20, 45, 2), (12, 7, 50, 7)])
def test_as_many_conversions_as_there_are_tokens_for(
    acme: Database, clients: int, each: int, held: int, fit: int
) -> None:
    give(acme, "token", held)
    said = at_once(acme, [converts(each, f"client {number}") for number in range(clients)])
    assert Counter(said) == {MADE: fit, "credits_exhausted": clients - fit}
    assert account(acme, "token").left == held - fit * each
    assert account(acme, "mau").left == 100 * fit * each
    assert differences(acme) == []


def test_one_conversion_sent_many_times_is_one(acme: Database) -> None:
    give(acme, "token", 45)
    assert at_once(acme, [converts(20, "the same")] * 6) == [MADE] * 6
    assert (account(acme, "token").left, account(acme, "mau").left) == (25, 2_000)
    assert differences(acme) == []


def test_a_void_beside_running_consumes_takes_exactly_what_is_left(acme: Database) -> None:
    give(acme, "emails", 60)
    with acme.writing() as session:
        consumption.consume(Context(session, organizations.by_address(session, "acme"), clock.now()), "emails", 250)

    def void(session: Session, organization: Organization, now: datetime) -> None:
        credits.void(Context(session, organization, now), "gift")

    deeds: list[Deed] = [consumes(7) for _ in range(5)]
    said = at_once(acme, [*deeds, void, *deeds])
    taken = said.count(MADE) - 1
    found = account(acme, "emails")
    assert (found.grants["gift"].burned, found.grants["gift"].voided) == (7 * taken, 60 - 7 * taken)
    assert (found.used, found.deficit) == (250 + 7 * taken, 0), "nobody used what had been forfeited"
    assert said.count("refused") == 10 - taken
    assert differences(acme) == []


def test_refunds_and_a_dispute_beside_consumes_leave_no_credit_twice(acme: Database) -> None:
    give(acme, "emails", 100, paid_cents=1_000, currency="usd", source="purchase")

    def refund(cents: int) -> Deed:
        return lambda session, organization, now: credits.refund(
            Context(session, organization, now), "gift", cents, source_key=f"refund {cents}"
        )

    said = at_once(
        acme, [consumes(50), refund(200), consumes(50), refund(400), consumes(200), refund(400), consumes(90)]
    )
    found = account(acme, "emails")
    taken = sum(quantity for quantity, word in zip((50, 0, 50, 0, 200, 0, 90), said, strict=True) if word == MADE)
    assert found.used == taken
    at = found.grants["gift"]
    with acme.reading() as session:
        told = actions(session, organizations.by_address(session, "acme").pk, "emails")
    # `refunded` is cumulative: a lower one recorded after a higher one says that a refund failed.
    given_back = (told[-1].refunded_cents or 0) // 10
    assert [each.refunded_cents for each in told] in ([200, 400], [400, 200])
    assert at.burned + at.left + at.clawed_back == 100
    assert at.clawed_back + found.debt == given_back
    assert found.deficit == 0
    assert differences(acme) == []


def test_one_card_is_redeemed_once_by_each_and_as_often_as_it_may(acme: Database) -> None:
    with acme.writing() as session:
        for address in ("north", "south"):
            credits.change_plan(Context(session, an_organization(session, address), clock.now()), "free")
        (card,) = gift_cards.create(session, "Spring", {"token": 30}, clock.now(), max_redemptions=2)

    def redeem(session: Session, organization: Organization, now: datetime) -> None:
        gift_cards.redeem(Context(session, organization, now, "tests"), card.code)

    said = at_once(acme, [redeem] * 9, ("acme", "north", "south"))
    assert said.count(MADE) == 2
    with acme.reading() as session:
        held = [grants(session, organizations.by_address(session, each).pk) for each in ("acme", "north", "south")]
    assert sorted(sum(row.quantity for row in rows) for rows in held) == [0, 30, 30]


def test_one_grant_told_by_many_is_one(acme: Database) -> None:
    def grant(session: Session, organization: Organization, now: datetime) -> str:
        return granting.give(
            Context(session, organization, now, "tests"), "mau", 40, reason="an outage", key="the same"
        ).id

    assert len(set(at_once(acme, [grant] * 6))) == 1
    assert account(acme, "mau").left == 40
    assert differences(acme) == []


def test_as_many_reservations_as_there_is_room_for(acme: Database) -> None:
    give(acme, "emails", 50)

    def reserve(session: Session, organization: Organization, now: datetime) -> None:
        consumption.reserve(Context(session, organization, now), "emails", 60)

    assert Counter(at_once(acme, [reserve] * 8)) == {MADE: 5, "credits_exhausted": 3}


def test_one_reservation_is_confirmed_or_released_once(acme: Database) -> None:
    with acme.writing() as session:
        organization = organizations.by_address(session, "acme")
        consumption.reserve(Context(session, organization, clock.now()), "emails", 100, reservation_id="r")

    def confirm(session: Session, organization: Organization, now: datetime) -> None:
        consumption.confirm(Context(session, organization, now), "r", quantity=80)

    def release(session: Session, organization: Organization, now: datetime) -> None:
        consumption.release(Context(session, organization, now), "r")

    at_once(acme, [confirm, release] * 4)
    assert account(acme, "emails").used in (0, 80)
    assert differences(acme) == []


def changes_plan(session: Session) -> None:
    credits.change_plan(Context(session, organizations.by_address(session, "acme"), clock.now()), "pro")


def includes_more(session: Session) -> None:
    document = json.loads((ROOT / "plans.json").read_text(encoding="utf-8"))
    for plan in document["plans"]:
        plan["included"]["emails"] = 7_000
    assert versions.load(session, document, clock.now(), "the editor", from_file=False).written


def beside(database: Database, first: Callable[[Session], None], second: Callable[[Session], None]) -> None:
    """What `first` did is not committed yet while `second` does its own, unless that waits for it."""
    url, done, over = database.url.render_as_string(hide_password=False), Event(), Event()

    def one() -> None:
        with database.writing() as session:
            first(session)
            done.set()
            over.wait(1)

    def other() -> None:
        own = databases.opened(url).ticking(clock.now)
        assert done.wait(30)
        with own.writing() as session:
            second(session)
        over.set()
        own.close()

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(one), pool.submit(other)]:
            each.result()


@pytest.mark.parametrize("changes", [changes_plan, includes_more])
def test_a_meter_that_is_made_beside_a_change_of_what_is_included_follows_it(
    acme: Database, changes: Callable[[Session], None]
) -> None:
    """Nobody has used e-mails yet: the change cannot mark a meter that it does not see."""

    def consume(session: Session) -> None:
        assert consumption.consume(
            Context(session, organizations.by_address(session, "acme"), clock.now()), "emails", 100
        ).accepted

    beside(acme, changes, consume)
    assert differences(acme) == []


def test_nobody_comes_to_a_plan_that_is_taken_away_meanwhile(acme: Database) -> None:
    def take_away(session: Session) -> None:
        document = json.loads((ROOT / "plans.json").read_text(encoding="utf-8"))
        document["plans"] = [plan for plan in document["plans"] if plan["plan"] != "pro"]
        assert versions.load(session, document, clock.now(), "the editor", from_file=False).written

    def change(session: Session) -> None:
        with pytest.raises(NotFoundError, match="pro"):
            changes_plan(session)

    beside(acme, take_away, change)
    assert differences(acme) == []


def test_consumes_beside_changes_of_the_plan_never_take_more_than_was_held(acme: Database) -> None:
    def plan(name: str) -> Deed:
        return lambda session, organization, now: credits.change_plan(Context(session, organization, now), name)

    said = at_once(acme, [consumes(100), plan("pro"), consumes(100), consumes(100), plan("free"), consumes(100)])
    found = account(acme, "emails")
    assert found.used == 100 * sum(word == MADE for index, word in enumerate(said) if index not in (1, 4))
    assert found.deficit == 0
    assert differences(acme) == []
