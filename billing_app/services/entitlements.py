"""May the organization do this? Exact blocking (credits.md): an action stops only for its own metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalog import Catalog
from billing_app.domain.credits import MAX_QUANTITY, Aggregation
from billing_app.domain.entitlements import Reading
from billing_app.domain.errors import FactRefusedError
from billing_app.domain.periods import period_at
from billing_app.domain.usage import fold
from billing_app.services import accounts, catalog, meters
from billing_app.store import meters as meter_store
from billing_app.store import rollups
from billing_app.store import usage as usage_store
from billing_app.store.tables.orgs import Organization


@dataclass(frozen=True, slots=True)
class Blocking:
    """A metric that has too little left for what was asked, with the figures of the answer."""

    metric: str
    allowance: int | None
    used: int
    reserved: int
    credits: int
    requested: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether it is allowed, what blocks it, and what still works."""

    allowed: bool
    blocking: tuple[Blocking, ...]
    still_works: tuple[str, ...]


def check_metric(
    session: Session,
    organization: Organization,
    metric: str,
    now: datetime,
    *,
    quantity: int = 1,
    subject: str | None = None,
) -> Answer:
    """Whether `quantity` more of one metric may be used (fine point 13). Raises NotFoundError `metric_not_found`."""
    return _check(session, organization, catalog.current(session, now), {metric: quantity}, subject, now)


def check_action(
    session: Session,
    organization: Organization,
    action: str,
    now: datetime,
    *,
    quantities: Mapping[str, int] | None = None,
    subject: str | None = None,
) -> Answer:
    """Whether an action may happen: it asks 1 of each of its metrics unless `quantities` says otherwise.

    Raises NotFoundError `action_not_found`, FactRefusedError `invalid_quantity` for a metric that it does not need.
    """
    current = catalog.current(session, now)
    needs = current.action(action).metrics
    unknown = sorted(set(quantities or {}) - set(needs))
    if unknown:
        raise FactRefusedError(f"{action} does not need {', '.join(unknown)}.", code="invalid_quantity")
    asked = {metric: (quantities or {}).get(metric, 1) for metric in needs}
    return _check(session, organization, current, asked, subject, now)


def working_actions(session: Session, organization: Organization, now: datetime) -> dict[str, tuple[str, ...]]:
    """Every action with the metrics that block it now; an empty tuple says that it works."""
    current = catalog.current(session, now)
    blocked = {
        metric.id for metric in current.metrics if not read(session, organization, current, metric.id, now).allows(1)
    }
    return {rule.id: tuple(metric for metric in rule.metrics if metric in blocked) for rule in current.actions}


def read(session: Session, organization: Organization, current: Catalog, metric: str, now: datetime) -> Reading:
    """The metric's reading at `now`: the meter as it is where it may be used, else computed anew."""
    aggregation = current.metric(metric).aggregation
    row = meter_store.read(session, accounts.organization_id(organization), metric)
    if row is None or not meters.usable(row, now):
        row = meters.fresh(session, organization, metric, now)
    return meters.reading(row, aggregation)


def _check(
    session: Session,
    organization: Organization,
    current: Catalog,
    asked: Mapping[str, int],
    subject: str | None,
    now: datetime,
) -> Answer:
    blocking: list[Blocking] = []
    for metric, quantity in sorted(asked.items()):
        if not 0 <= quantity <= MAX_QUANTITY:
            raise FactRefusedError(f"{metric}: a quantity is 0 to {MAX_QUANTITY}.", code="invalid_quantity")
        reading = read(session, organization, current, metric, now)
        counted = subject is not None and _is_counted(session, organization, reading.aggregation, metric, subject, now)
        if not reading.allows(quantity, counted_already=counted):
            figures = (reading.allowance, reading.used, reading.reserved, reading.left)
            blocking.append(Blocking(metric, *figures, requested=quantity))
    works = () if not blocking else _still_works(session, organization, now)
    return Answer(not blocking, tuple(blocking), works)


def _still_works(session: Session, organization: Organization, now: datetime) -> tuple[str, ...]:
    blockers = working_actions(session, organization, now)
    return tuple(action for action, metrics in blockers.items() if not metrics)


def _is_counted(
    session: Session,
    organization: Organization,
    aggregation: Aggregation,
    metric: str,
    subject: str,
    now: datetime,
) -> bool:
    """Whether a subject is counted in the running period already (fine point 13), corrections included."""
    if aggregation is not Aggregation.UNIQUE:
        return False
    owner = accounts.organization_id(organization)
    number = accounts.period_number(organization, now)
    if not rollups.is_counted(session, owner, metric, number, subject):
        return False
    period = period_at(organization.anchor, number)
    events = usage_store.subject_events(session, owner, metric, [subject], period.start, period.end)
    points = fold(aggregation, organization.anchor, [event for event in events if event.at <= now])
    return bool(points) and points[-1].used > 0
