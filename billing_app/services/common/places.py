"""Time zones and countries: those that exist, the same on every machine."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from billing_app.domain.common.errors import InvalidError

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
    from babel import Locale  # few ask

    names = Locale("en").territories
    return {
        code: name for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES
    }


OFFSET = re.compile(r"(GMT|UTC)([+-])([0-9]{1,2})(?::?([0-9]{2}))?")
"""A time zone by its distance from UTC, as people write it: GMT+2 is two hours ahead (POSIX means the opposite)."""

EARLIEST, LATEST = timedelta(hours=-12), timedelta(hours=14)
"""How far a place is from UTC, at most; always by whole quarters of an hour."""


def time_zone(text: str) -> str:
    """A time zone as it is stored: an IANA name, or a distance from UTC such as GMT+2, GMT-3:30 or UTC+5:45.

    Raises InvalidError `invalid_profile`.
    """
    if text in zones():
        return text
    found = _offset(text)
    if found is None:
        raise InvalidError(
            f"There is no time zone {text[:64]!r}. One is Europe/Lisbon, or GMT+2: two hours ahead of UTC.",
            code="invalid_profile", field="timezone",
        )  # fmt: skip
    name, distance = found
    ahead, minutes = distance >= timedelta(), abs(distance) // timedelta(minutes=1)
    tail = f":{minutes % 60:02}" if minutes % 60 else ""
    return f"{name}{'+' if ahead else '-'}{minutes // 60}{tail}"


def zone(text: str) -> tzinfo:
    """The rules of a stored time zone, for local times; UTC for one that is no longer known."""
    if text in zones():
        return ZoneInfo(text)
    found = _offset(text)
    return UTC if found is None else timezone(found[1])


def _offset(text: str) -> tuple[str, timedelta] | None:
    """What is written before the sign, and how far ahead of UTC it is; None for what is none of this form."""
    written = OFFSET.fullmatch(text.upper().replace(" ", "").replace("\N{MINUS SIGN}", "-"))
    if written is None:
        return None
    name, sign, hours, minutes = written.groups()
    distance = timedelta(hours=int(hours), minutes=int(minutes or 0)) * (1 if sign == "+" else -1)
    whole = int(minutes or 0) in (0, 15, 30, 45)
    return (name, distance) if whole and EARLIEST <= distance <= LATEST else None


def country(text: str) -> str:
    """A country as it is stored, which people may also type in small letters. Raises InvalidError `invalid_profile`."""
    code = text.upper()
    if code not in countries():
        raise InvalidError(
            f"There is no country {text[:8]!r}. One is its two letters, as PT.", code="invalid_profile", field="country"
        )
    return code
