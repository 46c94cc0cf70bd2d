"""What can be bought together, what it is called at Stripe, and what a paid line of it grants."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from billing_app.domain.catalog import Catalog, Interval, Metric, Pack
from billing_app.domain.credits import MAX_QUANTITY
from billing_app.domain.errors import FactRefusedError, InvalidError
from billing_app.domain.quantities import format_pack

MAX_LINES = 20
"""Different packs of one basket; more than any metric has sizes."""

MAX_COUNT = 99
"""Of one pack: who needs more takes the next size."""

MAX_METADATA = 500
"""Characters of one value of Stripe's metadata."""


class OrderState(StrEnum):
    """Where a purchase stands. Only open ones change, and paid is for ever."""

    OPEN = "open"
    PAID = "paid"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Item:
    """So many of one pack, as it was offered when the order was made. `quantity` and `price_cents` are of one."""

    pack: str
    metric: str
    quantity: int
    price_cents: int
    count: int


def basket(catalog: Catalog, wanted: Iterable[tuple[str, int]]) -> tuple[Item, ...]:
    """The items for (pack id, count) pairs; the same pack twice is added up. In the catalogue's order.

    Raises NotFoundError `pack_not_found`, also for a pack that is not on offer; InvalidError `basket_empty`,
    `basket_too_large`, `invalid_count`, `recurring_not_available`; FactRefusedError `quantity_too_large`.
    """
    counts: dict[str, int] = {}
    for pack_id, count in wanted:
        if count < 1:
            raise InvalidError(f"Of each pack, buy 1 to {MAX_COUNT}.", code="invalid_count")
        counts[pack_id] = counts.get(pack_id, 0) + count
    if not counts:
        raise InvalidError("Choose a pack first.", code="basket_empty")
    if len(counts) > MAX_LINES:
        raise InvalidError(f"At most {MAX_LINES} different packs can be bought at once.", code="basket_too_large")
    if max(counts.values()) > MAX_COUNT:
        raise InvalidError(f"Of each pack, buy 1 to {MAX_COUNT}.", code="invalid_count")
    offered = {pack.id: _offered(catalog, pack_id) for pack_id in counts for pack in [catalog.pack(pack_id)]}
    return tuple(
        Item(pack.id, pack.metric, pack.quantity, pack.price_cents, counts[pack.id])
        for pack in catalog.packs
        if pack.id in offered
    )
