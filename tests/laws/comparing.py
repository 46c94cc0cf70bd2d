"""Two accounts side by side: every field, every grant, every month, in words that name what differs."""

from __future__ import annotations

from dataclasses import fields

from billing_app.domain.credits.accounts import Account, Month


def differences(expected: Account, actual: Account) -> list[str]:
    """What `actual` says otherwise than `expected`; empty when they agree in everything."""
    found = [
        f"{field.name}: expected {getattr(expected, field.name)}, got {getattr(actual, field.name)}"
        for field in fields(Account)
        if field.name not in ("grants", "months") and getattr(expected, field.name) != getattr(actual, field.name)
    ]
    for grant_id in sorted(expected.grants.keys() | actual.grants.keys()):
        wanted, seen = expected.grants.get(grant_id), actual.grants.get(grant_id)
        if wanted != seen:
            found.append(f"grant {grant_id}: expected {wanted}, got {seen}")
    wanted_months, seen_months = by_number(expected), by_number(actual)
    for number in sorted(wanted_months.keys() | seen_months.keys()):
        wanted_month, seen_month = wanted_months.get(number), seen_months.get(number)
        if wanted_month != seen_month:
            found.append(f"month {number}: expected {wanted_month}, got {seen_month}")
    return found


def by_number(account: Account) -> dict[int, Month]:
    """The months in which something happened: an empty one may be listed or not."""
    return {month.period.number: month for month in account.months if something_happened(month)}


def something_happened(month: Month) -> bool:
    return bool(month.used or month.burned or month.granted or month.expired or month.balance)
