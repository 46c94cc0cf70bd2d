"""Whom an edit of the catalogue affects, and how: computed with the engine before anything is saved. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog, CatalogChange, ChangeKind, Metric, Plan
from billing_app.domain.common.periods import period_containing
from billing_app.domain.credits import engine
from billing_app.domain.credits.accounts import Account
from billing_app.domain.credits.entitlements import MeterState, Reading
from billing_app.domain.organizations.limits import COUNTED, LimitUse, maximum
from billing_app.services.catalogue import versions
from billing_app.services.catalogue.versions import Loading
from billing_app.services.common.context import Context
from billing_app.services.limits import limits, overrides
from billing_app.services.limits.overrides import Kind
from billing_app.services.operators import catalogue_edits
from billing_app.services.operators.views_catalogue import Affected, MetricEffect, Preview
from billing_app.services.usage import accounts
from billing_app.services.usage.plans_in_force import Plans
from billing_app.store.catalogue import versions as store
from billing_app.store.organizations import organizations
from billing_app.store.tables.organizations import Organization

PLAN_FIELDS = ("organization", "votingTypes", "features", "included")
"""What of a plan its holders feel at once. Names, prices and trials concern whoever chooses it next."""

MAX_DETAILED = 100
"""Affected organizations whose balances are computed for a preview; all of them are counted."""


def preview(
    session: Session,
    document: Mapping[str, Any],
    now: datetime,
    *,
    based_on: int,
    correcting: bool = False,
    detailed: bool = True,
) -> Preview:
    """Whom `catalogue_edits.save` would affect with the same arguments; raises the same errors and writes nothing.

    Without `detailed` organizations are only counted.
    """
    loading = versions.prepared(session, document, now, catalogue_edits.NAME, from_file=False, based_on=based_on)
    before = tuple((head.effective_at, versions.of_version(session, head)) for head in store.timeline(session))
    after = _after(loading, before, session, now, correcting=correcting)
    touched = [
        (organization, old, new)
        for organization, old, new in _holders(session, before, after)
        if _feels(old, new, loading, now, correcting=correcting)
    ]
    shown = touched[:MAX_DETAILED] if detailed else []
    affected = [_affected(Context(session, organization, now), old, new, loading) for organization, old, new in shown]
    affected.sort(key=lambda each: not each.blocked_by_it)
    return Preview(loading.result, tuple(affected), len(touched))


Timeline = tuple[tuple[datetime, Catalog], ...]


def _after(loading: Loading, before: Timeline, session: Session, now: datetime, *, correcting: bool) -> Timeline:
    """The catalogues by time as they would be."""
    head = loading.current
    if head is None or not correcting:
        return (*before, (now if head is None else max(now, head.effective_at), loading.catalog))
    heads = store.timeline(session)
    return tuple(
        (at, loading.catalog if each.version == head.version else found)
        for each, (at, found) in zip(heads, before, strict=True)
    )


def _holders(session: Session, before: Timeline, after: Timeline) -> Iterator[tuple[Organization, Plans, Plans]]:
    """Every organization with the plans that it held, under both."""
    held = organizations.plan_changes(session)
    for organization in organizations.organizations(session):
        plans = Plans(held.get(organization.pk, ()), before, child=organization.parent_id is not None)
        yield organization, plans, replace(plans, catalogs=after)


def _feels(old: Plans, new: Plans, loading: Loading, now: datetime, *, correcting: bool) -> bool:
    """Whether anything that this organization holds changes."""
    if _plan_changes(old, loading, now):
        return True
    metrics = {metric.id for metric in loading.catalog.metrics}
    if correcting and any(old.allowances(metric) != new.allowances(metric) for metric in metrics):
        return True
    return any(old.policies(metric) != new.policies(metric) for metric in metrics if _known(old, metric))


def _known(plans: Plans, metric: str) -> bool:
    return any(metric in found.metric_ids for _, found in plans.catalogs)


def _plan_changes(plans: Plans, loading: Loading, now: datetime) -> tuple[CatalogChange, ...]:
    """The changes of the plan that is held now which its holder feels."""
    held = plans.plan_at(now)
    starts = tuple(f"plans.{held}.{part}." for part in PLAN_FIELDS)
    return tuple(
        change
        for change in loading.result.changes
        if change.kind is ChangeKind.CHANGED and change.path.startswith(starts)
    )


def _affected(context: Context, old: Plans, new: Plans, loading: Loading) -> Affected:
    organization, now = context.organization, context.now
    plan = old.held_at(now)
    return Affected(
        address=organization.address,
        name=organization.name,
        plan=plan.id,
        plan_name=plan.name,
        changes=_plan_changes(old, loading, now),
        metrics=tuple(_metric_effects(context, old, new, loading)),
        next_period=period_containing(organization.anchor, now).end,
        over=tuple(_over(context, plan, loading.catalog)),
    )


def _over(context: Context, plan: Plan, edited: Catalog) -> Iterator[LimitUse]:
    """Limits that the edit lowers below what is there."""
    session, organization, now = context.session, context.organization, context.now
    after = next((each for each in edited.plans if each.id == plan.id), plan)
    if after.limits == plan.limits:
        return
    given = overrides.values(session, organization.pk, Kind.LIMIT, now)
    for use in limits.usage(context):
        most = maximum(after.limits, given, use.limit)
        if use.limit in COUNTED and most != use.maximum and (most is not None and use.used > most):
            yield replace(use, maximum=most)


def _metric_effects(context: Context, old: Plans, new: Plans, loading: Loading) -> Iterator[MetricEffect]:
    """Every metric whose allowance or policy is another: what the engine says of it before and after."""
    for metric in loading.catalog.metrics:
        if not _known(old, metric.id):
            continue
        if old.allowances(metric.id) == new.allowances(metric.id) and old.policies(metric.id) == new.policies(
            metric.id
        ):
            continue
        was, will = (_account(context, metric.id, plans) for plans in (old, new))
        yield MetricEffect(
            metric=metric,
            allowance=(was.allowance, will.allowance),
            left=(was.left, will.left),
            deficit=(was.deficit, will.deficit),
            state=(_state(metric, was), _state(metric, will)),
        )


def _account(context: Context, metric: str, plans: Plans) -> Account:
    session, organization, now = context.session, context.organization, context.now
    moment = max(now, plans.catalogs[-1][0])
    return engine.compute(accounts.history(session, organization, metric, moment, held=plans), moment)


def _state(metric: Metric, account: Account) -> MeterState:
    return Reading(metric.aggregation, account.allowance, account.used, account.left, 0, account.level).state
