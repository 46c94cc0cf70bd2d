"""Random histories that meet in the corners: few instants, small quantities, and so coincidences everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from billing_app.domain.common.periods import period_at, period_containing
from billing_app.domain.credits.facts import (
    Action,
    Aggregation,
    Allowance,
    Conversion,
    DeficitPolicy,
    Dispute,
    DisputeStatus,
    Grant,
    Policy,
    Refund,
    RefundPolicy,
    Void,
    default_expiry,
)

from .raw import Event, RawHistory

ANCHORS = (
    datetime(2024, 1, 1, tzinfo=UTC),
    datetime(2024, 1, 15, 12, 30, tzinfo=UTC),
    datetime(2024, 1, 29, tzinfo=UTC),
    datetime(2024, 1, 30, 23, 59, 59, tzinfo=UTC),
    datetime(2024, 1, 31, tzinfo=UTC),
    datetime(2024, 2, 29, 6, tzinfo=UTC),
    datetime(2023, 1, 31, tzinfo=UTC),
)
"""Plain, with a time of day, and on the days that months clamp, in leap years and others."""

FIRST_PERIOD, LAST_PERIOD = -1, 3
"""Periods extend before the anchor (fine point 3); three after it see a carried deficit grow old."""

SECOND = timedelta(seconds=1)


def instants(anchor: datetime) -> list[datetime]:
    """The moments at which anything happens: the turns, one second beside some, and a few days of each period."""
    moments: set[datetime] = set()
    for number in range(FIRST_PERIOD, LAST_PERIOD + 1):
        start = period_at(anchor, number).start
        moments |= {start, start + timedelta(days=9)}
        if number >= 0:
            moments |= {start + timedelta(days=3), start + timedelta(days=20)}
    turn = period_at(anchor, 1).start
    return sorted(moments | {turn - SECOND, turn + SECOND})


@st.composite
def grants(draw: st.DrawFn, moments: list[datetime], count: int = 5) -> tuple[Grant, ...]:
    """Grants whose places in burn order often tie, some recorded late, some that end where another begins."""
    made = []
    for number in range(draw(st.integers(0, count))):
        effective_at = draw(st.sampled_from(moments[:-1]))
        later = [moment for moment in moments if moment > effective_at]
        expires_at = draw(st.sampled_from([None, default_expiry(effective_at), *later, *later]))
        made.append(
            Grant(
                id=f"g{number}",
                quantity=draw(st.integers(1, 20)),
                effective_at=effective_at,
                expires_at=expires_at,
                created_at=draw(st.sampled_from(moments)),
                priority=draw(st.sampled_from([50, 50, 50, 1, 99])),
                paid_cents=draw(st.sampled_from([0, 1, 3, 10, 10, 100, 999])),
            )
        )
    return tuple(draw(st.permutations(made)))


@st.composite
def events(draw: st.DrawFn, aggregation: Aggregation, anchor: datetime, moments: list[datetime]) -> tuple[Event, ...]:
    """Usage events that the product would have accepted."""
    at = st.sampled_from(moments)
    match aggregation:
        case Aggregation.SUM:
            one = st.builds(Event, at, st.one_of(st.integers(1, 20), st.integers(-12, 20)))
        case Aggregation.UNIQUE:
            one = st.builds(Event, at, st.sampled_from([1, 1, 1, -1]), st.sampled_from("abcde"))
        case _:
            one = st.builds(Event, at, st.integers(0, 20))
    made = draw(st.lists(one, max_size=10))
    if aggregation is Aggregation.SUM:
        made = never_below_zero(anchor, made)
    return tuple(made)


def never_below_zero(anchor: datetime, made: list[Event]) -> list[Event]:
    """Without the corrections that would be refused (fine point 4): by the period's total, whatever their order."""
    totals: dict[int, int] = {}
    for event in made:
        number = period_containing(anchor, event.at).number
        totals[number] = totals.get(number, 0) + event.quantity
    kept = []
    for event in made:
        number = period_containing(anchor, event.at).number
        if totals[number] < 0 and event.quantity < 0:
            totals[number] -= event.quantity
        else:
            kept.append(event)
    return kept


@st.composite
def actions(draw: st.DrawFn, moments: list[datetime], granted: tuple[Grant, ...], count: int = 9) -> tuple[Action, ...]:
    """Voids, refunds and disputes of the grants: repeated, out of order, partial, failed, above what was paid."""
    if not granted:
        return ()
    made: list[Action] = []
    for sequence in range(draw(st.integers(0, count))):
        grant = draw(st.sampled_from(granted))
        effective = [moment for moment in moments if moment >= grant.effective_at]
        at = draw(st.sampled_from([*effective, *effective, *moments]))
        made.append(draw(one_action(grant, at, sequence)))
    return tuple(draw(st.permutations(made)))


