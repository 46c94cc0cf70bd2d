"""The meter: brought up to date by the engine before it is used, and watched for what is to be told.

Lock order everywhere: organization, meters by name, page revision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import TOKEN_ID, Metric
from billing_app.domain.common.errors import ConflictError
from billing_app.domain.common.moments import is_plausible, latest
from billing_app.domain.common.periods import period_containing
from billing_app.domain.credits import engine, expiry_notices
from billing_app.domain.credits.accounts import Account
from billing_app.domain.credits.allowances import largest_held
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.entitlements import MeterState, Reading
from billing_app.domain.credits.facts import MAX_QUANTITY, NEVER, Aggregation, History
from billing_app.domain.credits.thresholds import marks, next_used
from billing_app.services.common.context import Context
from billing_app.services.usage import accounts, plans_in_force, snapshots, top_up_arming
from billing_app.services.usage.plans_in_force import Plans
from billing_app.services.usage.snapshots import Basis
from billing_app.store.access.callers import MeterFigures
from billing_app.store.common import locks
from billing_app.store.common.questions import Asking, one
from billing_app.store.notifications import outbox
from billing_app.store.notifications.outbox import Marks
from billing_app.store.purchases.top_ups import Setting
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.purchases import AutoTopUp
from billing_app.store.usage import meters as store
from billing_app.store.usage.meters import Figures, Held, Meter, Reserved

MAX_RESERVATIONS = 10_000
"""Of one organization and metric that are open at a time: what is held is added up with each of them."""

BLOCKED = "blocked"
"""The mark that remembers whether `metric.blocked` was told."""


def fresh(context: Context, metric: str) -> MeterRow:
    """The meter, locked and right at `now`. What happened since it was last looked at is told.

    Raises NotFoundError `metric_not_found`.
    """
    now = context.now
    row, now = hold(context, metric)
    if not usable(row, now):
        recompute(context.at(now), row)
    return row


def hold(context: Context, metric: str) -> tuple[MeterRow, datetime]:
    """Locks the meter as it is, and answers the moment of whoever now holds it (fine point 17)."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    row = store.lock(session, owner, metric, now)
    return row, locks.moment_of(session, ("meter", owner, metric), now, row.watched_at)


def prepare(context: Context, metric: str) -> tuple[MeterRow, datetime]:
    """Locks the meter before a fact is recorded; boundaries that have passed are told as of before the fact.

    Answers the moment of the fact with it: by then somebody else may have used what there was.
    """
    now = context.now
    row, now = hold(context, metric)
    _look(context.at(now), row)
    return row, now


def prepare_all(context: Context, metrics: Iterable[str]) -> datetime:
    """Prepares `metrics` and every other meter of the organization, in the common order; the moment of the fact.

    For facts about credits: the ledger is posted with them, and posting looks at all meters.
    """
    session, organization, now = context.session, context.organization, context.now
    known = {row.metric for row in store.of_organization(session, organization.pk)}
    rows = []
    for metric in sorted(known | set(metrics)):
        row, now = hold(context.at(now), metric)
        rows.append(row)
    for row in rows:
        _look(context.at(now), row)
    return now


def _look(context: Context, row: MeterRow) -> None:
    now = context.now
    if not usable(row, now):
        recompute(context, row)
    row.watched_at = now


def recompute(context: Context, row: MeterRow) -> None:
    """Computes the meter anew and tells what passed since it was last watched.

    A clock that is behind never takes it back: the row's own time stands, unless it is so far ahead that the clock
    which wrote it was wrong (docs/decisions/0021).
    """
    session = context.session
    one(session, recomputed(context, row, plans_in_force.plans(session, row.organization_id)))
    session.flush()


def recomputed(context: Context, row: MeterRow, held: Plans, basis: Basis | None = None) -> Asking[State]:
    """The same beside other meters; the caller flushes. Answers the engine's state, which stands at `seen_at`.

    `basis` is the metric's as of `now`, where the caller, who holds the row's lock, has read it already.
    """
    session, now = context.session, context.now
    owner, metric = row.organization_id, row.metric
    moment = seen_at(row, now)
    if not is_plausible(row.watched_at, now):
        row.watched_at = None
    watched = row.watched_at
    if basis is None or moment != now:
        basis = yield from snapshots.basis(context, metric, moment, held, watched=watched)
    facts = basis.facts
    open_now: Held = yield Reserved(owner, metric, moment)
    alerted: dict[str, int] = yield Marks(owner, metric)
    setting: AutoTopUp | None = yield Setting(owner, metric)
    looks = [] if watched is None else expiry_notices.moments(facts.grants, watched, moment)
    state = basis.start()
    for until in sorted({*looks, moment}):
        for instant in engine.steps(state, facts, until):
            if watched is not None and instant > watched:
                _alert(session, row, facts, state, open_now.quantity, alerted, instant, now)
        if until in looks:
            _alert_of_expiry(session, row, state, until, now)
    _alert(session, row, facts, state, open_now.quantity, alerted, moment, now)
    account = state.account(facts, moment)
    _write(row, facts, state, account, moment)
    row.reserved = open_now.quantity
    arms_at = top_up_arming.look(session, setting, account, now)
    looks_at = [used for used in (next_used(state, account, alerted), arms_at) if used is not None]
    reachable = [used for used in looks_at if used <= MAX_QUANTITY]
    row.next_alert_at_used = min(reachable, default=None) if facts.aggregation is Aggregation.SUM else None
    if open_now.first_end is not None:
        row.valid_until = min(row.valid_until, open_now.first_end)
    session.add(row)
    return state


