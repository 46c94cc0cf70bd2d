"""What the pages of features and processes show, and what publishing would take."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from billing_app.domain.organizations.limits import Limit
from billing_app.domain.processes import processes as domain
from billing_app.domain.processes.processes import Content, ProcessState
from billing_app.domain.processes.voting import EMAILS, SMS
from billing_app.services.catalogue import versions
from billing_app.services.common import cursors, payers
from billing_app.services.common.context import Context
from billing_app.services.credits import forecasts
from billing_app.services.limits import features, limits
from billing_app.services.processes import processes
from billing_app.services.processes.views import OptionsView, ProcessesView, ProcessLine, ProcessView, UseView
from billing_app.services.usage import accounts
from billing_app.store.usage import meters as meter_store

PAGE = 50
"""Processes on one page of the list."""


def options_view(context: Context, *, may_change: bool) -> OptionsView:
    """Every feature and way of voting of the organization."""
    session, organization, now = context.session, context.organization, context.now
    payer = payers.payer(session, organization, now)
    current = versions.current(session, now)
    return OptionsView(
        plan=limits.plan_in_force(session, payer, now).name,
        options=features.available(context),
        plan_names={plan.id: plan.name for plan in current.plans},
        may_change=may_change,
    )


def listed(context: Context, *, state: str, cursor: str, may_change: bool) -> ProcessesView:
    """A page of the list. Raises NotFoundError `cursor_not_found`."""
    session, organization, now = context.session, context.organization, context.now
    chosen = state if state in set(ProcessState) else ""
    (before,) = cursors.decode(cursor, UUID) or (None,)
    found = processes.listed(session, organization, PAGE + 1, state=chosen, before=before)
    lines = tuple(_line(each) for each in found[:PAGE])
    return ProcessesView(
        now=now,
        lines=lines,
        next_cursor=cursors.encode(found[PAGE - 1].row.id) if len(found) > PAGE else "",
        processes=limits.peek(context, Limit.PROCESSES),
        drafts=limits.peek(context, Limit.DRAFTS),
        may_change=may_change,
    )


def process(
    context: Context, *, process_id: UUID | None, content: Content | None = None, may_change: bool
) -> ProcessView:
    """One process, or with `content` what somebody is filling in; without an id a new one.

    Raises NotFoundError `process_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    row = None
    if process_id is not None:
        found = processes.get(session, organization, process_id)
        row, content = found.row, content or found.content
    filled = content or Content()
    draft = row is None or row.state == ProcessState.DRAFT
    current = versions.current(session, now)
    return ProcessView(
        now=now,
        id=str(row.id) if row else "",
        state=row.state if row else ProcessState.DRAFT.value,
        revision=row.revision if row else 0,
        content=filled,
        changed_at=row.changed_at if row else None,
        published_at=row.published_at if row else None,
        ended_at=row.ended_at if row else None,
        taken=processes.taken(row) if row else {},
        options=options_view(context, may_change=may_change),
        processes=limits.peek(context, Limit.PROCESSES),
        drafts=limits.peek(context, Limit.DRAFTS),
        census=limits.peek(context, Limit.CENSUS),
        uses=uses(context, filled) if draft else (),
        missing=tuple(domain.missing(filled, now)) if draft else (),
        metrics={each.id: each for each in current.metrics if each.id in (EMAILS, SMS)},
    )


def uses(context: Context, content: Content) -> tuple[UseView, ...]:
    """What publishing would take of each metric, and the cheapest packs for what is missing."""
    session, organization, now = context.session, context.organization, context.now
    current = versions.current(session, now)
    payer = payers.payer(session, organization, now)
    found = []
    for name, needed in content.used.items():
        if name not in current.metric_ids:
            continue
        metric = current.metric(name)
        account = accounts.account(session, payer, name, now)
        reserved, _ = meter_store.reserved(session, payer.pk, name, now)
        included = needed if account.allowance is None else max(0, account.allowance - account.used)
        available = None if account.allowance is None else max(0, included + account.left - reserved)
        by_plan = min(needed, included)
        missing = 0 if available is None else max(0, needed - available)
        offer = None
        if missing:
            offer = forecasts.offer(
                current, metric, forecasts.of_metric(replace(context, organization=payer), name), missing
            )
        found.append(UseView(metric, needed, by_plan, needed - by_plan - missing, missing, available, offer))
    return tuple(found)


def _line(shown: processes.Shown) -> ProcessLine:
    row, content = shown.row, shown.content
    return ProcessLine(
        id=str(row.id),
        title=row.title,
        state=row.state,
        census=content.census,
        voting_type=content.voting_type,
        starts_at=content.starts_at,
        ends_at=content.ends_at,
        changed_at=row.changed_at,
        published_at=row.published_at,
        ended_at=row.ended_at,
    )
