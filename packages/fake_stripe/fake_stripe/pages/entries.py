"""What a payer typed, read: numbers with blanks, dates with slashes, quantities."""

import time

from fake_stripe.errors import StripeError
from fake_stripe.payments.checkout import Payer
from fake_stripe.storage.objects import Body

_QUANTITY = "quantity-"


def payer_of(entered: dict[str, str], session: Body) -> Payer:
    """The form's fields as a payer. Raises StripeError for entries that make no sense."""
    quantities = quantities_of(entered)
    if session["mode"] == "payment" and session["amount_total"] == 0:
        return Payer(number="", email=entered.get("email"), quantities=quantities)
    email = entered.get("email") or None
    if entered.get("method") == "bank":
        number = "".join(entered.get("account", "").split())
        return Payer(number, entered.get("holder"), email, quantities=quantities)
    number = "".join(entered.get("number", "").replace("-", " ").split())
    if not number:
        raise StripeError("Your card number is incomplete.", code="incomplete_number", param="number")
    return Payer(number, entered.get("name"), email, expiry_of(entered.get("expiry", "")), quantities=quantities)


def expiry_of(text: str) -> tuple[int, int]:
    """Month and year of `12/34`. Raises StripeError if it is none, or past."""
    month, _, year = text.replace(" ", "").partition("/")
    if not month.isdigit() or not year.isdigit() or not 1 <= int(month) <= 12:
        raise StripeError("Your card's expiration date is incomplete.", code="invalid_expiry_month", param="expiry")
    full = int(year) + 2000 if int(year) < 100 else int(year)
    now = time.gmtime()
    if (full, int(month)) < (now.tm_year, now.tm_mon):
        raise StripeError("Your card's expiration date is in the past.", code="invalid_expiry_year", param="expiry")
    return int(month), full


def quantities_of(entered: dict[str, str]) -> dict[str, int]:
    """Chosen quantities by line item id."""
    return {
        name.removeprefix(_QUANTITY): int(value)
        for name, value in entered.items()
        if name.startswith(_QUANTITY) and value.isdigit()
    }
