"""Numbers, money and dates as a reader sees them. The only place of `ui` that turns a figure into text.

Numbers and money follow the reader's locale. Dates are day and month name ("14 Dec") for everyone: the pages' words are
English, and a date of this form cannot be read in the wrong order. Moments are shown in UTC and say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal, get_decimal_symbol, get_group_symbol

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.catalogue.quantities import format_base, format_size, reading
from billing_app.domain.common.money import major_amount, unit_price
from billing_app.domain.common.periods import Period, month_start

MINUS = "\N{MINUS SIGN}"
NARROW = "\N{NO-BREAK SPACE}"
NEAR = timedelta(days=183)
"""A date nearer than this is unmistakable without its year."""

MAX_LANGUAGES = 8
"""How many languages of a browser's list are looked at: the header is the caller's to write."""


@lru_cache(maxsize=64)
def known_locale(accept_language: str) -> str:
    """The first language of an Accept-Language header that Babel knows; "en" if there is none."""
    for part in accept_language.split(",")[:MAX_LANGUAGES]:
        tag = part.split(";")[0].strip().replace("-", "_")
        try:
            return str(Locale.parse(tag))
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    return "en"


@dataclass(frozen=True, slots=True)
class Formats:
    """How one reader sees figures."""

    locale: str = "en"

    def number(self, value: int | Decimal, decimals: int = 0) -> str:
        """44,290; decimals are always written out."""
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        rounded = Decimal(value).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
        return str(format_decimal(rounded, format=pattern, locale=self.locale)).replace("-", MINUS)

    def signed(self, text: str) -> str:
        """Puts a plus before a figure that is not negative."""
        return text if text.startswith(MINUS) else f"+{text}"

    def quantity(self, metric: Metric, value: int) -> str:
        """As measured, rounded: 44,290; 112.4 GB; 1.18 TB."""
        figure = reading(value, metric)
        return self._with_unit(self.number(figure.amount, figure.decimals), figure.unit)

    def size(self, metric: Metric, value: int) -> str:
        """As somebody chose it, exactly: "100 GB", "5 TB", "50,000"."""
        return self._localized(format_size(value, metric))

    def exact(self, metric: Metric, value: int) -> str:
        """The figure in base units, for the hover: "112,400,000,000 bytes"."""
        return self._localized(format_base(value, metric))

    def named(self, metric: Metric, value: int) -> str:
        """A chosen quantity with what it counts: "50,000 MAU", "200 GB"."""
        return self._with_unit(self.number(value), metric.display_unit) if metric.counts else self.size(metric, value)

    def change(self, metric: Metric, value: int) -> str:
        """A quantity with its sign: "+50,000", "\N{MINUS SIGN}12.4 GB"."""
        return self.signed(self.quantity(metric, value)) if value else "0"

    def short(self, metric: Metric, value: int) -> str:
        """64.5k, 1.2M, for labels inside a chart; figures with a unit keep it."""
        if not metric.counts:
            return self.quantity(metric, value)
        for step, mark in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
            if abs(value) >= step * 10:
                tenths = Decimal(value) / step
                decimals = 0 if round(tenths, 1) == round(tenths) else 1
                return self.number(tenths, decimals) + mark
        return self.number(value)

    def money(self, cents: int, currency: str) -> str:
        """$49.00, with the currency's own number of decimals."""
        amount = major_amount(cents, currency.lower())
        return str(format_currency(amount, currency.upper(), locale=self.locale)).replace("-", MINUS)

    def unit_price(self, metric: Metric, quantity: int, cents: int, currency: str) -> str:
        """ "$0.98 per 1,000", "$0.060 each", "$0.12 per GB": the price of `price_per` display units."""
        amount, decimals = unit_price(cents, quantity, metric.price_per * metric.factor, currency.lower())
        text = self._priced(amount, decimals, currency)
        every = "" if metric.price_per == 1 else self.number(metric.price_per)
        if metric.counts:
            return f"{text} per {every}" if every else f"{text} each"
        return f"{text} per {self._with_unit(every, metric.display_unit).strip()}"

    def _priced(self, amount: Decimal, decimals: int, currency: str) -> str:
        """An amount with more decimals than its currency has, in the signs that its prices have."""
        pattern = Locale.parse(self.locale).currency_formats["standard"].pattern
        finer = pattern.replace("0.00", f"0.{'0' * decimals}" if decimals else "0")
        return str(format_currency(amount, currency.upper(), finer, locale=self.locale, currency_digits=False))

    def _with_unit(self, text: str, unit: str) -> str:
        return f"{text}{NARROW}{unit}" if unit else text

    def _localized(self, english: str) -> str:
        """A figure that the domain wrote with comma and point, in this reader's signs."""
        if self.locale.startswith("en"):
            return english
        signs = {",": get_group_symbol(self.locale), ".": get_decimal_symbol(self.locale)}
        return "".join(signs.get(sign, sign) for sign in english)

    def plotly_separators(self) -> str:
        """Decimal and group sign for Plotly's own numbers."""
        return get_decimal_symbol(self.locale) + get_group_symbol(self.locale)


