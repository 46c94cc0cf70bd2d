"""Auto top-up (credits.md rule 13): when it is armed, what it may spend, and what a failure does to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

REST = timedelta(hours=24)
"""How long a failure keeps it from trying again."""

MAX_FAILURES = 3
"""In a row; then it turns itself off, and somebody has to look at the card."""

PROPOSED_SHARE = 5
"""A proposed threshold is at most a fifth of what is bought: time enough to buy, and not too early."""


class TopUpState(StrEnum):
    """What it does now."""

    OFF = "off"
    ON = "on"
    WAITING_FOR_CARD = "waiting_for_card"
    """It is on, and there is no card to charge."""
    RESTING = "resting"
    """The last attempt failed; it tries again a day later."""
    CAPPED = "capped"
    """The month's cap leaves no room for another pack."""
    TURNED_OFF = "turned_off"
    """It failed three times in a row."""


class AttemptState(StrEnum):
    """Where one attempt to buy stands."""

    OPEN = "open"
    PAID = "paid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether an auto top-up does anything."""

    enabled: bool
    has_card: bool
    failures: int
    resting_until: datetime | None
    capped_until: datetime | None

    def state(self, now: datetime) -> TopUpState:
        """What it does at `now`."""
        if not self.enabled:
            return TopUpState.TURNED_OFF if self.failures >= MAX_FAILURES else TopUpState.OFF
        if not self.has_card:
            return TopUpState.WAITING_FOR_CARD
        if self.resting_until is not None and now < self.resting_until:
            return TopUpState.RESTING
        if self.capped_until is not None and now < self.capped_until:
            return TopUpState.CAPPED
        return TopUpState.ON


class Figures(Protocol):
    """What decides: an account of the engine's, or a meter that is right now. None as an allowance is unlimited."""

    @property
    def allowance(self) -> int | None:
        """What the plan includes in the period."""

    @property
    def used(self) -> int:
        """Used in the period."""

    @property
    def left(self) -> int:
        """Credits that are effective, not held, and not spent."""

    @property
    def debt(self) -> int:
        """Owed for what was taken back."""

    @property
    def deficit(self) -> int:
        """Used, and paid by nothing yet."""


def spendable(figures: Figures) -> int:
    """What is left to spend; debt and deficit count, because the next credits pay them first. May be negative."""
    return figures.left - figures.debt - figures.deficit


def armed(figures: Figures, threshold: int) -> bool:
    """Whether it is time to buy. Where the allowance is unlimited no credits are ever spent."""
    return figures.allowance is not None and spendable(figures) <= threshold


def armed_at_used(figures: Figures, threshold: int) -> int | None:
    """The use of the running period at which it arms; None where more use does not arm it."""
    if figures.allowance is None or armed(figures, threshold):
        return None
    return max(figures.used, figures.allowance) + spendable(figures) - threshold


def packs_needed(figures: Figures, threshold: int, quantity: int, count: int) -> int:
    """How many packs of `quantity` one purchase takes: `count`, or as many more as lift credits above the threshold.

    So what is used, or owed, beyond one purchase is one charge too, and not one after the other.
    """
    return packs_needed_for(spendable(figures), threshold, quantity, count)


def packs_needed_for(left: int, threshold: int, quantity: int, count: int) -> int:
    """The same for what is `left` to spend, which may be negative."""
    return max(count, -(-(threshold + 1 - left) // quantity))


def proposed_threshold(left: int | None, quantity: int, factor: int) -> int:
    """When to buy, for who has not said: at a fifth of a pack, and never so that turning it on buys at once.

    It is below what is `left` (None: no credits are ever spent) wherever anything is; one digit and zeros in the
    display unit, of `factor` base units, or in base units where it is less than one of those.
    """
    most = quantity // PROPOSED_SHARE if left is None else min(quantity // PROPOSED_SHARE, max(0, left) // 2)
    unit = factor if most >= factor else 1
    return _one_digit(most // unit) * unit


def _one_digit(number: int) -> int:
    power: int = 10 ** (len(str(number)) - 1)
    return number // power * power


def month_of(now: datetime) -> tuple[datetime, datetime]:
    """The calendar month (UTC) that `now` falls in, from its first instant to the next month's."""
    start = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year, month = divmod(start.year * 12 + start.month, 12)
    return start, start.replace(year=year, month=month + 1)


def fits(paid_cents: int, price_cents: int, cap_cents: int) -> bool:
    """Whether another purchase keeps the month within its cap."""
    return paid_cents + price_cents <= cap_cents


def consent(name: str, threshold: str, bought: str, price: str, cap: str) -> str:
    """What a person agrees to who turns it on; all figures as they were shown."""
    return (
        f"When {name} credits fall to {threshold}, buy {bought} for {price} before tax, at most {cap} per calendar "
        f"month. Where that is not enough to be above {threshold} again, more of these packs are bought in the same "
        "charge, within the same limit. The saved card is charged without asking again, until this is turned off."
    )
