"""What a coupon takes off a basket. Amounts in minor units; the one place where discounts are rounded."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any


def split(coupon: dict[str, Any] | None, amounts: list[int], products: list[str]) -> list[int]:
    """The discount on each of `amounts`, sold as `products`; together never more than they are.

    The whole discount is rounded half up once and then shared out by largest remainder, so lines add up to it.
    """
    allowed = (coupon or {}).get("_products")
    bases = [
        amount if allowed is None or product in allowed else 0
        for amount, product in zip(amounts, products, strict=True)
    ]
    total = sum(bases)
    if coupon is None or total <= 0:
        return [0] * len(amounts)
    if coupon["percent_off"] is not None:
        exact = Decimal(total) * Decimal(str(coupon["percent_off"])) / 100
        whole = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    else:
        whole = min(coupon["amount_off"], total)
    return share(whole, bases)


def share(whole: int, bases: list[int]) -> list[int]:
    """`whole` shared out in proportion to `bases`, in whole units that add up to it."""
    total = sum(bases)
    if total == 0:
        return [0] * len(bases)
    shares = [whole * base // total for base in bases]
    by_remainder = sorted(range(len(bases)), key=lambda place: (-(whole * bases[place] % total), place))
    for place in by_remainder[: whole - sum(shares)]:
        shares[place] += 1
    return shares
