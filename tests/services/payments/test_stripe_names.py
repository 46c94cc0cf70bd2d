"""What plans are called at Stripe: as given, or as a push has made them; an export says it and can be loaded again."""

from __future__ import annotations

import json

import pytest

from billing_app.db import Database
from billing_app.domain.catalogue import Catalog, parse_catalog, to_document, to_json
from billing_app.domain.purchases.subscriptions import BillingInterval
from billing_app.services.catalogue import versions
from billing_app.services.payments import stripe_catalogue, stripe_names
from billing_app.services.plans import orders
from tests.support.shop import PUBLIC_URL, Shop, a_shop


@pytest.fixture
def shop(database: Database) -> Shop:
    """A shop that has pushed nothing."""
    return a_shop(database)


def push(shop: Shop) -> None:
    """What the command, the API and the operator's page do."""
    with shop.database.reading() as session:
        current = versions.current(session, shop.clock())
    stripe_catalogue.bring(shop.payments, current)
    with shop.database.writing() as session:
        stripe_names.keep(session, stripe_catalogue.offers(current), shop.clock())


def named(shop: Shop) -> Catalog:
    with shop.database.reading() as session:
        return stripe_names.named(session, versions.current(session, shop.clock()))


def names(shop: Shop) -> dict[str, str | None]:
    return {plan.id: plan.stripe_plan_id for plan in named(shop).plans}


def test_a_push_fills_what_sells_and_nothing_else(shop: Shop) -> None:
    assert set(names(shop).values()) == {None}
    push(shop)
    push(shop)
    found = names(shop)
    assert (found["pro"], found["essential"], found["free"]) == ("plan_pro", "plan_essential", None)
    assert shop.stripe.products.retrieve("plan_pro").active


def test_a_plan_that_was_given_a_name_keeps_it(shop: Shop) -> None:
    push(shop)
    product = shop.stripe.products.create({"name": "Theirs"}).id
    shop.change_catalogue(lambda document: document["plans"][2].update(stripePlanId=product))
    push(shop)
    assert names(shop)[named(shop).plans[2].id] == product


def test_an_export_can_be_loaded_again_and_changes_nothing(shop: Shop) -> None:
    push(shop)
    export = json.loads(to_json(named(shop)))
    assert "plan_pro" in {plan["stripePlanId"] for plan in export["plans"]}
    with shop.database.writing() as session:
        result = versions.load(session, export, shop.clock(), "plans.json", from_file=False)
    assert (result.written, result.changes) == (False, ())
    assert to_document(parse_catalog(export, "export"))["plans"] == [
        {**plan, "stripePlanId": None} for plan in export["plans"]
    ]
    push(shop)
    assert len(shop.stripe.products.list({"ids": ["plan_pro"]}).data) == 1


def test_a_plan_that_is_sold_without_a_push_has_its_name_too(shop: Shop) -> None:
    orders.start(shop.enter, shop.payments, "pro", BillingInterval.MONTH, PUBLIC_URL)
    assert names(shop)["pro"] == "plan_pro"
