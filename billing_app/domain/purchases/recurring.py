"""Recurring packs: what of a paid line becomes credits, and what a pack subscription has to say next.

The packs of one basket are items of one subscription (decision 7). A change counts from the next renewal: it is made
without proration, and what has been paid for stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a recurring pack stands. Ended is for ever; whoever wants it again buys it again."""

    ACTIVE = "active"
    PAST_DUE = "past_due"
    """The last renewal was not paid yet; its credits come when it is."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Billed:
    """An item of a subscription as it stands."""

    item_id: str
    price_id: str
    count: int


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What is to become of an item; a new one has no `item_id`, one that goes has `count` 0."""

    item_id: str
    price_id: str
    count: int


@dataclass(frozen=True, slots=True)
class Change:
    """What a subscription is told. `ends`: with the running period, because nothing of it goes on."""

    items: tuple[ItemChange, ...]
    ends: bool


def change(billed: Iterable[Billed], wanted: Mapping[str, int]) -> Change:
    """What makes a subscription bill `wanted` (count by price) from its next renewal on.

    A subscription cannot be without items: where nothing goes on, they stay and it ends as a whole.
    """
    wanted = {price: count for price, count in wanted.items() if count > 0}
    if not wanted:
        return Change((), ends=True)
    known = {each.price_id: each for each in billed}
    changes = [
        ItemChange(each.item_id, each.price_id, wanted.get(each.price_id, 0))
        for each in known.values()
        if wanted.get(each.price_id, 0) != each.count
    ]
    changes += [ItemChange("", price, count) for price, count in wanted.items() if price not in known]
    return Change(tuple(changes), ends=False)


def brings_credits(amount_cents: int, count: int, *, proration: bool) -> bool:
    """Whether a paid line becomes a grant: not a proration, and not what costs nothing before any discount.

    So a trial, whose lines cost nothing, brings nothing, and a coupon for everything brings a free grant.
    """
    return not proration and amount_cents > 0 and count > 0
