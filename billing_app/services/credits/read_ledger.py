"""The ledger as a person reads it: entries, what is not yet posted, and the trace of one entry. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from billing_app.domain.catalogue import TOKEN, Catalog, Metric
from billing_app.domain.common.errors import InvalidError, NotFoundError
from billing_app.domain.common.periods import period_at
from billing_app.domain.credits.postings import parse_bucket_name
from billing_app.services.catalogue import versions
from billing_app.services.common import cursors, kept
from billing_app.services.common.context import Context
from billing_app.services.credits import forecasts, labels
from billing_app.services.credits.read_grants import grant_views, with_tokens
from billing_app.services.credits.views import GrantView
from billing_app.services.credits.views_ledger import LedgerFilters, LedgerLine, LedgerView, TraceView
from billing_app.services.credits.views_shared import UnpostedView
from billing_app.services.credits.views_statements import LedgerAnswer
from billing_app.services.usage import accounts, recounts
from billing_app.store.credits import grants as credit_store
from billing_app.store.credits import ledger as store
from billing_app.store.credits.ledger import Filter
from billing_app.store.tables.credits import GrantRow, LedgerEntry
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters as meter_store

PAGE = 50
"""Entries of a page (api.md, Lists)."""

MAX_OTHERS = 50
"""Other entries of a traced grant; all of them are a filter of the ledger away."""

MAX_SEARCH = 200
"""Characters of a search; reasons and references are shorter."""

MAX_NUMBER = 2**63 - 1
"""What an entry's number can be compared with in the database."""

KINDS = ("grant", "burn", "release", "expire", "void", "refund", "hold", "unhold", "debt", "settle", "convert")
"""Kinds of entries (credits.md, The ledger)."""


def ledger(context: Context, filters: LedgerFilters, cursor: str) -> LedgerView:
    """A page of the ledger, the newest first; `cursor` is the `next_cursor` of the page before, empty for the first.

    Raises InvalidError `invalid_filter` or `invalid_cursor`.
    """
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    current = versions.current(session, now)
    (before,) = cursors.decode(cursor, int) or (None,)
    found = store.entries(session, owner, _wanted(current, filters), PAGE + 1, before)
    page = found[:PAGE]
    rows = {row.id: row for row in credit_store.grants(session, owner)}
    metrics = with_tokens(current, rows.values())
    return LedgerView(
        now=now,
        metrics=metrics,
        lines=_lines(organization, current, page, rows),
        unposted=_unposted(context, metrics, filters) if before is None else (),
        next_cursor=cursors.encode(page[-1].number) if len(found) > PAGE else "",
        recount=labels.recount_view(context),
        ever_posted=bool(found) or store.last_number(session, owner) > 0,
    )


def waiting(context: Context, filters: LedgerFilters) -> list[LedgerAnswer]:
    """What is not posted yet, for programs and files: with it the entries of a metric sum to its balance.

    Where the filters leave out what use burns now there is none (as on the page).
    """
    session, organization, now = context.session, context.organization, context.now
    found = kept.get(session, (organization,), now, ("waiting", filters), lambda: _waiting(context, filters))
    return [replace(line, occurred_at=now) for line in found]


def _waiting(context: Context, filters: LedgerFilters) -> kept.Fresh[tuple[LedgerAnswer, ...]]:
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    rows = meter_store.of_organization(session, owner)
    # when a line may come or go although nothing was written
    moments = [recounts.next_scheduled(now), filters.starting, filters.ending]
    moments += [moment for row in rows for moment in (row.post_due_at, row.valid_until)]
    until = min(moment for moment in moments if moment is not None and moment > now)
    if filters.starting is not None and filters.starting > now:
        return kept.Fresh((), until)
    metrics = with_tokens(versions.current(session, now), credit_store.grants(session, owner))
    lines, posted = _unposted(context, metrics, filters), store.balances(session, owner)
    found = tuple(
        LedgerAnswer(
            number=None,
            metric=line.metric.id,
            kind="unposted",
            quantity=line.quantity,
            balance_after=posted.get(line.metric.id, 0) + line.quantity,
            grant_id=None,
            period=accounts.period_number(organization, now),
            occurred_at=now,
            recorded_at=None,
            reason=_not_yet(line),
            source="",
        )
        for line in lines
    )
    return kept.Fresh(found, until)


def _not_yet(line: UnpostedView) -> str:
    since = f" since {line.since:%Y-%m-%d %H:%M} UTC" if line.since else ""
    return f"Not yet posted{since} (posts at {line.posts_at:%Y-%m-%d %H:%M} UTC)"


