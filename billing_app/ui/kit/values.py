"""Values of the catalogue as an operator reads and types them: quantities in display units, money in whole currency."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from billing_app.domain.catalogue.quantities import counted, displayed
from billing_app.domain.common.money import exponent

UNLIMITED = "unlimited"
NOT_SOLD = "not sold"
ENDLESS = frozenset({"", UNLIMITED, "\N{INFINITY}", "none", NOT_SOLD})
"""What people type for "no limit" or "no price"."""

SUFFIXES = {"k": 1_000, "m": 1_000_000}

MAX_DIGITS = 50
"""Longer figures are no figures of a catalogue; they stay text and are refused with their place."""


class Kind(StrEnum):
    """What a cell holds."""

    TEXT = "text"
    LONG = "long"
    """A text of a sentence or more."""
    OPTIONAL = "optional"
    """A text that may be missing."""
    NUMBER = "number"
    LIMIT = "limit"
    MONEY = "money"
    PRICE = "price"
    FLAG = "flag"
    CHOICE = "choice"
    STILL = "still"
    """Shown, and not to be changed."""


@dataclass(frozen=True, slots=True)
class Spec:
    """How a value is written. `factor` base units are one; `currency` is that of a price."""

    kind: Kind
    factor: int = 1
    currency: str = ""
    options: tuple[str, ...] = ()


def as_text(value: Any, spec: Spec) -> str:
    """The value as text. What is not a value of this kind (somebody is still typing) stays as it is."""
    if spec.kind is Kind.FLAG:
        return "yes" if value else "no"
    if value is None:
        return {Kind.LIMIT: UNLIMITED, Kind.PRICE: NOT_SOLD}.get(spec.kind, "")
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    if spec.kind in (Kind.MONEY, Kind.PRICE):
        return f"{Decimal(value).scaleb(-exponent(spec.currency)):,.{exponent(spec.currency)}f}"
    if spec.factor > 1:
        written = f"{displayed(value, spec.factor):,f}"
        return written.rstrip("0").rstrip(".") if "." in written else written
    return f"{value:,}" if spec.kind in (Kind.NUMBER, Kind.LIMIT) else str(value)


def typed(text: str, spec: Spec) -> Any:
    """What somebody typed, as the document has it. What cannot be meant stays text, which the catalogue refuses."""
    if spec.kind is Kind.FLAG:
        return text == "yes"
    if spec.kind in (Kind.TEXT, Kind.LONG, Kind.CHOICE):
        return text.strip()
    if spec.kind is Kind.OPTIONAL:
        return text.strip() or None
    word = text.strip().lower()
    if word in ENDLESS and spec.kind in (Kind.LIMIT, Kind.PRICE):
        return None
    figure = _figure(word)
    if figure is None:
        return text.strip()
    if spec.kind in (Kind.MONEY, Kind.PRICE):
        found = counted(figure.scaleb(exponent(spec.currency)), 1)
    else:
        found = counted(figure, spec.factor)
    return text.strip() if found is None else found


def _figure(word: str) -> Decimal | None:
    """`25,000`, `25 000`, `25k`, `1.5m`, `$49.00`."""
    plain = word.replace(",", "").replace("_", "").replace(" ", "").lstrip("$€£¥")
    times = SUFFIXES.get(plain[-1:], 1)
    if times > 1:
        plain = plain[:-1]
    if not plain or len(plain) > MAX_DIGITS or not set(plain) <= set("0123456789.-"):
        return None
    try:
        return Decimal(plain) if times == 1 else Decimal(plain) * times
    except InvalidOperation:
        return None
