"""The cheapest set of packs that covers a shortfall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from billing_app.domain.catalogue import Pack

MAX_PACKS = 99
"""Packs of one kind in a basket: what a checkout line takes."""

MAX_STEPS = 20_000
"""Sets that are looked at; with packs that get cheaper as they grow a few dozen are enough."""


@dataclass(frozen=True, slots=True)
class Offer:
    """So many of each pack, what they hold together, and what they cost together (cents)."""

    items: tuple[tuple[Pack, int], ...]
    quantity: int
    price_cents: int


def cheapest(packs: Sequence[Pack], shortfall: int) -> Offer | None:
    """The set with the lowest price that holds at least `shortfall`; of equal ones the one that holds more.

    None where nothing is missing or nothing covers it. Branch and bound: packs by price per unit, and a branch is left
    as soon as even its cheapest unit price could not beat the best set found.
    """
    if shortfall <= 0 or not packs:
        return None
    ordered = sorted(packs, key=lambda pack: (_unit(pack), -pack.quantity))
    search = _Search(ordered)
    search.look(0, shortfall, 0, [])
    if search.best is None:
        return None
    counts = search.best[2]
    items = tuple((pack, count) for pack, count in zip(ordered, counts, strict=False) if count)
    quantity = sum(pack.quantity * count for pack, count in items)
    return Offer(tuple(sorted(items, key=lambda item: -item[0].quantity)), quantity, search.best[0])


def _unit(pack: Pack) -> tuple[int, int]:
    """Orders packs by price per unit without a fraction: price of 2**80 units."""
    return (pack.price_cents * 2**80 // pack.quantity, pack.price_cents)


class _Search:
    def __init__(self, ordered: list[Pack]) -> None:
        self.ordered = ordered
        self.best: tuple[int, int, list[int]] | None = None  # price, minus quantity, counts
        self.steps = 0

    def look(self, index: int, missing: int, price: int, counts: list[int]) -> None:
        """Tries every sensible count of the pack at `index` for what is still missing."""
        self.steps += 1
        if missing <= 0:
            found = (price, missing, counts)
            if self.best is None or found[:2] < self.best[:2]:
                self.best = found
            return
        if index == len(self.ordered) or self.steps > MAX_STEPS:
            return
        pack = self.ordered[index]
        bound = price + -(-missing * pack.price_cents // pack.quantity)
        if self.best is not None and bound > self.best[0]:
            return
        most = min(MAX_PACKS, -(-missing // pack.quantity))
        for count in range(most, -1, -1):
            self.look(index + 1, missing - count * pack.quantity, price + count * pack.price_cents, [*counts, count])


def by_saving(packs: Sequence[Pack]) -> dict[str, int]:
    """How much cheaper each pack's unit is than the dearest of them, in whole percent, by pack id."""
    if not packs:
        return {}
    top = max(packs, key=_unit)
    saving = {}
    for pack in packs:
        cost, reference = pack.price_cents * top.quantity, top.price_cents * pack.quantity
        saving[pack.id] = (reference - cost) * 100 // reference if reference else 0
    return saving
