"""Which sub-organization used what: kept beside the roll-ups of the organization that pays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from billing_app.domain.common.periods import Period, period_containing
from billing_app.domain.usage.aggregation import UsageEvent
from billing_app.store.common import columns
from billing_app.store.common.questions import OfMetric, grouped, metric_values, of_metrics
from billing_app.store.tables.organizations import SourceTotal
from billing_app.store.tables.usage import UsageRow, UsageSubject
from billing_app.store.usage.new_events import Counted


def add(session: Session, counted: Iterable[Counted]) -> None:
    """Counts what sub-organizations used of `sum` metrics; their meters must be locked."""
    sums: dict[tuple[int, str, int, str], int] = defaultdict(int)
    for each in counted:
        for event in each.events:
            if event.source:
                sums[*each.meter, period_containing(each.anchor, event.at).number, event.source] += event.quantity
    rows = [(*key, quantity) for key, quantity in sorted(sums.items())]
    if rows:
        key = ("organization_id", "metric", "period", "source")
        to = "quantity = source_totals.quantity + excluded.quantity"
        columns.merge(session, SourceTotal, (*key, "quantity"), list(zip(*rows, strict=True)), key, to)


def totals(session: Session, organization_id: int, metric: str, period: int) -> dict[str, int]:
    """What each sub-organization used of a `sum` in a period."""
    query = select(SourceTotal.source, SourceTotal.quantity).where(
        SourceTotal.organization_id == organization_id, SourceTotal.metric == metric, SourceTotal.period == period
    )
    return dict(session.exec(query).all())


def subjects(session: Session, organization_id: int, metric: str, period: int) -> dict[str, int]:
    """How many subjects of a `unique` each sub-organization was the first to see in a period (corrections aside)."""
    query = (
        select(UsageSubject.source, func.count())
        .where(
            UsageSubject.organization_id == organization_id,
            UsageSubject.metric == metric,
            UsageSubject.period == period,
            UsageSubject.source != "",
        )
        .group_by(UsageSubject.source)
    )
    return dict(session.exec(query).all())


def events(session: Session, organization_id: int, metric: str, period: Period) -> list[UsageEvent]:
    """What sub-organizations reported of a metric in a period, by time."""
    query = select(UsageRow.occurred_at, UsageRow.quantity, UsageRow.subject, UsageRow.source).where(
        UsageRow.organization_id == organization_id,
        UsageRow.metric == metric,
        UsageRow.occurred_at >= period.start,
        UsageRow.occurred_at < period.end,
        UsageRow.source != "",
    )
    found = session.exec(query.order_by(col(UsageRow.occurred_at)))
    return [UsageEvent(at, quantity, subject, source) for at, quantity, subject, source in found]


def shares(session: Session, organization_id: int, metric: str) -> dict[tuple[int, str], int]:
    """What every sub-organization used of a `sum`, by period and address."""
    query = select(SourceTotal.period, SourceTotal.source, SourceTotal.quantity).where(
        SourceTotal.organization_id == organization_id, SourceTotal.metric == metric
    )
    return {(period, source): quantity for period, source, quantity in session.exec(query)}


def first_sightings(session: Session, organization_id: int, metric: str) -> dict[tuple[int, str], datetime]:
    """When each subject of a `unique` was first seen, by period and subject."""
    query = select(UsageSubject.period, UsageSubject.subject, UsageSubject.first_seen_at).where(
        UsageSubject.organization_id == organization_id, UsageSubject.metric == metric
    )
    return {(period, subject): at for period, subject, at in session.exec(query)}


@dataclass(frozen=True, slots=True)
class LevelsBefore(OfMetric):
    """The level that each sub-organization held right before `moment`: of its latest instant the highest."""

    moment: datetime
    known_at: datetime | None = None

    @property
    def alike(self) -> tuple[datetime, datetime | None]:
        """Those of the same moments are answered together."""
        return self.moment, self.known_at

    @classmethod
    def answer(cls, session: Session, asked: Sequence[LevelsBefore]) -> list[dict[str, int]]:
        """One statement, whatever the number of organizations."""
        row, dialect, (moment, known_at) = UsageRow, session.get_bind().dialect.name, asked[0].alike
        keys = [each.key for each in asked]
        columns = (row.organization_id, row.metric, row.source, row.occurred_at, row.quantity)
        query = select_columns(*map(col, columns)).where(
            *of_metrics(dialect, row),
            col(row.source) != "",
            col(row.occurred_at) < moment,
        )
        if known_at is not None:
            query = query.where(col(row.recorded_at) <= known_at)
        values = metric_values(dialect, asked)
        answers = []
        for rows in grouped(session.connection().execute(query, values), keys):
            found: dict[str, tuple[datetime, int]] = {}
            for _owner, _metric, source, at, quantity in rows:
                found[source] = max(found.get(source, (at, quantity)), (at, quantity))
            answers.append({source: quantity for source, (_, quantity) in found.items()})
        return answers


def levels_before(session: Session, organization_id: int, metric: str, moment: datetime) -> dict[str, int]:
    """The same of one metric."""
    return LevelsBefore.answer(session, [LevelsBefore(organization_id, metric, moment)])[0]