def reading(row: MeterRow | Figures | MeterFigures, aggregation: Aggregation) -> Reading:
    """The meter as the facts of a decision."""
    return Reading(aggregation, row.allowance, row.used, row.left, row.reserved, row.level)


def usable(row: MeterRow | Meter | Figures, now: datetime) -> bool:
    """Whether the row may be used as it is: not stale, of this time, and not written by a clock that was ahead."""
    return not row.stale and now < row.valid_until and is_plausible(row.watched_at, now)


def next_look(facts: History, state: State, after: datetime) -> datetime:
    """The next moment at which anything changes by itself, or at which credits that end are spoken of.

    `state` stands at `after`: a grant of which nothing is left then has no end that anybody would notice.
    """
    open_grants = tuple(grant for grant in facts.grants if not state.positions[grant.id].closed)
    following = replace(facts, grants=open_grants)
    return min(engine.next_instant(following, after), expiry_notices.next_moment(open_grants, after) or NEVER)


def seen_at(row: MeterRow, now: datetime) -> datetime:
    """The moment that the row is right for: `now`, or the latest at which anybody has looked at it."""
    return latest(now, row.watched_at)


def shown_deficit(account: Account) -> int:
    """The deficit as a meter holds it: months that are carried may owe more together than 64 bits say."""
    return min(account.deficit, MAX_QUANTITY)


def _write(row: MeterRow, facts: History, state: State, account: Account, moment: datetime) -> None:
    row.stale = False
    row.period = account.period.number
    row.valid_from = accounts.last_boundary(facts, moment)
    row.valid_until = next_look(facts, state, moment)
    row.allowance, row.used, row.level = account.allowance, account.used, account.level
    row.left, row.debt, row.deficit = account.left, account.debt, shown_deficit(account)
    row.watched_at = moment


def _reading_of(facts: History, state: State, reserved: int, moment: datetime) -> Reading:
    """The facts of a decision at a moment that the engine has reached."""
    period = period_containing(facts.anchor, moment)
    if state.begun and state.month.period == period:
        return Reading(facts.aggregation, state.month.allowance, state.used, state.left, reserved, state.level)
    return Reading(facts.aggregation, largest_held(facts, period.start, moment), 0, state.left, reserved, state.level)


def _alert(
    session: Session,
    row: MeterRow,
    facts: History,
    state: State,
    reserved: int,
    alerted: dict[str, int],
    moment: datetime,
    now: datetime,
) -> None:
    """Tells thresholds that were reached and a change of "blocked"; a figure that falls and rises is told once."""
    for mark in marks(state):
        if state.month.period.contains(moment) and mark.percent > alerted.get(mark.name, 0):
            _remember(session, row, mark.name, mark.percent, alerted)
            key = f"{row.metric}:{mark.name}:{mark.percent}"
            figures = {"used": state.used, "allowance": state.month.allowance, "left": state.left}
            payload = {"metric": row.metric, "percent": mark.percent, **figures}
            outbox.add(session, row.organization_id, mark.kind, key, payload, moment, now, row.metric)
    if row.metric == TOKEN_ID:
        return  # nothing uses tokens, so nothing stops when there are none
    reading_now = _reading_of(facts, state, reserved, moment)
    blocked = int(reading_now.state is MeterState.BLOCKED)
    before = alerted.get(BLOCKED)
    if before == blocked:
        return
    _remember(session, row, BLOCKED, blocked, alerted)
    if before is not None:  # the first look only notes how it was before anything happened
        kind = "metric.blocked" if blocked else "metric.unblocked"
        figures = {"used": reading_now.used, "allowance": reading_now.allowance, "left": reading_now.left}
        payload = {"metric": row.metric, **figures}
        key = f"{row.metric}:{kind}:{moment.isoformat()}"
        outbox.add(session, row.organization_id, kind, key, payload, moment, now, row.metric)


def _remember(session: Session, row: MeterRow, name: str, percent: int, alerted: dict[str, int]) -> None:
    alerted[name] = percent
    outbox.set_mark(session, row.organization_id, row.metric, name, percent)


def _alert_of_expiry(session: Session, row: MeterRow, state: State, moment: datetime, now: datetime) -> None:
    """Tells which credits end soon or have ended, once each."""
    for notice in expiry_notices.notices(state, moment):
        payload = {
            "metric": row.metric,
            "grant": notice.grant.id,
            "quantity": notice.quantity,
            "expires_at": notice.grant.expires_at and notice.grant.expires_at.isoformat(),
        }
        if notice.days:
            payload["days"] = notice.days
        key = f"{row.metric}:{notice.key}"
        outbox.add(session, row.organization_id, notice.kind, key, payload, moment, now, row.metric)


def require_room_for_one_more(session: Session, organization_id: int, metric: Metric, now: datetime) -> None:
    """Refuses another reservation while MAX_RESERVATIONS are open. Raises ConflictError `too_many_reservations`."""
    if store.count_reserved(session, organization_id, metric.id, now) >= MAX_RESERVATIONS:
        raise ConflictError(
            f"{MAX_RESERVATIONS} reservations of {metric.name} are open. Confirm or release some first.",
            code="too_many_reservations",
        )
