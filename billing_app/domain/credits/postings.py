"""From the engine's state to ledger rows: what the ledger should hold, and the difference to what it does.

The ledger is kept in buckets: the burns of one grant by one period, the expiry of one grant, the debt of one refunded
grant. A recount posts, per bucket, the difference between the engine and the ledger (credits.md, The ledger). The sum
of all buckets of a metric is what is left minus debt; the sum of a grant's buckets is what is left of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from billing_app.domain.common.periods import Period, period_at
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.period_state import Move, RunningMonth

RANK = {
    "grant": 0, "settle": 1, "release": 2, "unhold": 3, "burn": 4, "convert": 4, "refund": 5, "void": 6, "expire": 7,
    "hold": 8,
}  # fmt: skip
"""The order of rows of one moment, so that a reader never sees credits leave before they came."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What the ledger should hold under `name`: a signed quantity, last moved at `moved_at`."""

    name: str
    kind: str
    quantity: int
    grant_id: str | None
    origin: str | None
    period: Period
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class Posting:
    """One row to be written: the difference of a bucket. `late` says that it changes a period that had ended before."""

    bucket: Bucket
    kind: str
    quantity: int
    late: bool


def bucket_name(kind: str, grant_id: str | None, origin: str | None, number: int | None = None) -> str:
    """`burn:3:gr_1` (of a period), `convert:7:gr_1` (of the action of this number), `expire::gr_1`, `debt/settle::gr_1`
    (movements of gr_1's own debt).
    """
    shown = "" if number is None else number
    return f"debt/{kind}:{shown}:{origin}" if grant_id is None else f"{kind}:{shown}:{grant_id}"


def parse_bucket_name(name: str) -> tuple[str, str | None, str | None]:
    """Kind, grant and origin of a bucket; the way back of `bucket_name`."""
    kind, _number, subject = name.split(":", 2)
    if kind.startswith("debt/"):
        return kind.removeprefix("debt/"), None, subject
    return kind, subject, None


def buckets(state: State, anchor: datetime, named: Collection[str] | None = None) -> dict[str, Bucket]:
    """Everything that the ledger of this metric should hold, or of it what is `named`.

    `state` must have been run with a trace. One that was taken up again knows the grants and periods that it has.
    """
    if not state.begun:
        return {}
    moved = state.moved | last_moves(state)
    found: dict[str, Bucket] = {}

    def add(kind: str, quantity: int, grant_id: str | None, origin: str | None, number: int | None = None) -> None:
        name = bucket_name(kind, grant_id, origin, number)
        if (not quantity and name not in moved) or (named is not None and name not in named):
            return
        at, period = moved.get(name, (state.months[0].period.start, state.months[0].period.number))
        shown = period_at(anchor, number if kind == "burn" and number is not None else period)
        found[name] = Bucket(name, kind, quantity, grant_id, origin, shown, at)

    for month in state.months:
        for grant_id in month.burns.keys() | _burned_once(moved, month):
            add("burn", -month.burns.get(grant_id, 0), grant_id, None, month.period.number)
    subjects = None if named is None else {name.split(":", 2)[2] for name in named}
    for grant_id, position in state.positions.items():
        if not position.effective or (subjects is not None and grant_id not in subjects):
            continue
        add("grant", position.grant.quantity, grant_id, None)
        add("settle", -position.settled, grant_id, None)
        add("refund", -position.taken, grant_id, None)
        add("void", -position.voided, grant_id, None)
        add("expire", -position.expired, grant_id, None)
        add("hold", -position.held, grant_id, None)
        for sequence, quantity in position.conversions.items():
            add("convert", -quantity, grant_id, None, sequence)
        add("debt", -position.debt - position.debt_paid, None, grant_id)
        add("settle", position.debt_paid, None, grant_id)
    return found


def last_moves(state: State) -> dict[str, Move]:
    """When each bucket last moved since the trace began."""
    moved: dict[str, Move] = {}
    for step in state.trace or ():
        kind = {"release": "burn", "unhold": "hold"}.get(step.kind, step.kind)
        number = step.period if kind == "burn" else step.sequence
        name = bucket_name(kind, step.grant_id, step.origin, number)
        moved[name] = (step.at, step.period)
    return moved


def _burned_once(moved: Mapping[str, Move], month: RunningMonth) -> set[str]:
    """Grants that a period burned and gave back in full: their bucket is 0 now, and the ledger may hold more."""
    prefix = bucket_name("burn", "", None, month.period.number)
    return {name.removeprefix(prefix) for name in moved if name.startswith(prefix)}


def changed(wanted: Mapping[str, Bucket], held: Mapping[str, int]) -> dict[str, int]:
    """By bucket what the ledger (`held`, its sums) lacks of `wanted`.

    A bucket that the engine no longer knows (late facts may undo it) is brought to zero.
    """
    found: dict[str, int] = {}
    for name, bucket in wanted.items():
        quantity = bucket.quantity - held.get(name, 0)
        if quantity:
            found[name] = quantity
    for name, quantity in held.items():
        if quantity and name not in wanted:
            found[name] = -quantity
    return found


def rows(quantities: Mapping[str, int], known: Mapping[str, Bucket], posted_at: datetime | None) -> list[Posting]:
    """The rows for what has `changed`, in the order in which they are written.

    `known` has the buckets by name, `posted_at` is the moment up to which the ledger was complete.
    """
    found: list[Posting] = []
    for name, quantity in quantities.items():
        bucket = known[name]
        late = posted_at is not None and bucket.period.end <= posted_at
        found.append(Posting(bucket, entry_kind(bucket.kind, quantity), quantity, late))
    return sorted(found, key=lambda row: (row.bucket.moved_at, RANK.get(row.kind, 9), row.bucket.name))


def differences(wanted: Mapping[str, Bucket], held: Mapping[str, Bucket], posted_at: datetime | None) -> list[Posting]:
    """The rows that bring the ledger from `held` to `wanted`."""
    quantities = changed(wanted, {name: bucket.quantity for name, bucket in held.items()})
    return rows(quantities, {**held, **wanted}, posted_at)


def entry_kind(kind: str, quantity: int) -> str:
    """What a row of a bucket of this kind is called: burns and holds have a kind of their own for the way back."""
    if quantity > 0:
        return {"burn": "release", "hold": "unhold"}.get(kind, kind)
    return kind
