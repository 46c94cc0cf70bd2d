"""Recording usage: what has happened is never refused for lack of credits (credits.md, The fast path)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from json.encoder import encode_basestring_ascii as quoted

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog
from billing_app.domain.common.errors import BillingError, FactRefusedError
from billing_app.domain.common.moments import FIRST
from billing_app.domain.usage.aggregation import EARLIEST, LATEST, validated_moment, validated_quantity
from billing_app.domain.usage.reported import Read, ReportedEvent
from billing_app.services.catalogue import versions
from billing_app.services.common import payers
from billing_app.services.common.context import Context
from billing_app.services.usage.recording import Books, RejectedAnswer, UsageAnswer, Valid, record
from billing_app.store.organizations import organizations
from billing_app.store.tables.organizations import Organization

MAX_BATCH = 1_000
"""Events of one report (api.md): small enough to commit within 200 ms."""


def report(context: Context, events: Sequence[Read], *, backfill: bool = False) -> UsageAnswer:
    """Records a batch of events of one organization; those that were refused as they were read are told with the rest.

    `backfill` lifts the age limit for an operator's import. Of a sub-organization each event goes to whoever paid for
    it at its moment (rule 14). Raises ForbiddenError `organization_inactive`, unless it is a backfill.
    """
    batch = [(context.organization, events)]
    return _report(context.session, batch, context.now, backfill=backfill, watch=True)[0]


def report_many(
    session: Session, batches: Sequence[tuple[Organization, Sequence[Read]]], now: datetime, *, backfill: bool
) -> list[UsageAnswer]:
    """The same of many organizations, in statements that do not grow with them, for an import that looks once at the
    end: meters are only marked stale. What one may not report is rejected, and the others' is recorded.
    """
    return _report(session, batches, now, backfill=backfill, watch=False)


def _report(
    session: Session,
    batches: Sequence[tuple[Organization, Sequence[Read]]],
    now: datetime,
    *,
    backfill: bool,
    watch: bool,
) -> list[UsageAnswer]:
    current = versions.current(session, now)
    books: list[Books] = []
    outcomes: list[UsageAnswer] = []
    for organization, events in batches:
        outcomes.append(UsageAnswer())
        try:
            if not backfill:
                payers.require_active(organization, payers.payer(session, organization, now))
        except BillingError as refusal:
            if watch:
                raise
            outcomes[-1].rejected += [RejectedAnswer(each, refusal.code, refusal.detail) for each in range(len(events))]
            continue
        valid = _validated(current, events, now, backfill, outcomes[-1])
        books += _by_payer(session, organization, valid, outcomes[-1])
    changed = record(session, current, books, now, watch=watch)
    for outcome in outcomes:
        outcome.rejected.sort(key=lambda rejected: rejected.index)
        outcome.duplicates.sort(key=lambda duplicate: duplicate.index)
    organizations.raise_revisions(session, sorted(changed))
    return outcomes


def _by_payer(session: Session, organization: Organization, valid: list[Valid], outcome: UsageAnswer) -> list[Books]:
    if organization.parent_id is None or not valid:
        return [Books(organization, organization, valid, outcome)]
    by_index = {each.index: each for each in valid}
    found = payers.by_payer(session, organization, ((each.index, each.at) for each in valid))
    return [Books(payer, organization, [by_index[each] for each in indexes], outcome) for payer, indexes in found]


def _validated(
    current: Catalog, events: Sequence[Read], now: datetime, backfill: bool, outcome: UsageAnswer
) -> list[Valid]:
    """The events that may be recorded; the others are noted as rejected."""
    valid: list[Valid] = []
    used = {metric.id: metric.aggregation for metric in current.metrics}
    first, last = FIRST if backfill else now - LATEST, now + EARLIEST
    digests = _Digests()
    for index, event in enumerate(events):
        try:
            if isinstance(event, FactRefusedError):
                raise event
            metric, quantity, subject, at, key = event
            if metric not in used:
                current.metric(metric)
                raise FactRefusedError("Tokens are converted, not used.", code="metric_not_found")
            counted = validated_quantity(used[metric], quantity, subject)
            if at is not None and not first <= at <= last:
                validated_moment(at, now, backfill=backfill)
        except BillingError as refusal:
            outcome.rejected.append(RejectedAnswer(index, refusal.code, refusal.detail))
            continue
        valid.append(Valid(index, metric, key, digests.of(event), at or now, counted, subject, at is not None))
    return valid


class _Digests:
    """Names what events say, so that a repeated id with other content can be told. An absent `at` is not content.

    Kept for ever beside the keys, so the text below never changes: it is `json.dumps` of four members.
    """

    def __init__(self) -> None:
        self._moments: dict[datetime | None, str] = {}

    def of(self, event: ReportedEvent) -> str:
        at = self._moments.get(event.at)
        if at is None:
            at = self._moments[event.at] = "null" if event.at is None else f'"{event.at.isoformat()}"'
        quantity = "null" if event.quantity is None else event.quantity
        subject = "null" if event.subject is None else quoted(event.subject)
        content = f"[{quoted(event.metric)}, {quantity}, {subject}, {at}]"
        return hashlib.sha256(content.encode()).hexdigest()[:32]
