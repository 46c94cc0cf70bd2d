"""The running ledger with its filters, and the trace of one entry. Reads only."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalog import Catalog
from billing_app.domain.errors import InvalidError, NotFoundError
from billing_app.domain.periods import period_at
from billing_app.services import accounts, catalog, labels, outlooks
from billing_app.services.reading_grants import grant_views
from billing_app.services.views import GrantView, LedgerFilters, LedgerLine, LedgerView, TraceView, UnpostedView
from billing_app.store import credits as credit_store
from billing_app.store import ledger as store
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.ledger import LedgerEntry
from billing_app.store.tables.orgs import Organization

PAGE = 50
"""Lines of one page (api.md, Lists)."""

OTHERS = 50
"""Other entries of the same grant that a trace shows."""

KINDS = ("grant", "burn", "release", "expire", "void", "refund", "hold", "unhold", "debt", "settle", "convert")

MAX_CURSOR = 20
"""Digits of the largest number."""


def ledger(
    session: Session, organization: Organization, filters: LedgerFilters, cursor: str, now: datetime
) -> LedgerView:
    """One page of the ledger, the newest first; `cursor` empty is the first page.

    Raises InvalidError `invalid_filter` or `invalid_cursor`.
    """
    owner = accounts.organization_id(organization)
    current = catalog.current(session, now)
    wanted = _filter(current, filters)
    found = store.entries(session, owner, wanted, PAGE + 1, before=_number(cursor))
    rows = {row.id: row for row in credit_store.grants(session, owner)}
    first_page = not cursor
    return LedgerView(
        now=now,
        metrics=current.metrics,
        lines=tuple(_line(organization, current, rows, entry) for entry in found[:PAGE]),
        unposted=_unposted(session, organization, current, filters, now) if first_page else (),
        next_cursor=str(found[PAGE - 1].number) if len(found) > PAGE else "",
        recount=labels.recount_view(session, organization, now),
        ever_posted=bool(found) or store.last_number(session, owner) > 0,
    )


def trace(session: Session, organization: Organization, number: int, now: datetime) -> TraceView:
    """One entry, the grant it is of, and what else that grant has seen. Raises NotFoundError `entry_not_found`."""
    owner = accounts.organization_id(organization)
    entry = store.entry(session, owner, number)
    if entry is None:
        raise NotFoundError(f"There is no ledger entry {number}.", code="entry_not_found")
    current = catalog.current(session, now)
    rows = {row.id: row for row in credit_store.grants(session, owner)}
    others: list[LedgerEntry] = []
    if entry.grant_id is not None:
        same = store.entries(session, owner, store.Filter(grant_id=entry.grant_id), OTHERS + 1_000)
        others = [each for each in reversed(same) if each.number != number]
    return TraceView(
        line=_line(organization, current, rows, entry),
        grant=_grant(session, organization, entry, rows, now),
        others=tuple(_line(organization, current, rows, each) for each in others[:OTHERS]),
        others_left_out=max(0, len(others) - OTHERS),
    )


def _filter(current: Catalog, filters: LedgerFilters) -> store.Filter:
    if filters.kind and filters.kind not in KINDS:
        raise InvalidError(f"`kind` is one of {', '.join(KINDS)}.", code="invalid_filter")
    if filters.metric:
        current.metric(filters.metric)
    return store.Filter(
        metric=filters.metric or None,
        kind=filters.kind or None,
        grant_id=filters.grant or None,
        start=filters.starting,
        end=filters.ending,
        text=filters.search.strip() or None,
    )


def _number(cursor: str) -> int | None:
    if not cursor:
        return None
    if len(cursor) > MAX_CURSOR or not (cursor.isascii() and cursor.isdigit()):
        raise InvalidError("The cursor is not one of ours: begin with the first page.", code="invalid_cursor")
    return int(cursor)


def _unposted(
    session: Session, organization: Organization, current: Catalog, filters: LedgerFilters, now: datetime
) -> tuple[UnpostedView, ...]:
    """What is not written down yet, where the filters let burns of now through."""
    hidden = filters.search or filters.grant or filters.kind not in ("", "burn", "release")
    if hidden or (filters.ending is not None and filters.ending <= now):
        return ()
    metrics = [metric for metric in current.metrics if filters.metric in ("", metric.id)]
    return tuple(labels.unposted(session, organization, metrics, now))


def _line(organization: Organization, current: Catalog, rows: dict[str, GrantRow], entry: LedgerEntry) -> LedgerLine:
    row = rows.get(entry.grant_id or "")
    return LedgerLine(
        number=entry.number,
        metric=current.metric(entry.metric),
        kind=entry.kind,
        quantity=entry.quantity,
        balance=entry.balance_after,
        grant_id=entry.grant_id or "",
        label=labels.grant_label(row) if row else None,
        period=period_at(organization.anchor, entry.period),
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        reason=entry.reason,
        source=entry.source,
    )


def _grant(
    session: Session, organization: Organization, entry: LedgerEntry, rows: dict[str, GrantRow], now: datetime
) -> GrantView | None:
    if entry.grant_id is None:
        return None
    look = outlooks.outlook(session, organization, entry.metric, now)
    mine = [row for row in rows.values() if row.metric == entry.metric]
    return next((view for view in grant_views(look, mine) if view.id == entry.grant_id), None)
