"""What a person types into a field: a quantity in the metric's display unit, or an amount of money."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from billing_app.domain.catalogue import Metric
from billing_app.domain.catalogue.quantities import counted
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.common.money import MAX_AMOUNT_CENTS, exponent
from billing_app.domain.credits.facts import MAX_QUANTITY

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
