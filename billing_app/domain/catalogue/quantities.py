"""Quantities for a person to read: base units in the metric's display unit, exact or rounded, never through a float.

The one place that rounds a quantity for show. English figures (commas, a point); a page in another locale takes the
numbers of `reading` and writes them itself. And back again: what a person types into a field.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import gcd

from billing_app.domain.catalogue.model import Metric, Pack
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.common.money import MAX_AMOUNT_CENTS, MINUS, exponent
from billing_app.domain.credits.facts import MAX_QUANTITY

DECIMAL_PREFIXES = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
"""Units that are a thousand of the one before, so that 1 180 GB can be read as 1.18 TB and 0.05 GB as 50 MB."""

STEP = 1000


@dataclass(frozen=True, slots=True)
class ReadQuantity:
    """A rounded figure: `amount` of `unit`, to be written with `decimals`. `unit` is empty where things are counted."""

    amount: Decimal
    decimals: int
    unit: str


def reading(quantity: int, metric: Metric) -> ReadQuantity:
    """The figure for `quantity` base units.

    Counts are whole. Other figures are in the display unit with one decimal, none where it is whole (112.4 GB, 100 GB);
    from a thousand on in a larger unit with two (1.18 TB, 2.00 TB); below one in a smaller unit. Whatever has no such
    units (hours of 3 600 seconds, GiB) keeps its own everywhere, with as many decimals as it takes that something is
    never shown as nothing. Rounded half up, away from zero.
    """
    if metric.counts:
        return ReadQuantity(Decimal(quantity), 0, "")
    if not _has_prefixes(metric):
        figure, decimals = _rounded(quantity, metric.factor, metric.display_unit), 1
        while quantity and not figure.amount:
            decimals += 1
            figure = _rounded(quantity, metric.factor, metric.display_unit, decimals=decimals)
        return figure
    place = DECIMAL_PREFIXES.index(metric.display_unit)
    factor = metric.factor
    while place > 0 and 0 < abs(quantity) < factor and factor % STEP == 0:
        place, factor = place - 1, factor // STEP
    figure = _rounded(quantity, factor, DECIMAL_PREFIXES[place])
    # Compared after rounding: 999.96 GB reads as 1.00 TB, not as 1,000 GB.
    while abs(figure.amount) >= STEP and place < len(DECIMAL_PREFIXES) - 1:
        place, factor = place + 1, factor * STEP
        larger = factor > metric.factor
        figure = _rounded(quantity, factor, DECIMAL_PREFIXES[place], decimals=2 if larger else None)
    return figure


def format_quantity(quantity: int, metric: Metric, *, signed: bool = False) -> str:
    """`44,290`, `112.4 GB`, `1.18 TB`, `−19,290`; with `signed` also `+50,000`. Rounded as `reading` says."""
    figure = reading(quantity, metric)
    return _sign(quantity, signed) + _with_unit(f"{abs(figure.amount):,.{figure.decimals}f}", figure.unit)


def format_exact(quantity: int, metric: Metric, *, signed: bool = False) -> str:
    """The same without rounding, in the display unit with as few decimals as it takes: `1,180.000000001 GB`, `44,290`.

    Always in that unit, so that no reader has to convert; where no decimal number says it (5 seconds of an hour), to
    nine decimals.
    """
    amount = in_display_units(abs(quantity), metric)
    return _sign(quantity, signed) + _with_unit(_plain(amount), "" if metric.counts else metric.display_unit)


def format_allowance(quantity: int | None, metric: Metric) -> str:
    """What a plan includes: `unlimited` for None, else as somebody chose it: `100 GB`, `2 TB`, `25,000`."""
    return "unlimited" if quantity is None else format_size(quantity, metric)


def format_base(quantity: int, metric: Metric) -> str:
    """The stored number with its unit, for hover and audit: `112,400,000,000 bytes`, `44,290 unique devices`."""
    return f"{_sign(quantity, False)}{abs(quantity):,} {metric.unit}"


def format_pack(pack: Pack, metric: Metric) -> str:
    """What a pack holds, exactly and as short as it goes: `50,000 MAU`, `10,000 emails`, `5 TB of bandwidth`."""
    if metric.counts:
        return f"{pack.quantity:,} {metric.display_unit}"
    return f"{format_size(pack.quantity, metric)} of {_in_a_sentence(metric.name)}"


def format_price_unit(metric: Metric) -> str:
    """What a metric's prices are quoted for: `per 1,000`, `per GB`, `each`."""
    if metric.price_per > 1:
        return f"per {format_size(metric.price_per * metric.factor, metric)}"
    return "each" if metric.counts else f"per {metric.display_unit}"


def format_size(quantity: int, metric: Metric) -> str:
    """A quantity that somebody chose, exactly: `50 GB`, `5 TB`, `1,500 GB` (not `1.50 TB`, which reads as measured)."""
    if metric.counts or not _has_prefixes(metric):
        return format_exact(quantity, metric)
    place, factor = DECIMAL_PREFIXES.index(metric.display_unit), metric.factor
    while quantity and quantity % (factor * STEP) == 0 and place < len(DECIMAL_PREFIXES) - 1:
        place, factor = place + 1, factor * STEP
    amount = _plain(_divided(abs(quantity), factor))
    return _sign(quantity, False) + _with_unit(amount, DECIMAL_PREFIXES[place])


