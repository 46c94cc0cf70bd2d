"""The catalogue at Stripe: pushed as often as one likes, by anybody, and never edited."""

from __future__ import annotations

import secrets
from collections import Counter
from threading import Thread
from typing import Any

import pytest
import stripe

from billing_app.gateways.stripe.payments import StripePayments
from billing_app.services.payments import stripe_catalogue
from billing_app.services.payments.stripe_catalogue import Deed
from tests.domain.catalogue.documents import pack, plan, small_catalog, small_document
from tests.support.patience import PATIENCE_SECONDS
from tests.support.shop import sdk, shared_fake_stripe


class Account:
    """An empty account at Stripe, with the gateway to it and the SDK itself."""

    def __init__(self) -> None:
        key = f"sk_test_{secrets.token_hex(16)}"
        self.payments = StripePayments(key, shared_fake_stripe().url)
        self.stripe = sdk(key, shared_fake_stripe().url).v1

    def push(self, **changed: Any) -> Counter[Deed]:
        """Brings the small catalogue with these changes; what was done."""
        steps = stripe_catalogue.plan(self.payments, stripe_catalogue.offers(small_catalog(**changed)))
        stripe_catalogue.push(self.payments, steps)
        return Counter(step.deed for step in steps)

    def prices(self, *, active: bool = True) -> dict[str, stripe.Price]:
        """Prices by lookup key, or by id where they have none."""
        found = self.stripe.prices.list({"active": active, "limit": 100}).data
        return {price.lookup_key or price.id: price for price in found}


@pytest.fixture
def account() -> Account:
    """An empty account."""
    return Account()


PACKS = small_document()["packs"]


def test_everything_that_is_sold_gets_a_price(account: Account) -> None:
    assert account.push() == {Deed.CREATE: 5}
    prices = account.prices()
    assert set(prices) == {"pack:mau-1k", "pack:mau-10k", "pack:mau-10k-monthly", "plan:pro:month", "plan:pro:year"}
    pack_price = prices["pack:mau-10k"]
    assert (pack_price.unit_amount, pack_price.currency, pack_price.recurring) == (1400, "usd", None)
    assert pack_price.metadata is not None
    assert pack_price.metadata.to_dict() == {"pack": "mau-10k", "metric": "mau", "quantity": "10000"}
    assert account.stripe.products.retrieve("pack_mau-10k").name == "10,000 calls"
    monthly = prices["pack:mau-10k-monthly"].recurring
    assert monthly is not None
    assert monthly.interval == "month"
    yearly = prices["plan:pro:year"].recurring
    assert yearly is not None
    assert (yearly.interval, prices["plan:pro:year"].product) == ("year", "plan_pro")


def test_a_second_push_does_nothing(account: Account) -> None:
    account.push()
    before = account.prices()
    assert account.push() == {Deed.KEEP: 5}
    assert account.prices() == before


def test_planning_changes_nothing(account: Account) -> None:
    steps = stripe_catalogue.plan(account.payments, stripe_catalogue.offers(small_catalog()))
    assert {step.deed for step in steps} == {Deed.CREATE}
    assert account.prices() == {}


@pytest.mark.parametrize("changed", [{"price_cents": 1500}, {"quantity": 12_000}, {"metric": "storage"}])
def test_a_changed_pack_gets_a_new_price_which_takes_the_key_over(account: Account, changed: dict[str, Any]) -> None:
    account.push()
    old = account.prices()["pack:mau-10k"]
    assert account.push(packs=[PACKS[0], PACKS[1] | changed, PACKS[2]]) == {Deed.REPLACE: 1, Deed.KEEP: 4}
    new = account.prices()["pack:mau-10k"]
    assert new.id != old.id
    (retired,) = account.prices(active=False).values()
    assert (retired.id, retired.lookup_key, retired.unit_amount) == (old.id, None, 1400)
    assert retired.metadata == old.metadata


def test_a_price_that_changes_and_changes_back_is_three_prices(account: Account) -> None:
    for cents in (1400, 1500, 1400, 1500):
        account.push(packs=[pack("mau-10k", price_cents=cents)])
        assert account.prices()["pack:mau-10k"].unit_amount == cents
    assert len(account.prices(active=False)) == 3


def test_a_new_name_renames_the_product_and_keeps_the_price(account: Account) -> None:
    account.push(plans=[small_document()["plans"][0], plan("pro", prices={"month": 4900, "year": None})])
    old = account.prices()["plan:pro:month"]
    renamed = plan("pro", name="Professional", prices={"month": 4900, "year": None})
    done = account.push(plans=[small_document()["plans"][0], renamed])
    assert (done[Deed.RENAME], done[Deed.CREATE], done[Deed.REPLACE]) == (1, 0, 0)
    assert account.prices()["plan:pro:month"].id == old.id
    assert account.stripe.products.retrieve("plan_pro").name == "Professional"


def test_a_product_that_somebody_archived_is_sold_again(account: Account) -> None:
    account.push()
    account.stripe.products.update("pack_mau-10k", {"active": False})
    assert account.push()[Deed.RENAME] == 1
    assert account.stripe.products.retrieve("pack_mau-10k").active


def test_what_is_not_sold_gets_no_price(account: Account) -> None:
    account.push(
        packs=[pack("mau-1k", public=False)],
        plans=[small_document()["plans"][0], plan("pro", stripePlanId="prod_theirs", prices={"month": 9, "year": 9})],
    )
    assert account.prices() == {}


def test_a_push_that_was_stopped_goes_on_where_it_was(account: Account) -> None:
    steps = stripe_catalogue.plan(account.payments, stripe_catalogue.offers(small_catalog()))

    def stop(step: stripe_catalogue.Step) -> None:
        if step is steps[2]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stripe_catalogue.push(account.payments, steps, stop)
    assert account.push() == {Deed.CREATE: 2, Deed.KEEP: 3}


@pytest.mark.both_databases
def test_two_pushes_at_once_make_one_price_each(account: Account) -> None:
    threads = [Thread(target=account.push) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert len(account.prices()) == 5
    assert account.prices(active=False) == {}


@pytest.mark.parametrize(("currency", "cents"), [("jpy", 1500), ("kwd", 4550), ("eur", 1400)])
def test_amounts_are_in_the_currencys_minor_unit(account: Account, currency: str, cents: int) -> None:
    account.push(
        currency=currency,
        packs=[pack("mau-1k", price_cents=cents)],
        plans=[small_document()["plans"][0]],
    )
    price = account.prices()["pack:mau-1k"]
    assert (price.currency, price.unit_amount) == (currency, cents)
