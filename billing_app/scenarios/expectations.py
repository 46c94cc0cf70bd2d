"""What a scenario's `expect` sees, and how it is compared: only listed fields, grants and months."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog
from billing_app.domain.credits import engine
from billing_app.domain.credits.accounts import Account
from billing_app.scenarios.steps import OF_A_METRIC, moment
from billing_app.services.common.context import Context
from billing_app.services.usage import accounts, meters, recounts
from billing_app.store.notifications import outbox
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters as meter_store

TOLD = ("plan.usage", "credits.used")
"""The kinds that `thresholds` lists."""


def observe(
    session: Session, organization: Organization, catalog: Catalog, metric: str, now: datetime
) -> dict[str, Any]:
    """Everything that `expect` may ask of a metric at `now`, with or without a recount before it."""
    owner = organization.pk
    facts = accounts.history(session, organization, metric, now)
    account = engine.compute(facts, now)
    posted, pending = recounts.balance_of(session, organization, metric, facts, accounts.traced(facts, now))
    told = [message for message in outbox.messages(session, owner, metric) if message.kind in TOLD]
    return {
        "left": account.left,
        "burned": account.burned,
        "expired": account.expired,
        "held": account.held,
        "debt": account.debt,
        "deficit": account.deficit,
        "uncovered": account.uncovered,
        "used": account.used,
        "included": account.allowance,
        "grants": {grant.id: asdict(grant) for grant in account.grants.values()},
        "months": [_month(account, index) for index in range(len(account.months))],
        "ledger_sum": posted + pending,
        "state": _state(session, organization, catalog, metric, account, now),
        "thresholds": [f"{message.kind}:{message.key.rsplit(':', 1)[1]}" for message in told],
    }


def compare(
    session: Session, organization: Organization, catalog: Catalog, step: Mapping[str, Any], now: datetime
) -> list[str]:
    """The differences between a step's expectations and what is."""
    found = observe(session, organization, catalog, step["metric"], now)
    wanted = {key: step[key] for key in OF_A_METRIC if key in step}
    lines = differences({key: found[key] for key in wanted}, wanted, skip=("grants", "months"))
    for grant_id, fields in wanted.get("grants", {}).items():
        present = found["grants"].get(grant_id)
        if present is None:
            lines.append(f"grants.{grant_id}: expected, but there is no such grant")
            continue
        lines += [f"grants.{grant_id}.{line}" for line in differences(present, fields)]
    for month in wanted.get("months", []):
        start = moment(month["start"])
        present = next((each for each in found["months"] if each["start"] == start), None)
        if present is None:
            present = _empty_month(start)
        lines += [f"months[{month['start']}].{line}" for line in differences(present, month, skip=("start",))]
    return lines


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any], skip: tuple[str, ...] = ()) -> list[str]:
    """A line for each listed field that is not as expected."""
    return [
        f"{key}: expected {value!r}, got {found.get(key)!r}"
        for key, value in wanted.items()
        if key not in skip and found.get(key, ...) != value
    ]


def _month(account: Account, index: int) -> dict[str, Any]:
    month = account.months[index]
    return {
        "start": month.period.start,
        "used": month.used,
        "burned": month.burned,
        "uncovered": month.uncovered,
        "expired": month.expired,
    }


def _empty_month(start: datetime) -> dict[str, Any]:
    """A month before anything happened."""
    return {"start": start, "used": 0, "burned": 0, "uncovered": 0, "expired": 0}


def _state(
    session: Session, organization: Organization, catalog: Catalog, metric: str, account: Account, now: datetime
) -> str:
    """The state that pages show. The meter must say what the engine says: that is a law, not an expectation."""
    row = meter_store.read(session, organization.pk, metric)
    if row is None or not meters.usable(row, now):
        # Looking must change nothing: what passed without traffic is told at the next recount, not because of us.
        savepoint = session.begin_nested()
        row = meters.fresh(Context(session, organization, now), metric)
        state = meters.reading(row, catalog.metric(metric).aggregation).state.value
        savepoint.rollback()
        return state
    meter = (row.used, row.allowance, row.left, row.level)
    computed = (account.used, account.allowance, account.left, account.level)
    if meter != computed:
        return f"meter {meter} differs from engine {computed}"
    return meters.reading(row, catalog.metric(metric).aggregation).state.value
