"""Small stories told through the services to one organization, the clock standing at each of their moments."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from billing_app.db import Database
from billing_app.domain.catalogue import to_document
from billing_app.domain.credits.facts import DisputeStatus
from billing_app.scenarios.document import parse
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.usage import recounts, reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.store.tables.organizations import Organization

METRICS = {"api": "sum", "mau": "unique", "disk": "level", "peak": "max", "sms": "sum"}


def at(text: str) -> datetime:
    """A moment from "2024-01-02" or "2024-01-02 10:30", UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Story:
    """An organization on a plan with 100 of everything a month and no sms; the larger plan has 250."""

    def __init__(self, database: Database, anchor: str = "2024-01-01", address: str = "acme") -> None:
        """Begins a month before the anchor, so that nothing is ever told before it."""
        self.database = database
        self.address = address
        plans: dict[str, dict[str, int | None]]
        plans = {name: dict.fromkeys(METRICS, size) | {"sms": 0} for name, size in (("Small", 100), ("Large", 250))}
        plans["Endless"] = dict.fromkeys(METRICS)
        scenario = parse(
            {
                "name": "story",
                "metrics": [{"id": name, "aggregation": way} for name, way in METRICS.items()],
                "plans": {name: {"included": included} for name, included in plans.items()},
                "organization": {"plan": "Small", "anchor": at(anchor).isoformat()},
                "steps": [],
            }
        )
        begins = at("2023-12-01")
        with database.writing() as session:
            versions.load(session, to_document(scenario.catalog), begins, "test")
            organization = organizations.create(
                session, begins, address=address, name=address.title(), anchor=at(anchor)
            )
            grants.change_plan(Context(session, organization, begins), "Small")

    @contextmanager
    def writing(self) -> Generator[tuple[Session, Organization]]:
        """One transaction that may write."""
        with self.database.writing() as session:
            yield session, organizations.by_address(session, self.address)

    @contextmanager
    def reading(self) -> Generator[tuple[Session, Organization]]:
        """One transaction that only reads, as pages do."""
        with self.database.reading() as session:
            yield session, organizations.by_address(session, self.address)

    def use(self, when: str, metric: str, quantity: int | None = None, *subjects: str, told: str = "") -> None:
        """Use that happened at `when` and was reported then, or when it was `told`."""
        events = [ReportedEvent(metric, quantity, subject, at(when)) for subject in subjects or (None,)]
        with self.writing() as (session, organization):
            report = reporting.report(Context(session, organization, at(told or when)), events)
        assert report.rejected == []

    def grant(self, when: str, name: str, quantity: int, metric: str = "api", **more: Any) -> None:
        """A grant recorded at `when`."""
        facts: dict[str, Any] = {"source": "purchase" if more.get("paid_cents") else "operator", "reason": name}
        facts |= {"id": name, "source_key": f"key of {name}", "currency": "usd"} | more
        with self.writing() as (session, organization):
            grants.grant(Context(session, organization, at(when)), grants.NewGrant(metric, quantity, **facts))

    def void(self, when: str, name: str) -> None:
        """Voids a grant."""
        with self.writing() as (session, organization):
            grants.void(Context(session, organization, at(when)), name)

    def refund(self, when: str, name: str, cents: int) -> None:
        """Refunds so much of a grant's price."""
        with self.writing() as (session, organization):
            grants.refund(Context(session, organization, at(when)), name, cents, source_key=f"refund of {name} {when}")

    def dispute(self, when: str, name: str, status: str) -> None:
        """Opens or closes a dispute."""
        with self.writing() as (session, organization):
            grants.dispute(
                Context(session, organization, at(when)), name, DisputeStatus(status), source_key=f"{name} {status}"
            )

    def plan(self, when: str, name: str) -> None:
        """Changes the plan."""
        with self.writing() as (session, organization):
            grants.change_plan(Context(session, organization, at(when)), name)

    def recount(self, when: str) -> None:
        """Brings the ledger up to date."""
        with self.writing() as (session, organization):
            recounts.post(Context(session, organization, at(when)))
