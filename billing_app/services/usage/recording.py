"""Records usage that is valid: in a few statements, however many events, meters and organizations there are.

Meters are locked first, in one order; what is known already, or would take a total out of its bounds, is left out; the
rest is written with its keys and roll-ups in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from billing_app.domain.catalogue import Catalog
from billing_app.domain.common.errors import FactRefusedError
from billing_app.domain.credits.facts import MAX_QUANTITY, Aggregation
from billing_app.services.common import payers
from billing_app.services.common.answers import SAID_WHOLE
from billing_app.services.common.context import Context
from billing_app.services.usage import meters
from billing_app.services.usage.totals import PeriodTotals
from billing_app.store.common import locks
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters as meter_store
from billing_app.store.usage import new_events as store
from billing_app.store.usage import rollups
from billing_app.store.usage.new_events import Counted, MeterKey, NewEvent


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


class Valid(NamedTuple):
    """An event that may be recorded. One that is not `dated` counts at the moment at which it is."""

    index: int
    metric: str
    key: str | None
    digest: str
    at: datetime
    quantity: int
    subject: str | None
    dated: bool


@dataclass(slots=True)
class Books:
    """Events of one reporter whose use one organization pays for: itself, or one that it is a part of."""

    payer: Organization
    reporter: Organization
    events: list[Valid]
    outcome: UsageAnswer


def record(session: Session, current: Catalog, books: Sequence[Books], now: datetime, *, watch: bool) -> set[int]:
    """Records events and says in the books' outcomes what became of each; answers the organizations that changed.

    Without `watch` meters are only marked stale, and looked at by whoever comes next.
    """
    payers_of = {(each.payer.pk, metric): each.payer for each in books for metric in _metrics(each)}
    if watch:
        rows, now = _prepare(session, payers_of, now)
    else:
        rows, now = {}, _hold(session, payers_of, now)
    for each in books:
        _date(session, each, now)
    aggregations = {metric.id: metric.aggregation for metric in current.metrics}
    recorded, changed = _added(session, books, aggregations, now)
    counted = [
        Counted(meter, aggregations[meter[1]], payers_of[meter].anchor, batch) for meter, batch in recorded.items()
    ]
    moved = rollups.add(session, counted, now)
    if watch:
        for each in counted:
            if each.meter in moved:
                _bring_along(Context(session, payers_of[each.meter], now), rows[each.meter], each)
    else:
        meter_store.mark_many_stale(session, payers_of, moved)
    return changed


def _metrics(books: Books) -> list[str]:
    return sorted({each.metric for each in books.events})


def _hold(session: Session, payers_of: dict[MeterKey, Organization], now: datetime) -> datetime:
    """Locks the meters as they are, and answers the moment of whoever now holds them (fine point 17)."""
    for meter, watched_at in meter_store.lock_many(session, payers_of, now):
        now = locks.moment_of(session, ("meter", *meter), now, watched_at)
    return now


def _prepare(
    session: Session, payers_of: dict[MeterKey, Organization], now: datetime
) -> tuple[dict[MeterKey, MeterRow], datetime]:
    """The meters, locked in the common order and right at the moment that is answered."""
    rows: dict[MeterKey, MeterRow] = {}
    for owner in sorted({owner for owner, _ in payers_of}):
        meter_store.require_turn(session, owner, [metric for payer, metric in payers_of if payer == owner])
    for meter in sorted(payers_of):
        rows[meter], now = meters.prepare(Context(session, payers_of[meter], now), meter[1])
    return rows, now


def _date(session: Session, books: Books, now: datetime) -> None:
    """An event without a moment counts at that of the locks; somebody else may pay by then."""
    if all(each.dated for each in books.events):
        return
    if books.payer.pk != books.reporter.pk:
        payers.same_payer(Context(session, books.reporter, now), books.payer)
    books.events = [each if each.dated else each._replace(at=now) for each in books.events]


def _added(
    session: Session, books: Sequence[Books], aggregations: dict[str, Aggregation], now: datetime
) -> tuple[dict[MeterKey, list[NewEvent]], set[int]]:
    """What was written of what is new, by meter, and the organizations concerned.

    Of one meter nobody else takes a key meanwhile, but of another: then what is known is looked at again, and that key
    is a duplicate.
    """
    begun = [
        (each.outcome, each.outcome.accepted, len(each.outcome.duplicates), len(each.outcome.rejected))
        for each in books
    ]
    for again in range(TRIES):
        recorded, changed = _chosen(session, books, aggregations)
        try:
            with session.begin_nested() if _may_meet(session, books) else nullcontext():
                store.add(session, [event for batch in recorded.values() for event in batch], now)
        except IntegrityError:
            if again == TRIES - 1:
                raise
            for outcome, accepted, duplicates, rejected in begun:
                outcome.accepted = accepted
                del outcome.duplicates[duplicates:], outcome.rejected[rejected:]
        else:
            break
    return recorded, changed


TRIES = 5
"""Of a batch whose keys somebody else took meanwhile. Each sees what the one before it met."""


def _may_meet(session: Session, books: Sequence[Books]) -> bool:
    """Whether a key could be taken by somebody else: SQLite has one writer."""
    return session.get_bind().dialect.name != "sqlite" and any(
        event.key is not None for each in books for event in each.events
    )


def _chosen(
    session: Session, books: Sequence[Books], aggregations: dict[str, Aggregation]
) -> tuple[dict[MeterKey, list[NewEvent]], set[int]]:
    """What is new and keeps the totals in bounds, by meter; what is not is noted. And the organizations concerned."""
    owners: list[int] = []
    keys: list[str] = []
    for each in books:
        keys += [event.key for event in each.events if event.key is not None]
        owners += [each.reporter.pk] * (len(keys) - len(owners))
    seen = store.seen_keys(session, owners, keys)
    totals, careful = _totals(session, books, aggregations)
    recorded: dict[MeterKey, list[NewEvent]] = {}
    changed: set[int] = set()
    for each in books:
        payer, owner, reporter, accepted = each.payer, each.payer.pk, each.reporter.pk, 0
        source = payers.source_of(each.reporter, payer)
        for index, metric, key, digest, at, quantity, subject, _ in each.events:
            if key is not None and (before := seen.get((reporter, key))) is not None:
                each.outcome.duplicates.append(DuplicateAnswer(index, key, before != digest))
                continue
            if (owner, metric) in careful:
                try:
                    totals.add(payer, metric, at, quantity)
                except FactRefusedError as refusal:
                    each.outcome.rejected.append(RejectedAnswer(index, refusal.code, refusal.detail))
                    continue
            if key is not None:  # a refused event does not take its key
                seen[reporter, key] = digest
            event = NewEvent(owner, metric, at, quantity, subject, source, reporter, key, digest)
            recorded.setdefault((owner, metric), []).append(event)
            accepted += 1
        each.outcome.accepted += accepted
        if accepted:
            changed |= {owner, reporter}
    return recorded, changed


def _totals(
    session: Session, books: Sequence[Books], aggregations: dict[str, Aggregation]
) -> tuple[PeriodTotals, set[MeterKey]]:
    """The totals of the periods that are concerned, and the meters whose events have to be looked at one by one.

    Those are the ones with a correction, or with so much use that a total could become too large.
    """
    events: dict[MeterKey, list[Valid]] = {}
    sums = {metric for metric, aggregation in aggregations.items() if aggregation is Aggregation.SUM}
    for each in books:
        owner = each.payer.pk
        for event in each.events:
            if event.metric in sums:
                events.setdefault((owner, event.metric), []).append(event)
    payers_of = {each.payer.pk: each.payer for each in books}
    totals = PeriodTotals(
        session, ((payers_of[owner], metric, {each.at for each in batch}) for (owner, metric), batch in events.items())
    )
    careful = set()
    for (owner, metric), batch in events.items():
        quantities = [each.quantity for each in batch]
        if min(quantities) < 0 or not totals.have_room(payers_of[owner], metric, sum(quantities)):
            careful.add((owner, metric))
    return totals, careful


def _bring_along(context: Context, row: MeterRow, counted: Counted) -> None:
    """The meter of new events that change a figure: by arithmetic where that is exact, else through the engine."""
    row.changed = True
    if _by_arithmetic(row, counted, context.now):
        _grow(row, sum(event.quantity for event in counted.events))
    else:
        row.stale = True
    context.session.add(row)
    context.session.flush()
    if row.stale or (row.next_alert_at_used is not None and row.used >= row.next_alert_at_used):
        meters.recompute(context, row)


def _by_arithmetic(row: MeterRow, counted: Counted, now: datetime) -> bool:
    """Only positive `sum` usage dated between the row's last boundary and now may be added up (credits.md)."""
    return (
        counted.aggregation is Aggregation.SUM
        and not row.stale
        and now < row.valid_until
        and all(event.quantity >= 0 and row.valid_from <= event.at <= now for event in counted.events)
    )


def _grow(row: MeterRow, quantity: int) -> None:
    """Adds use to the meter: what rises above the allowance burns credits, and what they cannot pay is deficit."""
    before, row.used = row.used, row.used + quantity
    if row.allowance is not None:
        growth = max(0, row.used - row.allowance) - max(0, before - row.allowance)
        burned = min(growth, row.left)
        row.left -= burned
        row.deficit = min(row.deficit + growth - burned, MAX_QUANTITY)