@st.composite
def one_action(draw: st.DrawFn, grant: Grant, at: datetime, sequence: int) -> Action:
    """One void or conversion, or, of a paid grant, one refund (also lowered: it failed) or one news of a dispute."""
    kind = draw(st.sampled_from(["void", "convert", "refund", "refund", "refund", "dispute", "dispute"]))
    if kind == "convert":
        return Conversion(at, sequence, grant.id, draw(st.integers(1, grant.quantity)))
    if kind == "void" or grant.paid_cents == 0:
        return Void(at, sequence, grant.id)
    paid = grant.paid_cents
    cents = draw(st.sampled_from(sorted({0, 1, paid // 3, paid // 2, paid - 1, paid, paid, paid + 5})))
    if kind == "refund":
        return Refund(at, sequence, grant.id, cents)
    return Dispute(
        at,
        sequence,
        grant.id,
        draw(st.sampled_from(DisputeStatus)),
        draw(st.sampled_from([None, None, cents])),
        draw(st.sampled_from(["", "", "", "second"])),
    )


@st.composite
def allowances(draw: st.DrawFn, moments: list[datetime], unlimited: bool = True) -> tuple[Allowance, ...]:
    """One to four plans, held one after the other: upgrades, downgrades, unlimited ones."""
    quantities = st.sampled_from([0, 0, 0, 3, 5, 10, *([None] if unlimited else [])])
    at = draw(st.lists(st.sampled_from(moments), min_size=1, max_size=draw(st.sampled_from([1, 1, 2, 4])), unique=True))
    return tuple(Allowance(moment, draw(quantities)) for moment in at)


@st.composite
def policies(draw: st.DrawFn, moments: list[datetime]) -> tuple[Policy, ...]:
    """The defaults, or up to three that change at turns and between them."""
    at = draw(st.lists(st.sampled_from(moments), max_size=draw(st.sampled_from([0, 1, 1, 3])), unique=True))
    deficit, shortfall = st.sampled_from(DeficitPolicy), st.sampled_from([*RefundPolicy, RefundPolicy.DEBT])
    return tuple(Policy(moment, draw(deficit), draw(shortfall)) for moment in at)


@st.composite
def histories(draw: st.DrawFn) -> RawHistory:
    """Anything that the product could have recorded of one metric."""
    anchor = draw(st.sampled_from(ANCHORS))
    moments = instants(anchor)
    aggregation = draw(st.sampled_from([Aggregation.SUM, Aggregation.SUM, *Aggregation]))
    granted = draw(grants(moments))
    return RawHistory(
        anchor=anchor,
        aggregation=aggregation,
        allowances=draw(allowances(moments)),
        grants=granted,
        events=draw(events(aggregation, anchor, moments)),
        actions=draw(actions(moments, granted)),
        policies=draw(policies(moments)),
    )


@st.composite
def debt_histories(draw: st.DrawFn) -> RawHistory:
    """Paid grants, burned early, then refunded and disputed again and again while others pay the debts."""
    anchor = draw(st.sampled_from(ANCHORS[:3]))
    moments = instants(anchor)[3:11]
    granted = tuple(
        Grant(
            id=f"g{number}",
            quantity=draw(st.integers(1, 12)),
            effective_at=draw(st.sampled_from(moments[:-2])),
            expires_at=draw(st.sampled_from([None, None, moments[-1]])),
            created_at=moments[0],
            paid_cents=draw(st.sampled_from([10, 10, 100])),
        )
        for number in range(draw(st.integers(2, 5)))
    )
    used = st.builds(Event, st.sampled_from(moments), st.integers(-6, 15))
    return RawHistory(
        anchor=anchor,
        aggregation=Aggregation.SUM,
        allowances=draw(allowances(moments, unlimited=False)),
        grants=granted,
        events=tuple(never_below_zero(anchor, draw(st.lists(used, min_size=1, max_size=6)))),
        actions=draw(actions(moments, granted, count=12)),
        policies=draw(policies(moments)) if draw(st.booleans()) else (),
    )


@st.composite
def reports(draw: st.DrawFn) -> RawHistory:
    """Usage alone, of each aggregation as often."""
    anchor, aggregation = draw(st.sampled_from(ANCHORS)), draw(st.sampled_from(Aggregation))
    made = draw(events(aggregation, anchor, instants(anchor)[2:12]))
    return RawHistory(anchor, aggregation, (Allowance(anchor, 0),), events=made)


def looking_at(raw: RawHistory) -> list[datetime]:
    """Moments worth asking about: every instant of the history, one second before and after, and long after."""
    moments = instants(raw.anchor)
    beside = {moment + step for moment in moments for step in (-SECOND, timedelta(0), SECOND)}
    return sorted(beside | {moments[-1] + timedelta(days=400)})
