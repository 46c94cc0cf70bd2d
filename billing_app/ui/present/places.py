"""Countries and time zones to choose from, by name."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

from babel import Locale

from billing_app.ui.present.shared import Choice

REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
"""Of the time zone database: what is outside of these is old names and offsets."""

UTC = "UTC"


@lru_cache
def countries() -> tuple[Choice, ...]:
    """Every country with its two letters, by name."""
    names = {code: name for code, name in Locale("en").territories.items() if _is_country(code)}
    return tuple(Choice(code, name) for code, name in sorted(names.items(), key=lambda item: item[1]))


@lru_cache
def time_zones() -> tuple[Choice, ...]:
    """UTC first, then every place of the database as "Europe/Lisbon", by region."""
    places = sorted(zone for zone in available_timezones() if zone.split("/")[0] in REGIONS and "/" in zone)
    return (Choice(UTC, UTC), *(Choice(zone, zone.replace("_", " ")) for zone in places))


def _is_country(code: str) -> bool:
    """Two letters, without those that the standard leaves to users and unions."""
    return len(code) == 2 and code.isalpha() and code not in {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}
