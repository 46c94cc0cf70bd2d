"""Months as people name them and as programs read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from billing_app.domain.common.periods import Period
from billing_app.domain.credits.accounts import Month


def month_label(period: Period) -> str:
    """A period as people name it: "January 2024" for a calendar month, else "20 Jan - 19 Feb 2024"."""
    start, last = period.start, period.end - timedelta(microseconds=1)
    if (start.day, start.hour, start.minute, start.second) == (1, 0, 0, 0):
        return f"{start:%B %Y}"
    return f"{start.day} {start:%b} - {last.day} {last:%b %Y}"


def rfc3339(moment: datetime) -> str:
    """A moment as the API writes it: UTC with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def as_item(metric: str, month: Month, own_used: int | None = None) -> dict[str, Any]:
    """One month of one metric as JSON: quantities in base units, `allowance` null is unlimited.

    `own_used` is a sub-organization's part of the payer's use; by default all of it.
    """
    return {
        "metric": metric,
        "period": month.period.number,
        "start": rfc3339(month.period.start),
        "end": rfc3339(month.period.end),
        "allowance": month.allowance,
        "used": month.used,
        "own_used": month.used if own_used is None else own_used,
        "covered": month.covered,
        "burned": month.burned,
        "burned_from": [{"grant": grant, "quantity": quantity} for grant, quantity in sorted(month.burns.items())],
        "uncovered": month.uncovered,
        "deficit": month.deficit,
        "granted": month.granted,
        "expired": month.expired,
        "balance": month.balance,
    }
