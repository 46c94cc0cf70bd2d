"""Gift cards: codes nobody can guess, redeemed once by an organization and never more often than they may be."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import select

from billing_app.db import Database
from billing_app.domain.common.errors import BillingError, ConflictError, InvalidError, NotFoundError
from billing_app.domain.credits import gift_codes
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import gift_cards
from billing_app.services.credits.views_cards import CardState, NewGiftCardAnswer
from billing_app.services.usage import accounts
from billing_app.services.verification import verification
from billing_app.store.tables.credits import GiftCard, GiftCardRedemption
from tests.support.builders import NOON, an_organization, the_catalogue

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def two_organizations(database: Database) -> None:
    the_catalogue(database)
    with database.writing() as session:
        an_organization(session, "acme")
        an_organization(session, "globex")


def a_card(database: Database, **more: object) -> NewGiftCardAnswer:
    facts: dict[str, Any] = {"name": "Welcome", "contents": {"mau": 500, "token": 3}} | more
    with database.writing() as session:
        return gift_cards.create(session, now=NOON, actor="op@example.org", **facts)[0]


def redeem(database: Database, code: str, address: str = "acme", now=NOON) -> gift_cards.Redeemed:
    with database.writing() as session:
        gift_cards.begin(Context(session, organizations.by_address(session, address), now))
    with database.writing() as session:
        return gift_cards.redeem(
            Context(session, organizations.by_address(session, address), now, "ada@example.org"), code
        )


def state(database: Database, card: NewGiftCardAnswer, now=NOON) -> CardState:
    with database.reading() as session:
        return next(view for view in gift_cards.page(session, now, 10) if view.id == card.id).state


def test_a_card_brings_what_it_holds_valid_for_a_year(database: Database) -> None:
    card = a_card(database)
    got = redeem(database, card.code)
    assert [(grant.metric, grant.quantity) for grant in got.grants] == [("mau", 500), ("token", 3)]
    with database.reading() as session:
        acme = organizations.by_address(session, "acme")
        assert accounts.account(session, acme, "mau", NOON + 364 * DAY).left == 500
        assert accounts.account(session, acme, "mau", NOON + 365 * DAY).left == 0
        assert list(verification.verify(Context(session, acme, NOON))) == []


def test_only_the_hash_of_a_code_is_stored(database: Database) -> None:
    card = a_card(database)
    with database.reading() as session:
        row = session.exec(select(GiftCard)).one()
    plain = card.code.replace("-", "")
    assert plain not in json.dumps(row.model_dump(mode="json"))
    assert card.code not in repr(card)
    assert row.hint == f"...{plain[-4:]}"


def test_a_code_is_read_however_it_was_typed(database: Database) -> None:
    card = a_card(database)
    assert gift_codes.normal(f" {card.code.lower().replace('-', ' ')} ") == card.code.replace("-", "")
    assert redeem(database, card.code.lower()).card_id == card.id


@pytest.mark.parametrize("typed", ["", "abc", "0000-0000-0000-0000", "\0", "A" * 500, "ÄÄÄÄ-ÄÄÄÄ-ÄÄÄÄ-ÄÄÄÄ"])
def test_what_cannot_be_a_code_is_none(database: Database, typed: str) -> None:
    assert gift_codes.normal(typed) is None
    with pytest.raises(NotFoundError):
        redeem(database, typed)


def test_codes_of_a_batch_differ_and_use_only_the_readable_alphabet(database: Database) -> None:
    with database.writing() as session:
        made = gift_cards.create(session, "Batch", {"sms": 1}, NOON, count=200)
    codes = {card.code for card in made}
    assert len(codes) == 200
    assert set("".join(codes)) <= {*gift_codes.ALPHABET, "-"}
    assert len({card.batch_id for card in made}) == 1


def test_an_organization_redeems_a_card_once(database: Database) -> None:
    card = a_card(database, max_redemptions=5)
    redeem(database, card.code)
    with pytest.raises(ConflictError) as refused:
        redeem(database, card.code)
    assert refused.value.code == "gift_card_redeemed"
    redeem(database, card.code, "globex")
    with database.reading() as session:
        assert session.exec(select(GiftCard.redemptions)).one() == 2
        named = gift_cards.redemptions(session, card.id, 10)
    assert {each.address for each in named} == {"acme", "globex"}


def test_a_used_up_an_expired_and_a_void_card_bring_nothing(database: Database) -> None:
    used_up = a_card(database)
    redeem(database, used_up.code, "globex")
    expired = a_card(database, expires_at=NOON + DAY)
    void = a_card(database)
    with database.writing() as session:
        gift_cards.void(session, void.id, "sent to the wrong people", NOON)
        again = gift_cards.void(session, void.id, "again", NOON + DAY)
    assert (again.voided_at, again.void_reason) == (NOON, "sent to the wrong people")
    for card, code in ((used_up, "used_up"), (expired, "expired"), (void, "void")):
        with pytest.raises(ConflictError) as refused:
            redeem(database, card.code, now=NOON + DAY)
        assert refused.value.code == f"gift_card_{code}"
        assert state(database, card, NOON + DAY) == code
    with database.reading() as session:
        assert accounts.account(session, organizations.by_address(session, "acme"), "mau", NOON + DAY).left == 0
        assert len(session.exec(select(GiftCardRedemption)).all()) == 1


def test_at_its_very_end_a_card_has_expired(database: Database) -> None:
    card = a_card(database, expires_at=NOON + DAY)
    with pytest.raises(ConflictError):
        redeem(database, card.code, now=NOON + DAY)
    redeem(database, card.code, now=NOON + DAY - timedelta(microseconds=1))


def test_guessing_is_stopped_also_for_those_who_know_a_code(database: Database) -> None:
    card = a_card(database)
    wrong = "2222-3333-4444-5555"
    for _ in range(gift_cards.MAX_GUESSES):
        with pytest.raises(NotFoundError):
            redeem(database, wrong)
    with pytest.raises(BillingError) as refused:
        redeem(database, card.code)
    assert (refused.value.status, refused.value.code) == (429, "too_many_attempts")
    redeem(database, card.code, now=NOON + gift_cards.GUESS_WINDOW)


def test_right_codes_are_no_guesses(database: Database) -> None:
    for _ in range(gift_cards.MAX_GUESSES + 2):
        redeem(database, a_card(database, contents={"sms": 1}).code)


@pytest.mark.both_databases
def test_of_many_who_take_the_last_one_at_once_exactly_one_gets_it(database: Database) -> None:
    card = a_card(database, contents={"mau": 500, "sms": 2}, max_redemptions=1)
    addresses = [f"org-{number}" for number in range(8)]
    with database.writing() as session:
        for address in addresses:
            an_organization(session, address)

    def attempt(address: str) -> str:
        try:
            redeem(database, card.code, address)
        except ConflictError as refused:
            return refused.code
        return "got it"

    with ThreadPoolExecutor(len(addresses)) as pool:
        outcomes = sorted(pool.map(attempt, addresses))
    assert outcomes == ["gift_card_used_up"] * 7 + ["got it"]
    with database.reading() as session:
        granted = [
            accounts.account(session, organizations.by_address(session, each), "mau", NOON).left for each in addresses
        ]
        assert sorted(granted) == [0] * 7 + [500]


@pytest.mark.both_databases
def test_one_organization_in_many_tabs_gets_a_card_once(database: Database) -> None:
    card = a_card(database, max_redemptions=8)

    def attempt(_tab: int) -> str:
        try:
            redeem(database, card.code)
        except ConflictError as refused:
            return refused.code
        return "got it"

    with ThreadPoolExecutor(6) as pool:
        outcomes = sorted(pool.map(attempt, range(6)))
    assert outcomes == ["gift_card_redeemed"] * 5 + ["got it"]
    with database.reading() as session:
        assert session.exec(select(GiftCard.redemptions)).one() == 1


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": " "}, "invalid_name"),
        ({"name": "a\nb"}, "invalid_name"),
        ({"contents": {}}, "invalid_contents"),
        ({"contents": {"mau": 0}}, "invalid_quantity"),
        ({"contents": {"nothing": 1}}, "metric_not_found"),
        ({"count": 0}, "invalid_quantity"),
        ({"count": 1_001}, "invalid_quantity"),
        ({"max_redemptions": 0}, "invalid_quantity"),
        ({"expires_at": NOON}, "invalid_expiry"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused(database: Database, wrong: dict[str, object], code: str) -> None:
    with pytest.raises(BillingError) as refused:
        a_card(database, **wrong)
    assert refused.value.code == code


def test_voiding_needs_a_reason_and_a_card(database: Database) -> None:
    card = a_card(database)
    with database.writing() as session:
        with pytest.raises(InvalidError, match="Say why"):
            gift_cards.void(session, card.id, "  ", NOON)
        with pytest.raises(NotFoundError):
            gift_cards.void(session, uuid4(), "gone", NOON)