def in_display_units(quantity: int, metric: Metric) -> Decimal:
    """`quantity` in the metric's display unit: what a chart's axis shows.

    Exact, unless no decimal number says it (a third of an hour): then to nine decimals, or to the first that says
    anything.
    """
    return displayed(quantity, metric.factor)


def in_field(quantity: int, metric: Metric) -> str:
    """The same as somebody would type it: no commas, and no zeros at the end."""
    return _plain(in_display_units(quantity, metric)).replace(",", "")


def displayed(quantity: int, factor: int) -> Decimal:
    """The same for `factor` base units to a display unit."""
    common = gcd(quantity, factor)
    if _ends(factor // common):
        return _divided(quantity // common, factor // common)
    decimals = 9
    while not (amount := _rounded(quantity, factor, "", decimals=decimals).amount):
        decimals += 1
    return amount


def counted(amount: Decimal, factor: int) -> int | None:
    """What somebody typed in display units, in base units; None for what is finer than those.

    What a field shows is read as what it stands for, also where no decimal number says it: 1.666666667 minutes, shown
    for 100 seconds, are 100 seconds.
    """
    exact = Fraction(amount) * factor  # decimal numbers would be rounded to 28 digits
    if exact.denominator == 1:
        return int(exact)
    nearest = round(exact)
    return nearest if nearest and displayed(nearest, factor) == amount else None


def _rounded(quantity: int, factor: int, unit: str, *, decimals: int | None = None) -> ReadQuantity:
    shift = 1 if decimals is None else decimals
    numerator = abs(quantity) * 10**shift
    tenths = (2 * numerator + factor) // (2 * factor)
    if decimals is None and tenths % 10 == 0:
        shift, tenths = 0, tenths // 10
    return ReadQuantity(Decimal(tenths if quantity >= 0 else -tenths).scaleb(-shift), shift, unit)


def _divided(quantity: int, factor: int) -> Decimal:
    """`quantity / factor` with every digit: the context of decimal numbers would round after 28 of them."""
    shift, power = 0, 1
    while power % factor:
        shift, power = shift + 1, power * 10
    return Decimal(f"{quantity * (power // factor)}e-{shift}")


def _has_prefixes(metric: Metric) -> bool:
    """Whether larger and smaller units are a thousand times this one: GB of 10**9 bytes are, those of 2**30 are not."""
    return metric.display_unit in DECIMAL_PREFIXES and str(metric.factor).rstrip("0") == "1"


def _ends(factor: int) -> bool:
    """Whether dividing by `factor` gives decimal numbers that end: it has no prime factor but 2 and 5."""
    return 10 ** factor.bit_length() % factor == 0


def _plain(amount: Decimal) -> str:
    written = f"{amount:,f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def _sign(quantity: int, signed: bool) -> str:
    if quantity < 0:
        return MINUS
    return "+" if signed and quantity > 0 else ""


def _with_unit(written: str, unit: str) -> str:
    return f"{written} {unit}" if unit else written


def _in_a_sentence(name: str) -> str:
    """`Storage` becomes `storage` in the middle of a sentence; `SMS` and `API calls` stay."""
    return name.lower() if name[1:].islower() and " " not in name else name


MAX_TYPED = 50
"""Characters of a number that anybody means."""


def quantity_in(text: str, metric: Metric) -> int:
    """The quantity that a person typed, `5,000` or `1.5` display units, in base units.

    Raises InvalidError `invalid_quantity` for what is not a number, negative, or finer than the metric's base unit.
    """
    typed = _number(text)
    if typed is None or typed < 0:
        raise InvalidError(f"Type a number of {metric.display_unit}, such as 5,000.", code="invalid_quantity")
    exact = counted(typed, metric.factor)
    if exact is None or exact > MAX_QUANTITY:
        raise InvalidError(f"That is not a quantity of {metric.display_unit} that is counted.", code="invalid_quantity")
    return exact


def cents_in(text: str, currency: str) -> int:
    """The amount that a person typed, `200` or `199.50`, in the currency's minor unit.

    Raises InvalidError `invalid_amount` for what is not an amount above 0.
    """
    typed = _number(text)
    exact = None if typed is None else typed.scaleb(exponent(currency))
    if exact is None or exact != exact.to_integral_value() or not 0 < exact <= MAX_AMOUNT_CENTS:
        raise InvalidError("Type an amount above 0, such as 200.", code="invalid_amount")
    return int(exact)


def _number(text: str) -> Decimal | None:
    """Digits with a decimal point, perhaps grouped by commas or spaces; None for anything else."""
    plain = text.strip().replace(",", "").replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    if len(plain) > MAX_TYPED or not plain.isascii() or not plain.replace(".", "", 1).isdigit():
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None