def trace(context: Context, number: int) -> TraceView:
    """Why an entry is there: its grant as it is now, and what else happened to that grant.

    An entry of a debt is traced to the refunded grant that owes it. Raises NotFoundError `entry_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    entry = store.entry(session, owner, number) if 0 < number <= MAX_NUMBER else None
    if entry is None:
        raise NotFoundError(f"There is no ledger entry {number}.", code="entry_not_found")
    grant_id = _grant_of(entry)
    rows = {row.id: row for row in credit_store.grants(session, owner, entry.metric)}
    entries = store.entries_of_grant(session, owner, grant_id, MAX_OTHERS + 1)
    others = [each for each in entries if each.number != number][:MAX_OTHERS]
    count = store.count_of_grant(session, owner, grant_id) - (entry.grant_id is not None)
    line, *lines = _lines(organization, versions.current(session, now), [entry, *others], rows)
    return TraceView(
        line=line,
        grant=_grant(context, entry.metric, grant_id, rows),
        others=tuple(lines),
        others_left_out=count - len(others),
    )


def _wanted(current: Catalog, filters: LedgerFilters) -> Filter:
    """The filters as the store takes them. Raises InvalidError `invalid_filter`."""
    if filters.metric and filters.metric not in (*current.metric_ids, TOKEN.id):
        raise _refused(f"There is no metric {filters.metric!r}.")
    if filters.kind and filters.kind not in KINDS:
        raise _refused(f"An entry's kind is one of {', '.join(KINDS)}.")
    if any(moment is not None and moment.tzinfo is None for moment in (filters.starting, filters.ending)):
        raise _refused("A moment needs a time zone.")
    if len(filters.search) > MAX_SEARCH:
        raise _refused(f"A search has at most {MAX_SEARCH} characters.")
    # nothing stored holds a NUL, and PostgreSQL does not even take one as a question
    if "\0" in filters.search or "\0" in filters.grant:
        raise _refused("A search holds letters, digits and signs.")
    text = filters.search.strip()
    number = int(text) if text.isascii() and text.isdigit() else 0
    return Filter(
        metric=filters.metric or None,
        kind=filters.kind or None,
        grant_id=filters.grant or None,
        start=filters.starting,
        end=filters.ending,
        text=text or None,
        number=number if 0 < number <= MAX_NUMBER else None,
    )


def _refused(detail: str) -> InvalidError:
    return InvalidError(detail, code="invalid_filter")


def _unposted(context: Context, metrics: Sequence[Metric], filters: LedgerFilters) -> tuple[UnpostedView, ...]:
    """What is not written down yet, where the filters let through what use burns now."""
    now = context.now
    narrowed = filters.search.strip() or filters.grant or filters.kind not in ("", "burn")
    if narrowed or (filters.ending is not None and filters.ending <= now):
        return ()
    wanted = [metric for metric in metrics if filters.metric in ("", metric.id)]
    return tuple(labels.unposted(context, wanted))


def _lines(
    organization: Organization, current: Catalog, entries: Sequence[LedgerEntry], rows: Mapping[str, GrantRow]
) -> tuple[LedgerLine, ...]:
    """Entries as lines; `rows` are the grants that they may be of."""
    found = []
    for entry in entries:
        row = rows.get(_grant_of(entry))
        found.append(
            LedgerLine(
                number=entry.number,
                metric=current.metric(entry.metric),
                kind=entry.kind,
                quantity=entry.quantity,
                balance=entry.balance_after,
                grant_id=entry.grant_id or "",
                label=labels.grant_label(row) if row is not None else None,
                period=period_at(organization.anchor, entry.period),
                occurred_at=entry.occurred_at,
                recorded_at=entry.recorded_at,
                reason=entry.reason,
                source=entry.source,
            )
        )
    return tuple(found)


def _grant_of(entry: LedgerEntry) -> str:
    """The grant that an entry is about; of a debt the refunded grant that owes it."""
    _kind, grant_id, origin = parse_bucket_name(entry.bucket)
    return grant_id or origin or ""


def _grant(context: Context, metric: str, grant_id: str, rows: Mapping[str, GrantRow]) -> GrantView | None:
    """The grant as it is now."""
    look = forecasts.shared(context, [metric])[metric]
    return next((view for view in grant_views(look, list(rows.values())) if view.id == grant_id), None)
