"""Coupons and promotion codes in Checkout."""

import pytest
import stripe

from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.answers import check


def test_a_percentage_is_shared_out_over_the_lines_without_a_cent_lost(account: TestAccount) -> None:
    coupon = check(account.v1.coupons.create({"percent_off": 33, "duration": "once"}))
    prices = [account.price(amount) for amount in (999, 1001, 50)]
    session = account.session(*((price, 1) for price in prices), discounts=[{"coupon": coupon.id}])
    assert session.total_details.amount_discount == 677  # 33 % of 2050 is 676.5
    lines = account.v1.checkout.sessions.line_items.list(session.id).data
    assert sum(line.amount_discount for line in lines) == 677
    assert sum(line.amount_total for line in lines) == session.amount_total == 2050 - 677
    account.pay(session)
    assert account.v1.coupons.retrieve(coupon.id).times_redeemed == 1


def test_a_coupon_for_one_product_spares_the_others(account: TestAccount) -> None:
    cheap, dear = account.price(1000), account.price(5000)
    coupon = account.v1.coupons.create(
        {"amount_off": 9000, "currency": "usd", "applies_to": {"products": [cheap.product]}}
    )
    assert check(account.v1.coupons.retrieve(coupon.id, {"expand": ["applies_to"]})).applies_to.products == [
        cheap.product
    ]
    session = account.session((cheap, 2), (dear, 1), discounts=[{"coupon": coupon.id}])
    assert session.amount_total == 5000


def test_a_promotion_code_is_found_by_its_word_and_used_up(account: TestAccount) -> None:
    coupon = account.v1.coupons.create({"percent_off": 50})
    code = check(
        account.v1.promotion_codes.create(
            {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "HALF", "max_redemptions": 1}
        )
    )
    assert [found.id for found in account.v1.promotion_codes.list({"code": "half"}).data] == [code.id]
    session = account.session((account.price(1000), 1), discounts=[{"promotion_code": code.id}])
    assert session.discounts[0].promotion_code == code.id
    assert account.pay(session)["session"]["amount_total"] == 500
    assert not account.v1.promotion_codes.retrieve(code.id).active
    with pytest.raises(stripe.InvalidRequestError):
        account.session((account.price(1000), 1), discounts=[{"promotion_code": code.id}])


def test_a_free_order_needs_no_card(account: TestAccount) -> None:
    coupon = account.v1.coupons.create({"percent_off": 100})
    session = account.session((account.price(1000), 1), discounts=[{"coupon": coupon.id}])
    paid = account.pay(session)["session"]
    assert (paid["payment_status"], paid["payment_intent"]) == ("no_payment_required", None)


def test_used_up_coupons_are_refused(account: TestAccount) -> None:
    coupon = account.v1.coupons.create({"percent_off": 10, "max_redemptions": 1})
    account.pay(account.session((account.price(1000), 1), discounts=[{"coupon": coupon.id}]))
    with pytest.raises(stripe.InvalidRequestError) as refused:
        account.session((account.price(1000), 1), discounts=[{"coupon": coupon.id}])
    assert refused.value.code == "coupon_expired"
