"""What an organization is told when credits or money move other than by use and purchases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from billing_app.db import Database
from billing_app.domain.notifications.kinds import one
from billing_app.services.access.mails import in_words
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import gift_cards, granting, tokens
from billing_app.store.notifications import outbox
from tests.services.notifications.telling import Story, at
from tests.support.refunds import buy, close, dispute, plan, refund, use
from tests.support.shop import Shop, a_shop


@pytest.fixture
def shop(database: Database) -> Shop:
    """A shop with the plan that includes no SMS."""
    made = a_shop(database)
    plan(made)
    return made


def told(database: Database, address: str, *families: str) -> list[tuple[str, dict[str, Any]]]:
    """The messages of these families in order, each with exactly the fields that its kind promises, and in words."""
    with database.reading() as session:
        organization = organizations.by_address(session, address)
        found = []
        for row in outbox.messages(session, organization.pk):
            payload = json.loads(row.payload)
            if row.kind.partition(".")[0] in families or row.kind in families:
                assert payload.keys() == one(row.kind).example.keys() == one(row.kind).fields.keys(), row.kind
                assert in_words(session, row, row.recorded_at).title != one(row.kind).title or row.kind in SAID_ALIKE
                found.append((row.kind, payload))
        return found


SAID_ALIKE = ("gift_card.redeemed", "dispute.won", "plan.changed")
"""Kinds whose words do not depend on what they say."""

MONEY = ("purchase.refunded", "purchase.refund_failed", "dispute")


def test_each_refund_is_told_once_with_what_it_took(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    first = refund(shop, payment, 325)
    for _ in range(2):
        shop.hear("refund.created", first)
    second = refund(shop, payment)
    shop.hear("refund.created", second)
    (kind, half), (_, rest) = told(shop.database, shop.address, *MONEY)
    assert (kind, half["refund"], half["amount_cents"], half["payment"]) == ("purchase.refunded", first, 325, payment)
    assert [(each["refunded_cents"], each["taken_back"]) for each in half["grants"]] == [(325, 50)]
    assert (rest["refund"], rest["grants"][0]["taken_back"]) == (second, 100)


def test_a_refund_that_fails_is_told_with_what_came_back(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    found = refund(shop, payment, 325)
    shop.hear("refund.created", found)
    shop.control("POST", f"/refunds/{found}/fail")
    shop.hear("refund.failed", found)
    kinds = [(kind, said["grants"][0]["taken_back"]) for kind, said in told(shop.database, shop.address, *MONEY)]
    assert kinds == [("purchase.refunded", 50), ("purchase.refund_failed", 0)]


@pytest.mark.parametrize(("end", "taken"), [("won", 0), ("lost", 100)])
def test_a_dispute_is_told_when_it_opens_and_how_it_ends(shop: Shop, end: str, taken: int) -> None:
    payment = buy(shop, "sms-100")
    use(shop, "sms", 30)
    found = dispute(shop, payment)
    for _ in range(2):
        shop.hear("charge.dispute.created", found)
    close(shop, found, end)
    for _ in range(2):
        shop.hear("charge.dispute.closed", found)
    heard = told(shop.database, shop.address, *MONEY)
    assert [kind for kind, _ in heard] == ["dispute.opened", f"dispute.{end}"]
    assert {said["dispute"] for _, said in heard} == {found}
    assert heard[-1][1]["grants"][0]["taken_back"] == taken


def test_an_inquiry_is_not_told(shop: Shop) -> None:
    payment = buy(shop, "sms-100")
    found = dispute(shop, payment, inquiry=True)
    shop.hear("charge.dispute.created", found)
    close(shop, found, "won")
    shop.hear("charge.dispute.closed", found)
    assert told(shop.database, shop.address, *MONEY) == []


def test_credits_given_and_taken_back_by_hand_are_told_with_the_reason(database: Database) -> None:
    story = Story(database)
    with story.writing() as (session, organization):
        for _ in range(2):
            now = at("2024-01-02")
            made = granting.give(Context(session, organization, now, "op"), "api", 50, reason="Sorry", key="k")
    story.use("2024-01-03", "api", 120)
    for day in ("2024-01-04", "2024-01-05"):
        with story.writing() as (session, _):
            granting.void(session, made.id, at(day), reason="A mistake", actor="op")
    (given, gave), (voided, took) = told(database, story.address, "credits.granted", "credits.voided")
    assert (given, gave["grant"], gave["quantity"], gave["reason"]) == ("credits.granted", made.id, 50, "Sorry")
    assert (voided, took["grant"], took["quantity"], took["reason"]) == ("credits.voided", made.id, 30, "A mistake")


def test_what_is_voided_before_it_begins_is_told_whole(database: Database) -> None:
    story = Story(database)
    with story.writing() as (session, organization):
        made = granting.give(
            Context(session, organization, at("2024-01-02"), "op"),
            "api",
            50,
            reason="Next month",
            key="k",
            effective_at=at("2024-02-01"),
        )
        granting.void(session, made.id, at("2024-01-03"), reason="Not after all", actor="op")
    assert [said["quantity"] for _, said in told(database, story.address, "credits.voided")] == [50]


def test_a_plan_that_is_changed_is_told(database: Database) -> None:
    story = Story(database)
    story.plan("2024-01-10", "Large")
    story.plan("2024-01-11", "Large")
    assert [(said["before"], said["plan"]) for _, said in told(database, story.address, "plan.changed")] == [
        ("Small", "Large")
    ]


def test_gift_cards_and_conversions_are_told(shop: Shop) -> None:
    with shop.database.writing() as session:
        (made,) = gift_cards.create(session, "Launch", {"sms": 20, "token": 30}, shop.clock())
    with shop.database.writing() as session:
        organization = organizations.by_address(session, shop.address)
        gift_cards.redeem(Context(session, organization, shop.clock(), "ada"), made.code)
        for _ in range(2):
            tokens.convert(Context(session, organization, shop.clock(), "ada"), "sms", 10, key="once")
    (_, card), (_, turned) = told(shop.database, shop.address, "gift_card", "credits.converted")
    assert sorted((each["metric"], each["quantity"]) for each in card["grants"]) == [("sms", 20), ("token", 30)]
    assert (turned["metric"], turned["tokens"], len(turned["grants"])) == ("sms", 10, 1)
