"""What is sold at the payment provider: products, and prices that never change. Facts without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ONCE = "once"
"""The interval of a price that is paid once."""


@dataclass(frozen=True, slots=True)
class Product:
    """Something that is sold, under an id of our own choice."""

    id: str
    name: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Offer:
    """What a price says, and what it is found by. It never changes: another offer is another price.

    `interval` is "once", "month" or "year".
    """

    lookup_key: str
    product: Product
    price_cents: int
    currency: str
    interval: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Price:
    """A price at the provider. `product` is None where it was not asked for."""

    id: str
    lookup_key: str
    product_id: str
    product: Product | None
    price_cents: int
    currency: str
    interval: str
    metadata: Mapping[str, str]
    active: bool

    def says(self, offer: Offer) -> bool:
        """Whether it is the price of this offer."""
        return self.active and (
            (self.lookup_key, self.product_id, self.price_cents, self.currency, self.interval, dict(self.metadata))
            == (
                offer.lookup_key, offer.product.id, offer.price_cents, offer.currency, offer.interval,
                dict(offer.metadata),
            )
        )  # fmt: skip
