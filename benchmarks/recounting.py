"""The recount of 100 000 organizations: all of them changed, one in fifty of them, none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Uuid, bindparam, text
from sqlmodel import Session

from benchmarks.copies import copied
from benchmarks.measuring import Rate, Row, timed
from benchmarks.places import NOW
from billing_app.db import Database
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.usage import recounts, reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.store.tables.base import new_id
from billing_app.store.tables.organizations import Organization

ORGANIZATIONS = 100_000
OVER = ORGANIZATIONS // 10
"""Those over their plan in one of three metrics, with five grants of it; the others have used two."""

METRICS = ("bandwidth", "emails", "sms")

CHANGED = 50
"""Of so many organizations one has used more since the first recount."""

BY_HAND = """
CREATE TABLE burned_by_hand AS
SELECT organization_id, metric, id, CASE WHEN wanted < quantity THEN wanted ELSE quantity END AS burned FROM (
    SELECT g.organization_id, g.metric, g.id, g.quantity, m.used - m.allowance - (
        sum(g.quantity) OVER (PARTITION BY g.organization_id, g.metric ORDER BY g.priority, g.expires_at, g.id)
        - g.quantity
    ) AS wanted
    FROM grants g
    JOIN (SELECT u.organization_id, u.metric, sum(u.quantity) AS used, max(p.allowance) AS allowance
          FROM usage_hours u JOIN meters p ON p.organization_id = u.organization_id AND p.metric = u.metric
          GROUP BY u.organization_id, u.metric) m
    ON m.organization_id = g.organization_id AND m.metric = g.metric
) AS ranked WHERE wanted > 0
"""
"""One set-based pass over the same rows: it burns in order by window sums, and knows no other rule."""


def recount(opened: Database, kind: str, _seconds: float) -> list[Row]:
    """The rows of the three recounts."""
    with opened.writing() as session:
        over, within = _told(session, "over", over=True), _told(session, "within", over=False)
    copied(opened, over, OVER - 1)
    copied(opened, within, ORGANIZATIONS - OVER - 1)
    with opened.writing() as session:
        by_hand = timed(lambda: session.connection().execute(text(BY_HAND)))
    runs = {"all changed": _run(opened, NOW + timedelta(hours=6))}
    runs["nothing changed"] = _run(opened, NOW + timedelta(hours=7))
    _use_more(opened)
    runs["one in 50 changed"] = _run(opened, NOW + timedelta(hours=8))
    limits = {"all changed": 10.0, "nothing changed": 0.3, "one in 50 changed": 2.0}
    rows = [
        Row(
            f"recount of {ORGANIZATIONS:,}, {name}",
            kind,
            Rate(round(1 / took, 3), *[round(1000 * took, 1)] * 3),
            f"{limits[name]:g} s",
            1 / limits[name],
            1.0,
            {"seconds": round(took, 2)},
        )
        for name, took in runs.items()
    ]
    all_of_them = rows[0]
    beside = [("one set-based pass that burns the same rows", by_hand, 0.1), ("Capgo's recount, 61 s", 61.0, 6.0)]
    rows += [
        Row(all_of_them.work, kind, all_of_them.rate, limit, 1 / took, target, {"limit_seconds": round(took, 2)})
        for limit, took, target in beside
    ]
    return rows


def _run(opened: Database, as_of: Any) -> float:
    work: Callable[[], Any] = lambda: recounts.run(opened.writing, lambda: as_of, "bench", "demand")  # noqa: E731
    return timed(work)


def _told(session: Session, address: str, *, over: bool) -> Organization:
    made = organizations.create(session, NOW, address=address, anchor=NOW - timedelta(days=9))
    for place in range(5 if over else 0):
        new = grants.NewGrant("sms", 100, source="operator", source_key=f"g{place}", reason="B")
        grants.grant(Context(session, made, NOW - timedelta(days=5)), new)
    events = [ReportedEvent(metric, 50, None, NOW - timedelta(hours=2), metric) for metric in METRICS]
    reporting.report(Context(session, made, NOW), events if over else events[:2])
    return made


def _use_more(opened: Database) -> None:
    """One in CHANGED has used one more, as reporting would have left it."""
    more = text(
        "INSERT INTO usage_events (organization_id, id, metric, quantity, occurred_at, recorded_at, source) "
        "SELECT organization_id, :id, metric, 1, occurred_at, recorded_at, source FROM usage_events "
        f"WHERE metric = 'sms' AND organization_id % {CHANGED} = 0"
    ).bindparams(bindparam("id", new_id(), type_=Uuid()))
    concerned = f"WHERE metric = 'sms' AND organization_id % {CHANGED} = 0"
    with opened.writing() as session:
        session.connection().execute(more)
        for change in ("usage_hours SET quantity = quantity + 1", "meters SET used = used + 1, changed = true"):
            session.connection().execute(text(f"UPDATE {change} {concerned}"))
