"""May the organization do this? Exact blocking (credits.md): an action stops only for its own metrics.

A question is answered from the meters as they are, which locks nothing. One that is out of date has to be computed
anew, and that is written: with `writing=False` the question is then to be asked again in a transaction that may write.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog
from billing_app.domain.common.errors import FactRefusedError
from billing_app.domain.common.periods import period_at
from billing_app.domain.credits.entitlements import Reading
from billing_app.domain.credits.facts import MAX_QUANTITY, Aggregation
from billing_app.domain.usage.aggregation import fold
from billing_app.services.catalogue import versions
from billing_app.services.common import payers
from billing_app.services.common.context import Context
from billing_app.services.usage import accounts, meters
from billing_app.store.access.callers import MeterFigures
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import events as usage_store
from billing_app.store.usage import meters as meter_store
from billing_app.store.usage import rollups
from billing_app.store.usage.meters import Figures


class OutOfDateError(Exception):
    """A meter must be computed anew to answer, which this transaction may not write."""


@dataclass(frozen=True, slots=True)
class BlockingAnswer:
    """A metric that has too little left for what was requested. `allowance` null is unlimited."""

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
    blocking: tuple[BlockingAnswer, ...]
    still_works: tuple[str, ...]


def check_metric(
    context: Context, metric: str, *, quantity: int = 1, subject: str | None = None, writing: bool = True
) -> Answer:
    """Whether `quantity` more of one metric may be used (fine point 13). Raises NotFoundError `metric_not_found`."""
    session, organization, now = context.session, context.organization, context.now
    look = _Look(session, organization, now, writing)
    payers.require_active(organization, look.organization)
    return _check(look, {metric: quantity}, subject)


def check_action(
    context: Context,
    action: str,
    *,
    quantities: Mapping[str, int] | None = None,
    subject: str | None = None,
    writing: bool = True,
) -> Answer:
    """Whether an action may happen: it asks 1 of each of its metrics unless `quantities` says otherwise.

    Raises NotFoundError `action_not_found`, FactRefusedError `invalid_quantity` for a metric that it does not need.
    """
    session, organization, now = context.session, context.organization, context.now
    look = _Look(session, organization, now, writing)
    needs = look.current.action(action).metrics
    unknown = sorted(set(quantities or {}) - set(needs))
    if unknown:
        raise FactRefusedError(f"{action} does not need {', '.join(unknown)}.", code="invalid_quantity")
    asked = {metric: (quantities or {}).get(metric, 1) for metric in needs}
    payers.require_active(organization, look.organization)
    return _check(look, asked, subject, action)


def working_actions(context: Context) -> dict[str, tuple[str, ...]]:
    """Every action with the metrics that block it now; an empty tuple says that it works."""
    session, organization, now = context.session, context.organization, context.now
    return _Look(session, organization, now, writing=True).working_actions()


class _Look:
    """One look at the meters of an organization's payer: all of them as they are, in one query.

    When `writing`, all that are out of date are computed anew first, in the common order of locks.
    """

    def __init__(self, session: Session, organization: Organization, now: datetime, writing: bool) -> None:
        self.session = session
        self.organization = payers.payer(session, organization, now)
        self.now = now
        self._writing = writing
        found, newest = meter_store.figures(session, self.organization.pk)
        self._meters: dict[str, Figures | MeterRow] = {**found}
        self.current = versions.current(session, now, newest=newest)
        if writing:
            old = sorted(metric.id for metric in self.current.metrics if not self._usable(metric.id))
            meter_store.require_turn(session, self.organization.pk, old)
            for metric in old:
                self._meters[metric] = meters.fresh(Context(session, self.organization, now), metric)

    def reading(self, metric: str) -> Reading:
        """What the metric's meter says. Raises OutOfDateError, unless writing."""
        aggregation = self.current.metric(metric).aggregation
        if not self._usable(metric):
            if not self._writing:
                raise OutOfDateError(metric)
            self._meters[metric] = meters.fresh(Context(self.session, self.organization, self.now), metric)
        return meters.reading(self._meters[metric], aggregation)

    def _usable(self, metric: str) -> bool:
        found = self._meters.get(metric)
        return found is not None and meters.usable(found, self.now)

    def working_actions(self) -> dict[str, tuple[str, ...]]:
        """Every action with the metrics that block it now."""
        blocked = {metric.id for metric in self.current.metrics if not self.reading(metric.id).allows(1)}
        rules = self.current.actions
        return {rule.id: tuple(metric for metric in rule.metrics if metric in blocked) for rule in rules}


class _Seen(_Look):
    """The same by figures that somebody else has read; those that may not be used are left out."""

    def __init__(self, current: Catalog, figures: Mapping[str, MeterFigures]) -> None:
        self.current = current
        self._figures = figures

    def reading(self, metric: str) -> Reading:
        """What the metric's meter says. Raises OutOfDateError."""
        found = self._figures.get(metric)
        if found is None or not found.usable:
            raise OutOfDateError(metric)
        return meters.reading(found, self.current.metric(metric).aggregation)


def by_figures(
    current: Catalog, figures: Mapping[str, MeterFigures], asked: Mapping[str, int], action: str = ""
) -> Answer | None:
    """The answer of `check_metric` or `check_action` by figures just read; None where they do not suffice."""
    if not all(0 <= quantity <= MAX_QUANTITY for quantity in asked.values()):
        return None
    with suppress(OutOfDateError):
        return _check(_Seen(current, figures), asked, None, action)
    return None


def _check(look: _Look, asked: Mapping[str, int], subject: str | None, action: str = "") -> Answer:
    """What still works are other actions that pass with 1 of each of their metrics, never the `action` refused."""
    blocking: list[BlockingAnswer] = []
    for metric, quantity in sorted(asked.items()):
        if not 0 <= quantity <= MAX_QUANTITY:
            raise FactRefusedError(f"{metric}: a quantity is 0 to {MAX_QUANTITY}.", code="invalid_quantity")
        reading = look.reading(metric)
        counted = subject is not None and _is_counted(look, reading.aggregation, metric, subject)
        if not reading.allows(quantity, counted_already=counted):
            figures = (reading.allowance, reading.used, reading.reserved, reading.left)
            blocking.append(BlockingAnswer(metric, *figures, requested=quantity))
    if not blocking:
        return Answer(True, (), ())
    works = [each for each, blockers in look.working_actions().items() if not blockers and each != action]
    return Answer(False, tuple(blocking), tuple(works))


def _is_counted(look: _Look, aggregation: Aggregation, metric: str, subject: str) -> bool:
    """Whether a subject is counted in the running period already (fine point 13), corrections included."""
    if aggregation is not Aggregation.UNIQUE:
        return False
    session, organization, now = look.session, look.organization, look.now
    owner = organization.pk
    number = accounts.period_number(organization, now)
    if not rollups.is_counted(session, owner, metric, number, subject):
        return False
    period = period_at(organization.anchor, number)
    events = usage_store.subject_events(session, owner, metric, [subject], period.start, period.end)
    points = fold(aggregation, organization.anchor, [event for event in events if event.at <= now])
    return bool(points) and points[-1].used > 0
