"""Whether the facts were allowed when they were recorded: nobody converted, consumed or reserved more than there was.

Late facts may turn accepted use into a deficit, so each is judged by what was known at its moment. To look at all of
them would run the engine for each; only those are, after which today's view has less than nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from sqlmodel import Session

from billing_app.domain.common.moments import is_plausible
from billing_app.domain.credits import engine
from billing_app.domain.credits.accounts import Account
from billing_app.domain.credits.facts import Aggregation, History
from billing_app.domain.usage.aggregation import EARLIEST
from billing_app.services.common.context import Context
from billing_app.services.usage import accounts
from billing_app.services.verification.usage import Finding
from billing_app.store.credits import grants as credit_store
from billing_app.store.tables.credits import GrantAction
from billing_app.store.tables.meters import Reservation
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import events as usage_store
from billing_app.store.usage.rollups import HOUR, hour_of

MOST = 50
"""Moments of one metric that are judged by what was known then: each runs the engine over its history."""


class After(NamedTuple):
    """What today's facts say of the moment right after an instant. `room` None is without limit."""

    room: int | None
    unpaid: int


def findings(context: Context, metric: str, facts: History, *, rolled: bool) -> Iterator[Finding]:
    """More than there was, and what is dated after its recording or recorded later than now; of one metric."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    actions = credit_store.actions(session, owner, metric)
    yield from _dated(session, owner, metric, actions, now)
    yield from _converted(session, organization, metric, facts, actions)
    if facts.aggregation is Aggregation.SUM:
        yield from _asked(context, metric, facts, rolled=rolled)


def _dated(
    session: Session, owner: int, metric: str, actions: Sequence[GrantAction], now: datetime
) -> Iterator[Finding]:
    """Nothing happens long after it was written down, and nothing is written down later than now."""
    grants = credit_store.grants(session, owner, metric)
    written = [(f"grant {row.id}", row.created_at, row.recorded_at) for row in grants]
    written += [(f"{row.kind} {row.number} of grant {row.grant_id}", row.at, row.recorded_at) for row in actions]
    for what, at, recorded_at in written:
        if at > recorded_at + EARLIEST:
            yield f"moment of {what}", at.isoformat(), f"at most {(recorded_at + EARLIEST).isoformat()}"
        if not is_plausible(recorded_at, now):
            yield f"recording of {what}", recorded_at.isoformat(), f"at most {now.isoformat()}"


def _converted(
    session: Session, organization: Organization, metric: str, facts: History, actions: Sequence[GrantAction]
) -> Iterator[Finding]:
    """Each conversion against what was left right before it, as its predecessors had left it."""
    made = [row for row in actions if row.kind == "convert"]
    for name, parts in groupby(made, key=lambda row: row.source_key.rpartition(":")[0]):
        rows = list(parts)
        first, at, known = rows[0].number, rows[0].at, rows[0].recorded_at
        earlier = [row for row in actions if row.number < first]
        grants = credit_store.grants(session, organization.pk, metric, known)
        then = replace(facts, grants=credit_store.as_grants(grants), actions=credit_store.as_actions(earlier))
        left, wanted = engine.compute(then, at).left, sum(row.quantity or 0 for row in rows)
        if wanted > left:
            yield f"converted by {name}", str(wanted), f"at most {left}"


def _asked(context: Context, metric: str, facts: History, *, rolled: bool) -> Iterator[Finding]:
    """What consume accepted and what was reserved, against allowance and credits as they were known then."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    taken: dict[datetime, int] = defaultdict(int)
    for at, quantity in usage_store.consumed(session, owner, metric):
        taken[at] += quantity
    reservations = usage_store.reservations(session, owner, metric)
    opened = {row.opened_at for row in reservations}
    timeline = _timeline(facts, now)
    moments = sorted({*taken, *opened})
    if rolled:  # what may have been too much within an hour is looked at event by event
        moments = [at for at in moments if not _surely_fitted(*timeline, at, _held(reservations, at))]
        if moments:
            timeline = _timeline(accounts.history(session, organization, metric, now, looked_at=moments), now)
    judged = 0
    for at in moments:
        held = _held(reservations, at)
        if _fits(_standing(*timeline, at), held):
            continue
        judged += 1
        if judged > MOST:
            return
        room = _room(session, organization, metric, at - accounts.INSTANT, at)
        if room is None or taken.get(at, 0) + held <= room.room or _fits_after(session, organization, metric, at, held):
            continue
        what = "consumed" if taken.get(at) else "reserved"
        yield f"{what} at {at.isoformat()}", str(taken.get(at, 0) + held), f"at most {room.room}"


def _standing(instants: list[datetime], after: list[After], at: datetime) -> After | None:
    """How it stood right after a moment; None before anything happened."""
    place = bisect_right(instants, at)
    return after[place - 1] if place else None


def _fits(today: After | None, held: int) -> bool:
    return today is not None and not today.unpaid and (today.room is None or held <= today.room)


def _surely_fitted(instants: list[datetime], after: list[After], at: datetime, held: int) -> bool:
    """Whether it fits both before and after the rest of its hour, whose use a roll-up tells as of one instant.

    Inside of such an hour nothing else happens and use only grows, so then it fits at its moment too.
    """
    rest = _standing(instants, after, hour_of(at) + HOUR - accounts.INSTANT)
    return _fits(_standing(instants, after, at), held) and _fits(rest, held)


class Room(NamedTuple):
    """What allowance and credits left at a moment, and what of the running period was unpaid."""

    room: int
    unpaid: int


def _room(session: Session, organization: Organization, metric: str, known_at: datetime, at: datetime) -> Room | None:
    """None: without limit."""
    account = accounts.account(session, organization, metric, at, known_at=known_at)
    return None if account.allowance is None else Room(_free(account), account.month(account.period).deficit)


def _fits_after(session: Session, organization: Organization, metric: str, at: datetime, held: int) -> bool:
    """With all that was recorded at the very moment, such as a grant in the same transaction."""
    room = _room(session, organization, metric, at, at)
    return room is None or (not room.unpaid and held <= room.room)


def _free(account: Account) -> int:
    return max(0, (account.allowance or 0) - account.used) + account.left


def _held(reservations: Sequence[Reservation], at: datetime) -> int:
    return sum(
        row.quantity
        for row in reservations
        if row.opened_at <= at < row.holds_until and (row.closed_at is None or row.closed_at > at)
    )


def _timeline(facts: History, now: datetime) -> tuple[list[datetime], list[After]]:
    """The instants at which anything happened, and how it stood right after each."""
    state = engine.start(facts)
    instants: list[datetime] = []
    after: list[After] = []
    for instant in engine.steps(state, facts, now):
        month = state.month
        room = None if month.allowance is None else max(0, month.allowance - month.used) + state.left
        instants.append(instant)
        after.append(After(room, month.unpaid))
    return instants, after
