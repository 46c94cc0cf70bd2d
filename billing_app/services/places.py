"""Time zones and countries: those that exist, the same on every machine."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from babel import Locale

from billing_app.domain.errors import InvalidError

NO_ZONES = frozenset({"Factory", "localtime", "posixrules", "posix", "right"})
"""In some time zone databases, and no place anywhere: not set up, this machine's own, and rules for others."""

NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"})
"""Two letters that CLDR names beside ISO 3166-1: unions, groups, parts of countries, and codes for one's own use."""


@lru_cache
def zones() -> frozenset[str]:
    """The names of the IANA database that comes with the program; the machine's own has others that are no zones."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()) - NO_ZONES


@lru_cache
def countries() -> dict[str, str]:
    """The countries of ISO 3166-1 by their two letters, with their English names."""
    names = Locale("en").territories
    return {
        code: name for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES
    }


def time_zone(text: str) -> str:
    """A time zone as it is stored. Raises InvalidError `invalid_profile`."""
    if text not in zones():
        raise InvalidError(
            f"There is no time zone {text[:64]!r}. One is Europe/Lisbon.", code="invalid_profile", field="timezone"
        )
    return text


def country(text: str) -> str:
    """A country as it is stored, which people may also type in small letters. Raises InvalidError `invalid_profile`."""
    code = text.upper()
    if code not in countries():
        raise InvalidError(
            f"There is no country {text[:8]!r}. One is its two letters, as PT.", code="invalid_profile", field="country"
        )
    return code
