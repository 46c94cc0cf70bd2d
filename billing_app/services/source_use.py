"""Usage by source: what an organization used itself and what its sub-organizations did (credits.md, rule 14)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.accounts import Month
from billing_app.domain.catalog import Metric
from billing_app.domain.credits import Aggregation
from billing_app.domain.forecast import Outlook
from billing_app.domain.periods import Period
from billing_app.domain.sources import OWN, level_shares, max_shares, unique_shares
from billing_app.services.views import SourceView
from billing_app.store import orgs, rollups, sources, timelines, tree, usage
from billing_app.store.orgs import stored_id
from billing_app.store.tables.orgs import Organization


def shares(
    session: Session, organization: Organization, metric: Metric, look: Outlook, month: Month
) -> tuple[SourceView, ...]:
    """The parts of a month's use, the largest first; only the organization itself where nothing is a part of it."""
    if not month.used:
        return ()
    if not tree.has_parts(session, stored_id(organization)):
        return (SourceView(organization.address, organization.name, month.used),)
    found = _shares(session, organization, metric, look, month)
    others = {source: quantity for source, quantity in found.items() if source != OWN and quantity > 0}
    own = month.used - sum(others.values())
    names = orgs.names(session, set(others))
    views = [SourceView(address, names.get(address, address), quantity) for address, quantity in others.items()]
    if own > 0:
        views.append(SourceView(organization.address, organization.name, own))
    return tuple(sorted(views, key=lambda view: (-view.used, view.name)))


def used_by(session: Session, payer: Organization, part: Organization, metric: Metric, period: Period) -> int:
    """What one sub-organization used of a metric in a period of whoever pays for it; of levels its own highest."""
    owner = stored_id(payer)
    if metric.aggregation is Aggregation.SUM:
        return sources.totals(session, owner, metric.id, period.number).get(part.address, 0)
    if metric.aggregation is Aggregation.UNIQUE:
        return _subjects(session, owner, metric.id, period).get(part.address, 0)
    told = [
        event.quantity for event in sources.events(session, owner, metric.id, period) if event.source == part.address
    ]
    if metric.aggregation is Aggregation.LEVEL:
        told.append(sources.levels_before(session, owner, metric.id, period.start).get(part.address, 0))
    return max(told, default=0)


def _shares(
    session: Session, organization: Organization, metric: Metric, look: Outlook, month: Month
) -> dict[str, int]:
    owner, period = stored_id(organization), month.period
    if metric.aggregation is Aggregation.SUM:
        return sources.totals(session, owner, metric.id, period.number)
    if metric.aggregation is Aggregation.UNIQUE:
        return _subjects(session, owner, metric.id, period)
    if metric.aggregation is Aggregation.MAX:
        return max_shares(month.used, sources.events(session, owner, metric.id, period))
    others = sources.levels_before(session, owner, metric.id, period.start)
    standing = {OWN: _level_before(look, period.start) - sum(others.values()), **others}
    return level_shares(timelines.level_events(session, owner, metric.id, period), standing)


def _subjects(session: Session, owner: int, metric: str, period: Period) -> dict[str, int]:
    """From what is kept of first sights; event by event where something was taken back."""
    hours = rollups.hours(session, owner, metric, rollups.hour_of(period.start), period.end)
    if all(hour.exact for hour in hours):
        return sources.subjects(session, owner, metric, period.number)
    return unique_shares(usage.events_between(session, owner, metric, period.start, period.end))


def _level_before(look: Outlook, moment: datetime) -> int:
    """What stood when the period began."""
    level = 0
    for mark in look.course.marks:
        if mark.at >= moment:
            break
        level = mark.level
    return level
