"""What can be bought together, what it is called at Stripe, and what a paid line of it grants."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from billing_app.domain.catalogue import Catalog, Interval, Metric, Pack
from billing_app.domain.catalogue.quantities import format_pack
from billing_app.domain.common.errors import FactRefusedError, InvalidError, NotFoundError
from billing_app.domain.credits.facts import MAX_QUANTITY

MAX_LINES = 20
"""Different packs of one basket: a page that shows more could not be read before paying."""

MAX_COUNT = 99
"""Of one pack: who needs more takes the next size."""

MAX_METADATA = 500
"""Characters of one value of Stripe's metadata."""


class OrderState(StrEnum):
    """Where a purchase stands. Paid is for ever; the money decides, so a closed order can still become paid."""

    OPEN = "open"
    PAID = "paid"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Item:
    """So many of one pack, as it was offered when the order was made. `quantity` and `price_cents` are of one.

    `interval` is "once" or "month".
    """

    pack: str
    metric: str
    quantity: int
    price_cents: int
    count: int
    interval: str = "once"

    @property
    def total_cents(self) -> int:
        """What all of them cost, before discounts and taxes."""
        return self.price_cents * self.count


def basket(catalog: Catalog, wanted: Iterable[tuple[str, int]]) -> tuple[Item, ...]:
    """The items for (pack id, count) pairs, in the catalogue's order; the same pack twice is added up.

    Raises NotFoundError `pack_not_found` (also for a pack that is not on offer); InvalidError `basket_empty`,
    `basket_too_large`, `invalid_count`; FactRefusedError `quantity_too_large`.
    """
    counts: dict[str, int] = {}
    for pack_id, count in wanted:
        counts[pack_id] = counts.get(pack_id, 0) + count
        if count < 1 or counts[pack_id] > MAX_COUNT:
            raise InvalidError(f"Of each pack, 1 to {MAX_COUNT} can be bought at once.", code="invalid_count")
        if len(counts) > MAX_LINES:
            raise InvalidError(f"At most {MAX_LINES} different packs can be bought at once.", code="basket_too_large")
    if not counts:
        raise InvalidError("Choose a pack first.", code="basket_empty")
    packs = [on_offer(catalog, pack_id) for pack_id in counts]
    if any(pack.quantity * counts[pack.id] > MAX_QUANTITY for pack in packs):
        raise FactRefusedError(f"One line would pass {MAX_QUANTITY}.", code="quantity_too_large")
    packs.sort(key=catalog.packs.index)
    return tuple(
        Item(pack.id, pack.metric, pack.quantity, pack.price_cents, counts[pack.id], pack.interval.value)
        for pack in packs
    )


def on_offer(catalog: Catalog, pack_id: str) -> Pack:
    """A pack that can be bought now. Raises NotFoundError `pack_not_found`."""
    pack = catalog.pack(pack_id)
    if not pack.offered:
        raise NotFoundError(f"The pack {pack_id!r} is not on offer any more.", code="pack_not_found")
    return pack


def unchanged(catalog: Catalog, items: Iterable[Item]) -> bool:
    """Whether the catalogue still offers these items at their price."""
    now = {pack.id: (pack.quantity, pack.price_cents, pack.interval.value) for pack in catalog.packs if pack.offered}
    return all(now.get(item.pack) == (item.quantity, item.price_cents, item.interval) for item in items)


def renews(items: Iterable[Item]) -> bool:
    """Whether any of the items is paid again every month."""
    return any(item.interval != Interval.ONCE for item in items)


def quantities(items: Iterable[Item]) -> dict[str, int]:
    """What the items grant, per metric."""
    found: dict[str, int] = {}
    for item in items:
        found[item.metric] = found.get(item.metric, 0) + item.quantity * item.count
    return found


def encode(items: Iterable[Item]) -> str:
    """The items as they are stored."""
    return json.dumps([asdict(item) for item in items])


def decode(text: str) -> tuple[Item, ...]:
    """Stored items."""
    return tuple(Item(**item) for item in json.loads(text))


def summary(items: Iterable[Item]) -> str:
    """The items in Stripe's metadata, for a person in its dashboard: `2x mau-10k, 1x storage-1tb`.

    Nothing is ever read back from it. Whole items only, as many as fit.
    """
    text = ""
    for item in items:
        longer = f"{text}{', ' if text else ''}{item.count}x {item.pack}"
        if len(longer) > MAX_METADATA:
            return text
        text = longer
    return text


def lookup_key(pack: Pack) -> str:
    """What the pack's price at Stripe is found by. The price itself is new with every version of the pack."""
    return f"pack:{pack.id}"


def price_metadata(pack: Pack) -> dict[str, str]:
    """What a price carries for ever: it grants this, whatever the pack of this id has become since."""
    return {"pack": pack.id, "metric": pack.metric, "quantity": str(pack.quantity)}


@dataclass(frozen=True, slots=True)
class Sold:
    """What one unit of a price grants: the version of the pack that the price belongs to."""

    pack: str
    metric: str
    quantity: int

    def described(self, metric: Metric, count: int = 1) -> str:
        """Why a grant exists: `10,000 MAU pack`, `5 TB bandwidth pack`, `3 packs of 10,000 MAU`."""
        name = format_pack(Pack(self.pack, self.metric, self.quantity, 0, Interval.ONCE, public=False), metric)
        return f"{count} packs of {name}" if count > 1 else f"{name.replace(' of ', ' ', 1)} pack"


def sold_at(metadata: Mapping[str, str]) -> Sold:
    """What a price sells, read back from what `price_metadata` wrote.

    Raises InvalidError `unknown_price` for a price that is none of ours.
    """
    quantity = metadata.get("quantity", "")
    if not (metadata.get("pack") and metadata.get("metric") and quantity.isascii() and quantity.isdigit()):
        raise InvalidError("A price was paid that belongs to no pack.", code="unknown_price")
    return Sold(metadata["pack"], metadata["metric"], int(quantity))
