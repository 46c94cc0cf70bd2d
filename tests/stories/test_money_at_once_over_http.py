"""What is worth money, asked for by many programs at one moment, over servers that share one database.

Every answer was decided on what was left when it was its turn: no more is converted, reserved, redeemed, used or begun
than there was, and `billing verify` finds nothing afterwards. On PostgreSQL the servers are processes of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from threading import Barrier
from typing import Any

import httpx
import pytest
from sqlmodel import select

from billing_app import clock
from billing_app.domain.common.access import Scope
from billing_app.domain.credits.accounts import Account
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import gift_cards
from billing_app.services.credits import grants as credits
from billing_app.services.usage import accounts
from billing_app.services.verification import verification
from billing_app.store.tables.base import new_id
from billing_app.store.tables.purchases import Order
from tests.stories.test_one_place_left_over_http import CLIENTS, Town, serving, stocked
from tests.support.builders import a_key, an_organization
from tests.support.patience import PATIENCE_SECONDS
from tests.support.shop import Shop


@pytest.fixture(scope="module")
def town(
    database_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Town, Shop]]:
    """One database for all stories here, its servers, and the Stripe account that they sell with."""
    with ExitStack() as stack:
        database = stocked(stack, request.config, database_kind, tmp_path_factory.mktemp("town"))
        with database.writing() as session:
            an_organization(session, "buyer")
        shop = Shop(database, address="buyer")
        yield Town(database, stack.enter_context(serving(database, shop.key, shop.url)), stack), shop


def an_account(town: Town, name: str, **granted: int) -> tuple[str, list[str]]:
    """An organization on the plan pro with credits; the secret of its key, and the ids of its grants."""
    now = clock.now()
    with town.database.writing() as session:
        made = an_organization(session, name)
        credits.change_plan(Context(session, made, now), "pro")
        given = [
            credits.NewGrant(metric, quantity, source="given", source_key=metric, reason="A test")
            for metric, quantity in granted.items()
        ]
        grants = [credits.grant(Context(session, made, now), new).id for new in given]
        return a_key(session, made, *Scope, now=now)[0], grants


def an_operator(town: Town) -> httpx.Client:
    with town.database.writing() as session:
        secret = a_key(session, None, now=clock.now())[0]
    client = town.callers(secret)[0]
    client.base_url = httpx.URL(str(client.base_url).replace("organizations/", ""))
    return client


def at_once(clients: list[httpx.Client], ask: Callable[[httpx.Client, int], httpx.Response]) -> list[httpx.Response]:
    begin = Barrier(len(clients))

    def client(number: int) -> httpx.Response:
        begin.wait(PATIENCE_SECONDS)
        return ask(clients[number], number)

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(client, range(len(clients))))


def once() -> dict[str, str]:
    return {"Idempotency-Key": new_id().hex}


def said(answers: list[httpx.Response]) -> Counter[str]:
    """How often it worked, and how often it was refused, with which code."""
    return Counter("done" if each.is_success else each.json()["code"] for each in answers)


def account(town: Town, name: str, metric: str) -> Account:
    with town.database.reading() as session:
        return accounts.account(session, organizations.by_address(session, name), metric, clock.now())


def clean(town: Town, name: str) -> None:
    with town.database.reading() as session:
        moment = clock.now() + timedelta(seconds=1)
        assert [
            str(each) for each in verification.verify(Context(session, organizations.by_address(session, name), moment))
        ] == []


def test_tokens_are_converted_as_often_as_there_are_any(town: tuple[Town, Shop]) -> None:
    streets, _ = town
    secret, _ = an_account(streets, "converts", token=45)

    def ask(client: httpx.Client, _: int) -> httpx.Response:
        body = {"metric": "emails", "tokens": 20}
        return client.post("converts/tokens/convert", json=body, headers=once())

    answers = at_once(streets.callers(secret), ask)
    assert said(answers) == {"done": 2, "credits_exhausted": CLIENTS - 2}
    assert account(streets, "converts", "token").left == 5
    assert account(streets, "converts", "emails").left == sum(
        each.json()["quantity"] for each in answers if each.is_success
    )
    clean(streets, "converts")


def test_what_is_voided_was_left_and_what_was_used_stays_used(town: tuple[Town, Shop]) -> None:
    streets, _ = town
    secret, (grant,) = an_account(streets, "voids", emails=5_000)
    allowance = account(streets, "voids", "emails").allowance
    assert allowance is not None
    clients = [*streets.callers(secret)[:-1], an_operator(streets)]
    first = {"metric": "emails", "quantity": allowance}
    assert clients[0].post("voids/consume", json=first, headers=once()).is_success

    def ask(client: httpx.Client, number: int) -> httpx.Response:
        if number == CLIENTS - 1:
            return client.post(f"admin/grants/{grant}/void", json={"reason": "A test"}, headers=once())
        for _ in range(4):
            answer = client.post("voids/consume", json={"metric": "emails", "quantity": 100}, headers=once())
            taken.append(100 if answer.is_success else 0)
        return answer

    taken: list[int] = []
    answers = at_once(clients, ask)
    assert answers[-1].is_success, answers[-1].text
    found = account(streets, "voids", "emails")
    used = found.grants[grant]
    assert (used.burned, used.burned + used.voided, used.left) == (sum(taken), 5_000, 0)
    assert (found.used, found.deficit) == (allowance + sum(taken), 0)
    late = clients[0].post("voids/consume", json={"metric": "emails", "quantity": 1}, headers=once())
    assert late.json()["code"] == "credits_exhausted"
    clean(streets, "voids")


def test_a_card_for_two_is_redeemed_by_two(town: tuple[Town, Shop]) -> None:
    streets, _ = town
    secrets = [an_account(streets, f"redeems{number}")[0] for number in range(CLIENTS)]
    with streets.database.writing() as session:
        made = gift_cards.create(session, "For two", {"sms": 100}, clock.now(), max_redemptions=2)[0]

    def ask(client: httpx.Client, number: int) -> httpx.Response:
        return client.post(f"redeems{number}/gift-cards/redeem", json={"code": made.code}, headers=once())

    answers = at_once(streets.callers(*secrets), ask)
    assert said(answers) == {"done": 2, "gift_card_used_up": CLIENTS - 2}
    assert sorted(account(streets, f"redeems{number}", "sms").left for number in range(CLIENTS))[-3:] == [0, 100, 100]


def test_one_organization_redeems_a_card_once(town: tuple[Town, Shop]) -> None:
    streets, _ = town
    secret, _ = an_account(streets, "redeems")
    with streets.database.writing() as session:
        made = gift_cards.create(session, "For many", {"sms": 100}, clock.now(), max_redemptions=50)[0]

    def ask(client: httpx.Client, _: int) -> httpx.Response:
        return client.post("redeems/gift-cards/redeem", json={"code": made.code}, headers=once())

    answers = at_once(streets.callers(secret), ask)
    assert said(answers) == {"done": 1, "gift_card_redeemed": CLIENTS - 1}
    assert account(streets, "redeems", "sms").left == 100
    clean(streets, "redeems")


def test_no_more_is_reserved_than_there_is_and_each_is_confirmed_once(town: tuple[Town, Shop]) -> None:
    streets, _ = town
    secret, _ = an_account(streets, "reserves", emails=350)
    allowance = account(streets, "reserves", "emails").allowance
    assert allowance is not None
    clients = streets.callers(secret)
    first = {"metric": "emails", "quantity": allowance}
    assert clients[0].post("reserves/consume", json=first, headers=once()).is_success

    def reserve(client: httpx.Client, _: int) -> httpx.Response:
        return client.post("reserves/reservations", json={"metric": "emails", "quantity": 100}, headers=once())

    answers = at_once(clients, reserve)
    assert said(answers) == {"done": 3, "credits_exhausted": CLIENTS - 3}
    held = [each.json()["id"] for each in answers if each.is_success]

    def confirm(client: httpx.Client, number: int) -> httpx.Response:
        path = f"reserves/reservations/{held[number % 3]}/confirm"
        return client.post(path, json={"quantity": 90}, headers=once())

    assert said(at_once(clients, confirm)) == {"done": CLIENTS}
    found = account(streets, "reserves", "emails")
    assert (found.used, found.left, found.deficit) == (allowance + 3 * 90, 350 - 3 * 90, 0)
    clean(streets, "reserves")


def test_a_plan_that_many_begin_can_be_paid_once(town: tuple[Town, Shop]) -> None:
    streets, shop = town
    with streets.database.writing() as session:
        secret = a_key(session, organizations.by_address(session, "buyer"), *Scope, now=clock.now())[0]

    def ask(client: httpx.Client, number: int) -> httpx.Response:
        body: dict[str, Any] = {"plan": ("pro", "essential")[number % 2]}
        return client.post("buyer/checkout", json=body, headers=once())

    answers = at_once(streets.callers(secret)[:2], ask)
    refused = {each.json()["code"] for each in answers if not each.is_success}
    assert refused <= {"order_closed", "too_many_at_once"}
    assert any(each.is_success for each in answers)
    with streets.database.reading() as session:
        owner = organizations.by_address(session, "buyer").pk
        orders = session.exec(select(Order).where(Order.organization_id == owner, Order.state == "open")).all()
    pages = [each.id for each in shop.stripe.checkout.sessions.list({"limit": 100}).data if each.status == "open"]
    assert [each.session_id for each in orders] == pages
    assert len(pages) == 1
