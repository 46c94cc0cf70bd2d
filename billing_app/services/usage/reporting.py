"""Recording usage: what has happened is never refused for lack of credits (credits.md, The fast path)."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog
from billing_app.domain.common.errors import BillingError, FactRefusedError
from billing_app.domain.credits.facts import MAX_QUANTITY, Aggregation
from billing_app.domain.usage.aggregation import UsageEvent, validated_moment, validated_quantity
from billing_app.domain.usage.reported import Read, ReportedEvent
from billing_app.services.catalogue import versions
from billing_app.services.common import payers
from billing_app.services.common.answers import SAID_WHOLE
from billing_app.services.common.context import Context
from billing_app.services.usage import meters
from billing_app.services.usage.totals import PeriodTotals
from billing_app.store.organizations import organizations
from billing_app.store.tables.base import new_id
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import events as store
from billing_app.store.usage import meters as meter_store
from billing_app.store.usage import rollups

MAX_BATCH = 1_000
"""Events of one report (api.md): small enough to commit within 200 ms."""


@dataclass(frozen=True, slots=True)
class RejectedAnswer:
    """An event that was not recorded, with the reason; its id stays free."""

    index: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class DuplicateAnswer:
    """An event that was there already. `differs`: it said something else the first time, which stands."""

    index: int
    id: str
    differs: bool


@dataclass(slots=True)
class UsageAnswer:
    """What became of a batch."""

    __pydantic_config__ = SAID_WHOLE

    accepted: int = 0
    duplicates: list[DuplicateAnswer] = field(default_factory=list)
    rejected: list[RejectedAnswer] = field(default_factory=list)

    def reject_what_differs(self) -> None:
        """Rejects events whose id was seen before with other content, too: said alike by every entrance."""
        for each in self.duplicates:
            if each.differs:
                detail = f"{each.id!r} was reported before with different content, which is kept."
                self.rejected.append(RejectedAnswer(each.index, "idempotency_mismatch", detail))
        self.rejected.sort(key=lambda rejected: rejected.index)


@dataclass(frozen=True, slots=True)
class _Valid:
    index: int
    metric: str
    key: str | None
    digest: str
    event: UsageEvent
    dated: bool
    """Whether the report says when; otherwise it counts at the moment at which it is recorded."""


def report(context: Context, events: Sequence[Read], *, backfill: bool = False, watch: bool = True) -> UsageAnswer:
    """Records a batch of events of one organization; those that were refused as they were read are told with the rest.

    `backfill` lifts the age limit for an operator's import. Without `watch` meters are only marked stale, for imports
    that bring many batches and look once at the end. Of a sub-organization each event goes to whoever paid for it at
    its moment (rule 14). Raises ForbiddenError `organization_inactive`, unless it is a backfill.
    """
    session, organization, now = context.session, context.organization, context.now
    if not backfill:
        payers.require_active(organization, payers.payer(session, organization, now))
    current = versions.current(session, now)
    outcome = UsageAnswer()
    valid = _validated(current, events, now, backfill, outcome)
    changed: set[int] = set()
    for payer, batch in _by_payer(session, organization, valid):
        if _take_in(session, _Books(payer, organization), current, batch, outcome, now, watch):
            changed |= {payer.pk, organization.pk}
    outcome.rejected.sort(key=lambda rejected: rejected.index)
    outcome.duplicates.sort(key=lambda duplicate: duplicate.index)
    for owner in sorted(changed):
        organizations.raise_revision(session, owner)
    return outcome


@dataclass(frozen=True, slots=True)
class _Books:
    """Whose meters count, and who reported: the same one, or a sub-organization of it."""

    payer: Organization
    reporter: Organization

    @property
    def source(self) -> str:
        return payers.source_of(self.reporter, self.payer)


def _by_payer(
    session: Session, organization: Organization, valid: list[_Valid]
) -> list[tuple[Organization, list[_Valid]]]:
    if organization.parent_id is None or not valid:
        return [(organization, valid)]
    by_index = {each.index: each for each in valid}
    found = payers.by_payer(session, organization, ((each.index, each.event.at) for each in valid))
    return [(payer, [by_index[index] for index in indexes]) for payer, indexes in found]


def _take_in(
    session: Session,
    books: _Books,
    current: Catalog,
    valid: list[_Valid],
    outcome: UsageAnswer,
    now: datetime,
    watch: bool,
) -> bool:
    """Records valid events on the meters of one payer, and says whether there were any."""
    organization = books.payer
    locked: dict[str, MeterRow] = {}
    metrics = sorted({each.metric for each in valid})
    meter_store.require_turn(session, organization.pk, metrics)
    for metric in metrics:
        locked[metric], now = _lock(Context(session, organization, now), metric, watch)
    if organization.id != books.reporter.id and not all(each.dated for each in valid):
        payers.same_payer(Context(session, books.reporter, now), organization)
    valid = [each if each.dated else replace(each, event=replace(each.event, at=now)) for each in valid]
    new = _without_duplicates(session, books.reporter, valid, outcome)
    recorded: dict[str, list[_Valid]] = defaultdict(list)
    totals = PeriodTotals(session, organization)
    for each in new:
        try:
            totals.add(each.metric, current.metric(each.metric).aggregation, each.event)
        except FactRefusedError as refusal:
            outcome.rejected.append(RejectedAnswer(each.index, refusal.code, refusal.detail))
        else:
            recorded[each.metric].append(each)
    for metric, batch in recorded.items():
        _record(session, books, current, locked[metric], batch, now, watch)
    outcome.accepted += sum(len(batch) for batch in recorded.values())
    return bool(recorded)


def _lock(context: Context, metric: str, watch: bool) -> tuple[MeterRow, datetime]:
    """The meter of a metric, locked, and the moment; without `watch` left for later, and never trusted then."""
    now = context.now
    if watch:
        return meters.prepare(context, metric)
    row, now = meters.hold(context, metric)
    row.stale = True
    return row, now


def _validated(
    current: Catalog, events: Sequence[Read], now: datetime, backfill: bool, outcome: UsageAnswer
) -> list[_Valid]:
    """The events that may be recorded; the others are noted as rejected."""
    valid: list[_Valid] = []
    used = {metric.id: metric.aggregation for metric in current.metrics}
    for index, event in enumerate(events):
        try:
            if isinstance(event, FactRefusedError):
                raise event
            aggregation = used.get(event.metric) or current.metric(event.metric).aggregation
            if event.metric not in used:
                raise FactRefusedError("Tokens are converted, not used.", code="metric_not_found")
            quantity = validated_quantity(aggregation, event.quantity, event.subject)
            at = validated_moment(event.at or now, now, backfill=backfill)
        except BillingError as refusal:
            outcome.rejected.append(RejectedAnswer(index, refusal.code, refusal.detail))
            continue
        counted = UsageEvent(at, quantity, event.subject)
        valid.append(_Valid(index, event.metric, event.id, digest(event), counted, dated=event.at is not None))
    return valid


def digest(event: ReportedEvent) -> str:
    """Names what an event says, so that a repeated id with other content can be told. An absent `at` is not content."""
    at = event.at.isoformat() if event.at else None
    content = json.dumps([event.metric, event.quantity, event.subject, at])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _without_duplicates(
    session: Session, organization: Organization, valid: list[_Valid], outcome: UsageAnswer
) -> list[_Valid]:
    """Leaves out events whose key was seen before, in the database or earlier in the batch."""
    keys = [each.key for each in valid if each.key is not None]
    seen = store.seen_keys(session, organization.pk, keys)
    new: list[_Valid] = []
    for each in valid:
        if each.key is not None and each.key in seen:
            outcome.duplicates.append(DuplicateAnswer(each.index, each.key, seen[each.key] != each.digest))
            continue
        if each.key is not None:
            seen[each.key] = each.digest
        new.append(each)
    return new


def _record(
    session: Session,
    books: _Books,
    current: Catalog,
    row: MeterRow,
    batch: list[_Valid],
    now: datetime,
    watch: bool,
) -> None:
    """Writes the events of one metric with their keys and roll-ups, and brings its meter along."""
    organization, source = books.payer, books.source
    owner, reporter = organization.pk, books.reporter.pk
    metric = current.metric(batch[0].metric)
    keys = [
        {"organization_id": reporter, "key": each.key, "digest": each.digest, "occurred_at": each.event.at}
        for each in batch
        if each.key is not None
    ]
    rows = [
        {
            "organization_id": owner, "id": new_id(), "metric": metric.id, "quantity": each.event.quantity,
            "subject": each.event.subject, "occurred_at": each.event.at, "recorded_at": now, "key": each.key,
            "source": source,
        }
        for each in batch
    ]  # fmt: skip
    store.add_keys(session, keys)
    store.add_events(session, rows)
    counted = [replace(each.event, source=source) if source else each.event for each in batch]
    if not rollups.add(session, owner, metric.id, metric.aggregation, organization.anchor, counted, now):
        return
    row.changed = True
    if _by_arithmetic(metric.aggregation, row, counted, now):
        _grow(row, sum(event.quantity for event in counted))
    else:
        row.stale = True
    session.add(row)
    session.flush()
    if watch and (row.stale or (row.next_alert_at_used is not None and row.used >= row.next_alert_at_used)):
        meters.recompute(Context(session, organization, now), row)


def _by_arithmetic(aggregation: Aggregation, row: MeterRow, counted: list[UsageEvent], now: datetime) -> bool:
    """Only positive `sum` usage dated between the row's last boundary and now may be added up (credits.md)."""
    return (
        aggregation is Aggregation.SUM
        and not row.stale
        and all(event.quantity >= 0 and row.valid_from <= event.at <= now < row.valid_until for event in counted)
    )


def _grow(row: MeterRow, quantity: int) -> None:
    """Adds use to the meter: what rises above the allowance burns credits, and what they cannot pay is deficit."""
    before, row.used = row.used, row.used + quantity
    if row.allowance is not None:
        growth = max(0, row.used - row.allowance) - max(0, before - row.allowance)
        burned = min(growth, row.left)
        row.left -= burned
        row.deficit = min(row.deficit + growth - burned, MAX_QUANTITY)
