"""Countries and time zones to choose from, by name."""

from __future__ import annotations

from functools import lru_cache

from billing_app.services.common import places
from billing_app.ui.kit.records import Choice

REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
"""Of the time zone database: what is outside of these is old names and offsets."""

UTC = "UTC"


@lru_cache
def countries() -> tuple[Choice, ...]:
    """Every country with its two letters, by name."""
    return tuple(Choice(code, name) for code, name in sorted(places.countries().items(), key=lambda item: item[1]))


@lru_cache
def time_zones() -> tuple[Choice, ...]:
    """UTC first, then every place of the database as "Europe/Lisbon", by region."""
    chosen = sorted(zone for zone in places.zones() if zone.split("/")[0] in REGIONS and "/" in zone)
    return (Choice(UTC, UTC), *(Choice(zone, zone.replace("_", " ")) for zone in chosen))
