"""Amounts of money: whole minor units and a currency, never a float.

`price_cents` and its like count the minor unit that Stripe uses for the currency: cents of a dollar, whole yen,
thousandths of a dinar. Currencies are ISO codes, in either case. This module knows how many digits that is, and is the
only place that writes an amount down.
"""

from __future__ import annotations

from decimal import Decimal

_ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE_DECIMAL = "bhd jod kwd omr tnd"
_PADDED = "isk ugx"
_TWO_DECIMAL = """
aed afn all amd aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc cve czk dkk
dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd kzt lak lbp lkr lrd
lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar
sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs wst xcd yer zar zmw
"""

ZERO_DECIMAL = frozenset(_ZERO_DECIMAL.split())
"""Currencies whose minor unit is the currency itself."""

THREE_DECIMAL = frozenset(_THREE_DECIMAL.split())
"""Currencies of three decimals. Stripe asks that the last digit be 0."""

PADDED = frozenset(_PADDED.split())
"""Currencies without decimals that Stripe still wants with two: an amount is a multiple of 100."""

TWO_DECIMAL = frozenset(_TWO_DECIMAL.split())
"""All the others."""

CURRENCIES = ZERO_DECIMAL | THREE_DECIMAL | PADDED | TWO_DECIMAL
"""Every currency that a catalogue may be priced in: ISO 4217 codes in lower case."""

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "inr": "₹", "krw": "₩", "ils": "₪", "vnd": "₫"}
"""Symbols that stand for one currency only where we show them; every other currency is written with its code."""

MAX_AMOUNT_CENTS = 999_999_999_999
"""The largest amount: twelve digits, the most that a payment can carry."""

MAX_UNIT_PRICE_DECIMALS = 8
"""Where a price per unit ends; a metric as cheap as that should be quoted per more units."""

MINUS = "\N{MINUS SIGN}"


def exponent(currency: str) -> int:
    """How many decimals the amounts of `currency` have: 2 for usd, 0 for jpy, 3 for kwd."""
    code = currency.lower()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


def amount_step(currency: str) -> int:
    """What an amount in minor units must be a multiple of to be payable: 1, or 10 for kwd, 100 for isk."""
    code = currency.lower()
    if code in PADDED:
        return 100
    return 10 if code in THREE_DECIMAL else 1


def major_amount(amount_cents: int, currency: str) -> Decimal:
    """The amount in whole currency, exact: 4900 of usd is 49.00. For those who format it in a reader's locale."""
    return Decimal(amount_cents).scaleb(-exponent(currency))


def format_money(amount_cents: int, currency: str) -> str:
    """`$49.00`, `¥500`, `CHF 12.50`, `−$3.00`: grouped by commas, with the currency's own number of decimals."""
    decimals = 0 if currency.lower() in PADDED and amount_cents % 100 == 0 else exponent(currency)
    return _written(major_amount(amount_cents, currency), decimals, currency)


def unit_price(price_cents: int, quantity: int, per_quantity: int, currency: str) -> tuple[Decimal, int]:
    """The amount that `format_unit_price` writes, in whole currency, and its decimals: for a reader's own signs."""
    minor = price_cents * per_quantity
    decimals = exponent(currency)
    while decimals < MAX_UNIT_PRICE_DECIMALS and minor * 10**decimals < 10 * quantity * 10 ** exponent(currency):
        decimals += 1
    numerator = minor * 10**decimals
    divisor = quantity * 10 ** exponent(currency)
    return Decimal((2 * numerator + divisor) // (2 * divisor)).scaleb(-decimals), decimals


def format_unit_price(price_cents: int, quantity: int, per_quantity: int, currency: str) -> str:
    """What `per_quantity` costs when `quantity` costs `price_cents`, such as `$0.98` per 1 000 or `$0.060` each.

    It has the currency's decimals, or as many more as it takes for two digits that say something, so that packs that
    differ do not look alike. Rounded half up. Only shown, never charged.
    """
    return _written(*unit_price(price_cents, quantity, per_quantity, currency), currency)


def _written(amount: Decimal, decimals: int, currency: str) -> str:
    sign = MINUS if amount < 0 else ""
    symbol = SYMBOLS.get(currency.lower()) or f"{currency.upper()} "
    return f"{sign}{symbol}{abs(amount):,.{decimals}f}"
