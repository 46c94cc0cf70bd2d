"""Products and prices."""

import pytest
import stripe

from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.answers import check


def test_a_lookup_key_moves_to_a_new_price_only_when_told(account: TestAccount) -> None:
    old = account.price(4900, lookup_key="pack:mau-10k")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        account.price(5900, lookup_key="pack:mau-10k")
    assert refused.value.param == "lookup_key"
    new = account.price(5900, lookup_key="pack:mau-10k", transfer_lookup_key=True)
    found = check(account.v1.prices.list({"lookup_keys": ["pack:mau-10k", "pack:none"]})).data
    assert [price.id for price in found] == [new.id]
    assert account.v1.prices.retrieve(old.id).lookup_key is None
    assert "price.updated" in account.event_types()


def test_recurring_prices(account: TestAccount) -> None:
    price = account.price(2900, recurring={"interval": "month"})
    assert (price.type, price.recurring.interval, price.recurring.interval_count) == ("recurring", "month", 1)
    assert account.v1.prices.list({"type": "one_time"}).data == []
    assert len(account.v1.prices.list({"recurring": {"interval": "month"}}).data) == 1
    assert account.v1.prices.list({"recurring": {"interval": "year"}}).data == []


def test_amounts_of_zero_decimal_currencies_are_whole_units(account: TestAccount) -> None:
    price = account.price(4900, currency="jpy")
    assert (price.unit_amount, str(price.unit_amount_decimal)) == (4900, "4900")


def test_a_price_with_its_product_in_one_call(account: TestAccount) -> None:
    price = check(
        account.v1.prices.create(
            {"currency": "usd", "unit_amount": 100, "product_data": {"name": "Pack"}, "metadata": {"quantity": "100"}}
        )
    )
    assert account.v1.products.retrieve(price.product).name == "Pack"


def test_inactive_prices_cannot_be_bought(account: TestAccount) -> None:
    price = account.price()
    account.v1.prices.update(price.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="only accepts active prices"):
        account.session((price, 1))


def test_products_are_changed_and_deleted(account: TestAccount) -> None:
    price = account.price()
    product = check(account.v1.products.update(price.product, {"name": "New", "default_price": price.id}))
    assert (product.name, product.default_price) == ("New", price.id)
    with pytest.raises(stripe.InvalidRequestError):
        account.v1.products.delete(product.id)
    lonely = account.v1.products.create({"name": "lonely", "id": "prod_mine"})
    assert lonely.id == "prod_mine"
    assert check(account.v1.products.delete("prod_mine")).deleted