def day(moment: datetime, now: datetime) -> str:
    """ "14 Dec"; with its year when it is more than half a year away."""
    return plain_day(moment) if abs(moment - now) < NEAR else long_day(moment)


def plain_day(moment: datetime) -> str:
    """ "14 Dec", where the year is plain from what stands around it."""
    return f"{moment.day} {moment:%b}"


def long_day(moment: datetime) -> str:
    """ "2 Sep 2026"."""
    return f"{moment.day} {moment:%b} {moment.year}"


def clock(moment: datetime) -> str:
    """ "18:00", in UTC."""
    return f"{moment:%H:%M}"


def moment_text(moment: datetime) -> str:
    """ "21 Nov 2025, 14:10 UTC"."""
    return f"{long_day(moment)}, {clock(moment)} UTC"


def last_day(end: datetime) -> datetime:
    """The last day that lies before `end`, the open end of a period."""
    return end - timedelta(microseconds=1)


def is_calendar_month(period: Period) -> bool:
    """Whether the period is a calendar month, and is called by its name alone."""
    return month_start(period.start) == period.start


def month(period: Period) -> str:
    """ "Nov", or "20 Nov – 19 Dec"."""
    if is_calendar_month(period):
        return f"{period.start:%b}"
    return f"{plain_day(period.start)} \N{EN DASH} {plain_day(last_day(period.end))}"


def month_with_year(period: Period) -> str:
    """ "Oct 2025", or "20 Oct – 19 Nov 2025"."""
    return f"{month(period)} {last_day(period.end).year}"


def month_in_words(period: Period) -> str:
    """ "November", or "20 Nov – 19 Dec"."""
    return f"{period.start:%B}" if is_calendar_month(period) else month(period)


def possessive_month(period: Period) -> str:
    """ "November’s", or "this month’s" where a period has no name."""
    name = month_in_words(period) if is_calendar_month(period) else "this month"
    return f"{name}\N{RIGHT SINGLE QUOTATION MARK}s"


def days_left(end: datetime, now: datetime) -> str:
    """ "9 days left", counting today: on the last day "ends today"."""
    days = (last_day(end).date() - now.date()).days
    if days <= 0:
        return "ends today"
    return "1 day left" if days == 1 else f"{days} days left"


def in_days(moment: datetime, now: datetime) -> str:
    """ "in 23 days", "today", "3 days ago"."""
    days = (moment.date() - now.date()).days
    if days == 0:
        return "today"
    if days == 1:
        return "tomorrow"
    return f"in {days} days" if days > 0 else f"{-days} days ago" if days < -1 else "yesterday"


def initial(name: str) -> str:
    """The first letter of a name, for its tile."""
    return next((letter.upper() for letter in name if letter.isalnum()), "?")


def listed(words: list[str]) -> str:
    """ "emails", "emails and SMS", "emails, SMS and storage"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
