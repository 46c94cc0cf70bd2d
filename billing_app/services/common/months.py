"""Months as people name them and as programs read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from billing_app.domain.common.periods import Period


def month_label(period: Period) -> str:
    """A period as people name it: "January 2024" for a calendar month, else "20 Jan - 19 Feb 2024"."""
    start, last = period.start, period.end - timedelta(microseconds=1)
    if (start.day, start.hour, start.minute, start.second) == (1, 0, 0, 0):
        return f"{start:%B %Y}"
    return f"{start.day} {start:%b} - {last.day} {last:%b %Y}"


def rfc3339(moment: datetime) -> str:
    """A moment as the API writes it: UTC with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
