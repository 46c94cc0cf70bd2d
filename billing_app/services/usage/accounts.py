"""Assembles what the engine needs from the stored facts, and runs it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.common.periods import period_containing
from billing_app.domain.credits import engine
from billing_app.domain.credits.accounts import Account
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.facts import Grant, History
from billing_app.services.usage.plans_in_force import Plans, plans
from billing_app.store.common.questions import Asking, one
from billing_app.store.credits.grants import ActionFacts, GrantFacts
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage.usage_points import usage_points

INSTANT = timedelta(microseconds=1)
"""The smallest step of time that is told apart."""


def history(
    session: Session,
    organization: Organization,
    metric: str,
    as_of: datetime,
    *,
    known_at: datetime | None = None,
    held: Plans | None = None,
    looked_at: Iterable[datetime] = (),
) -> History:
    """All facts of one organization and metric. `as_of` is the moment that will be asked for.

    `known_at` leaves out what was recorded later; `held` saves reading the plans again for each metric; `looked_at` are
    moments before `as_of` that will be asked for too.
    Raises NotFoundError `metric_not_found`.
    """
    held = held or plans(session, organization.pk, known_at)
    return one(session, history_of(organization, metric, as_of, held, known_at=known_at, looked_at=looked_at))


def history_of(
    organization: Organization,
    metric: str,
    as_of: datetime,
    held: Plans,
    *,
    known_at: datetime | None = None,
    looked_at: Iterable[datetime] = (),
    grants: tuple[Grant, ...] | None = None,
) -> Asking[History]:
    """The same beside other accounts; `grants` are the metric's, where they are known already."""
    owner = organization.pk
    aggregation = held.catalogs[-1][1].metric(metric).aggregation
    facts = History(
        anchor=organization.anchor,
        aggregation=aggregation,
        allowances=held.allowances(metric),
        grants=(yield GrantFacts(owner, metric, known_at)) if grants is None else grants,
        actions=(yield ActionFacts(owner, metric, known_at)),
        policies=held.policies(metric),
    )
    looks = boundaries(facts, as_of) | {*looked_at}
    points = yield from usage_points(owner, metric, aggregation, organization.anchor, looks, known_at)
    return replace(facts, usage=points)


def boundaries(facts: History, as_of: datetime) -> set[datetime]:
    """The moments that usage must be told before and after: what else happens to the metric, and what is asked for."""
    moments = {as_of, *(action.at for action in facts.actions), *(change.at for change in facts.allowances)}
    for grant in facts.grants:
        moments |= {grant.effective_at} if grant.expires_at is None else {grant.effective_at, grant.expires_at}
    return moments


def account(
    session: Session,
    organization: Organization,
    metric: str,
    as_of: datetime,
    *,
    known_at: datetime | None = None,
    held: Plans | None = None,
) -> Account:
    """The account of a metric at `as_of`, from all facts known now or by `known_at`."""
    return engine.compute(history(session, organization, metric, as_of, known_at=known_at, held=held), as_of)


def traced(facts: History, as_of: datetime) -> State:
    """The engine's state at `as_of` with every movement that led there."""
    state = engine.start(facts)
    state.trace = []
    engine.advance(state, facts, as_of)
    return state


def last_boundary(facts: History, moment: datetime) -> datetime:
    """The earliest instant from which usage may be counted by arithmetic alone, as seen at `moment`.

    That is the last turn of the period, or anything that happened to grants, plans and allowances. Usage of the very
    instant of a void, refund, dispute or conversion counts before it (fine point 1), and all usage of an instant is one
    sum, so after one of those, and after a fall of usage, arithmetic begins an instant later.
    """
    period = period_containing(facts.anchor, moment)
    marks = [period.start]
    for grant in facts.grants:
        marks += [grant.effective_at] if grant.expires_at is None else [grant.effective_at, grant.expires_at]
    marks += [fact.at for fact in facts.allowances]
    before = [fact.at for fact in facts.actions]
    used = 0
    for point in facts.usage:
        if point.at >= period.start and point.used < used:
            before.append(point.at)
        used = point.used
    reached = [mark for mark in marks if mark <= moment] + [mark + INSTANT for mark in before if mark <= moment]
    return max(reached)


def period_number(organization: Organization, moment: datetime) -> int:
    """The number of the organization's period that `moment` falls in."""
    return period_containing(organization.anchor, moment).number
