"""Usage by source: what an organization used itself and what its sub-organizations did (credits.md, rule 14)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import Metric
from billing_app.domain.common.periods import Period
from billing_app.domain.credits.accounts import Month
from billing_app.domain.credits.facts import Aggregation
from billing_app.domain.credits.forecast import MetricForecast
from billing_app.domain.usage.sources import OWN, level_shares, max_shares, unique_shares
from billing_app.services.usage.views import SourceAnswer
from billing_app.store.organizations import organizations, tree
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import events, rollups, sources, usage_points


def shares(
    session: Session, organization: Organization, metric: Metric, look: MetricForecast, month: Month
) -> tuple[SourceAnswer, ...]:
    """The parts of a month's use, the largest first; only the organization itself where nothing is a part of it."""
    if not month.used:
        return ()
    if not tree.has_children(session, organization.pk):
        return (SourceAnswer(organization.address, organization.name, month.used),)
    found = by_source(session, organization, metric, look, month)
    return _named(session, {source or organization.address: quantity for source, quantity in found.items()})


def own_shares(
    session: Session, payer: Organization, child: Organization, metric: Metric, look: MetricForecast, month: Month
) -> tuple[SourceAnswer, ...]:
    """The same for one that another pays for: itself and what lies under it by name, the largest first, all else in one
    line without any. Who else the payer pays for is nobody's business there."""
    mine = _below(session, child)
    found = by_source(session, payer, metric, look, month)
    views = _named(session, {source: quantity for source, quantity in found.items() if source in mine})
    others = sum(quantity for source, quantity in found.items() if source not in mine)
    return (*views, SourceAnswer("", "", others)) if others else views


def own(
    session: Session, payer: Organization, child: Organization, metric: Metric, look: MetricForecast, month: Month
) -> int:
    """What of a month's use a part used, together with all that lies under it."""
    if payer.id == child.id or not month.used:
        return month.used
    mine = _below(session, child)
    return sum(
        quantity for source, quantity in by_source(session, payer, metric, look, month).items() if source in mine
    )


def by_source(
    session: Session, organization: Organization, metric: Metric, look: MetricForecast, month: Month
) -> dict[str, int]:
    """A month's use of the payer by source; its own has the name OWN. The parts add up to the month."""
    if not month.used:
        return {}
    found = _shares(session, organization, metric, look, month)
    others = {source: quantity for source, quantity in found.items() if source != OWN and quantity > 0}
    rest = month.used - sum(others.values())
    return others | {OWN: rest} if rest > 0 else others


def used_by(session: Session, payer: Organization, child: Organization, metric: Metric, period: Period) -> int:
    """What one sub-organization used of a metric in a period of its payer; of levels its own highest."""
    owner = payer.pk
    if metric.aggregation is Aggregation.SUM:
        return sources.totals(session, owner, metric.id, period.number).get(child.address, 0)
    if metric.aggregation is Aggregation.UNIQUE:
        return _subjects(session, owner, metric.id, period).get(child.address, 0)
    levels = [
        event.quantity for event in sources.events(session, owner, metric.id, period) if event.source == child.address
    ]
    if metric.aggregation is Aggregation.LEVEL:
        levels.append(sources.levels_before(session, owner, metric.id, period.start).get(child.address, 0))
    return max(levels, default=0)


def _named(session: Session, found: dict[str, int]) -> tuple[SourceAnswer, ...]:
    names = organizations.names(session, set(found))
    views = [SourceAnswer(address, names.get(address, address), quantity) for address, quantity in found.items()]
    return tuple(sorted(views, key=lambda view: (-view.used, view.name)))


def _below(session: Session, child: Organization) -> set[str]:
    """The addresses of an organization and of all that lies under it."""
    return {child.address, *(each.address for each in tree.descendants(session, child.pk))}


def _shares(
    session: Session, organization: Organization, metric: Metric, look: MetricForecast, month: Month
) -> dict[str, int]:
    owner, period = organization.pk, month.period
    if metric.aggregation is Aggregation.SUM:
        return sources.totals(session, owner, metric.id, period.number)
    if metric.aggregation is Aggregation.UNIQUE:
        return _subjects(session, owner, metric.id, period)
    if metric.aggregation is Aggregation.MAX:
        return max_shares(month.used, sources.events(session, owner, metric.id, period))
    others = sources.levels_before(session, owner, metric.id, period.start)
    standing = {OWN: _level_before(look, period.start) - sum(others.values()), **others}
    return level_shares(usage_points.level_events(session, owner, metric.id, period), standing)


def _subjects(session: Session, owner: int, metric: str, period: Period) -> dict[str, int]:
    """From what is kept of first sights; event by event where something was taken back."""
    hours = rollups.hours(session, owner, metric, rollups.hour_of(period.start), period.end)
    if all(hour.exact for hour in hours):
        return sources.subjects(session, owner, metric, period.number)
    return unique_shares(events.events_between(session, owner, metric, period.start, period.end))


def _level_before(look: MetricForecast, moment: datetime) -> int:
    """What stood when the period began."""
    level = 0
    for point in look.timeline.points:
        if point.at >= moment:
            break
        level = point.level
    return level
