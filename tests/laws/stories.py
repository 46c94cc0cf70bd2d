"""Short histories, each about one thing, so that few examples meet its corners."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from billing_app.domain.credits.facts import (
    Action,
    Aggregation,
    Allowance,
    Conversion,
    Dispute,
    DisputeStatus,
    Grant,
    Policy,
    Refund,
    RefundPolicy,
    Void,
)

from .histories import ANCHORS, debt_histories, histories
from .raw import Event, RawHistory

DAYS = [ANCHORS[0] + timedelta(days=number) for number in range(8)]


@st.composite
def stories(draw: st.DrawFn) -> RawHistory:
    """A bought grant or two, used, given back in some way and that again undone, while later ones pay what is owed."""
    ends = st.sampled_from([None, None, DAYS[4]])
    granted = tuple(
        Grant(f"g{number}", draw(st.integers(1, 10)), DAYS[start], draw(ends), DAYS[0], paid_cents=10)
        for number, start in enumerate((0, draw(st.sampled_from([0, 3])), 5))
    )
    corrected = Event(draw(st.sampled_from(DAYS[2:])), draw(st.integers(-4, 4)))
    bought, *later = granted
    made: list[Action] = []
    for sequence in range(draw(st.integers(2, 6))):
        grant = draw(st.sampled_from([bought, bought, bought, *later]))
        at = draw(st.sampled_from([day for day in DAYS[2:] if day >= grant.effective_at]))
        cents = draw(st.integers(0, 10))
        status, amount = draw(st.sampled_from(DisputeStatus)), draw(st.sampled_from([None, cents]))
        made.append(
            draw(
                st.sampled_from(
                    [
                        Refund(at, sequence, grant.id, cents),
                        Refund(at, sequence, grant.id, cents),
                        Refund(at, sequence, grant.id, 10),
                        Dispute(at, sequence, grant.id, status, amount, draw(st.sampled_from(["", "", "second"]))),
                        Dispute(at, sequence, grant.id, status, amount),
                        Void(at, sequence, grant.id),
                        Conversion(at, sequence, grant.id, draw(st.integers(1, grant.quantity))),
                    ]
                )
            )
        )
    shortfall = draw(st.sampled_from([RefundPolicy.DEBT, RefundPolicy.DEBT, RefundPolicy.FORGIVE]))
    return RawHistory(
        anchor=ANCHORS[0],
        aggregation=Aggregation.SUM,
        allowances=(Allowance(ANCHORS[0], 0),),
        grants=granted,
        events=(Event(DAYS[1], draw(st.integers(4, 16))), corrected),
        actions=tuple(made),
        policies=(Policy(ANCHORS[0], refund_shortfall=shortfall),),
    )


@st.composite
def ties(draw: st.DrawFn) -> RawHistory:
    """Grants that differ in one or two places of burn order only, and usage that some of them pay."""
    granted = tuple(
        Grant(
            id=name,
            quantity=draw(st.integers(1, 4)),
            effective_at=draw(st.sampled_from([DAYS[0], DAYS[0], DAYS[1]])),
            expires_at=draw(st.sampled_from([None, DAYS[4], DAYS[4]])),
            created_at=draw(st.sampled_from([DAYS[0], DAYS[0], DAYS[1]])),
            priority=draw(st.sampled_from([50, 50, 50, 1])),
            paid_cents=draw(st.sampled_from([0, 0, 10])),
        )
        for name in draw(st.permutations("abcde"))
    )
    return RawHistory(
        anchor=ANCHORS[0],
        aggregation=Aggregation.SUM,
        allowances=(Allowance(ANCHORS[0], 0),),
        grants=granted,
        events=(Event(DAYS[2], draw(st.integers(1, 12))), Event(DAYS[3], draw(st.integers(-1, 3)))),
    )


@st.composite
def failed_refunds(draw: st.DrawFn) -> RawHistory:
    """Two bought and burned grants are refunded, later ones pay for it, some of those too are, and then it failed."""
    sold = [Grant(name, draw(st.integers(1, 6)), DAYS[0], None, DAYS[0], paid_cents=10) for name in ("first", "other")]
    payers = [
        Grant(
            name, draw(st.integers(1, 5)), DAYS[start], draw(st.sampled_from([None, DAYS[7]])), DAYS[0], paid_cents=10
        )
        for name, start in (("third", 3), ("fourth", 4), ("fifth", 6))
    ]
    cents = st.sampled_from([0, 3, 5, 8, 10])
    told = [
        *((DAYS[2], grant) for grant in draw(st.permutations([*sold, *sold]))),
        (DAYS[4], draw(st.sampled_from(payers[:2]))),
        (DAYS[5], draw(st.sampled_from([*sold, *payers[:2]]))),
        (DAYS[5], draw(st.sampled_from(sold))),
        (DAYS[7], draw(st.sampled_from([*sold, *payers]))),
    ]
    burned = sum(grant.quantity for grant in sold)
    return RawHistory(
        anchor=ANCHORS[0],
        aggregation=Aggregation.SUM,
        allowances=(Allowance(ANCHORS[0], 0),),
        grants=(*sold, *payers),
        events=(Event(DAYS[1], burned - draw(st.integers(0, 2))), Event(DAYS[6], draw(st.integers(0, 2)))),
        actions=tuple(Refund(at, number, grant.id, draw(cents)) for number, (at, grant) in enumerate(told)),
    )


@st.composite
def two_disputes(draw: st.DrawFn) -> RawHistory:
    """Two disputes of one grant open and close in any order, while it is used and corrected."""
    news = draw(st.permutations([("", "opened"), ("second", "opened"), ("", "won"), ("second", "lost"), ("", "lost")]))
    amounts = st.sampled_from([None, 2, 5, 10])
    return RawHistory(
        anchor=ANCHORS[0],
        aggregation=Aggregation.SUM,
        allowances=(Allowance(ANCHORS[0], 0),),
        grants=(
            Grant(
                "disputed",
                draw(st.integers(2, 10)),
                DAYS[0],
                draw(st.sampled_from([None, DAYS[4]])),
                DAYS[0],
                paid_cents=10,
            ),
        ),
        events=(
            Event(DAYS[1], draw(st.integers(1, 3))),
            Event(draw(st.sampled_from(DAYS[2:])), draw(st.integers(-1, 3))),
        ),
        actions=tuple(
            Dispute(DAYS[2 + number], number, "disputed", DisputeStatus(status), draw(amounts), dispute)
            for number, (dispute, status) in enumerate(news)
        ),
    )


@st.composite
def conversions(draw: st.DrawFn) -> RawHistory:
    """Tokens: nothing uses them. They are converted, refunded, disputed, given back; later ones pay what is owed."""
    granted = tuple(
        Grant(
            f"g{number}",
            draw(st.integers(1, 10)),
            DAYS[start],
            draw(st.sampled_from([None, None, DAYS[6]])),
            DAYS[0],
            paid_cents=draw(st.sampled_from([0, 10, 10])),
        )
        for number, start in enumerate((0, 0, 3, 5))
    )
    told = []
    for sequence in range(draw(st.integers(2, 9))):
        grant = draw(st.sampled_from(granted))
        at = draw(st.sampled_from([day for day in DAYS[1:] if day >= grant.effective_at]))
        conversion = Conversion(at, sequence, grant.id, draw(st.integers(1, grant.quantity)))
        other = draw(
            st.sampled_from(
                [
                    Refund(at, sequence, grant.id, draw(st.integers(0, 10))),
                    Dispute(
                        at, sequence, grant.id, draw(st.sampled_from(DisputeStatus)), draw(st.sampled_from([None, 5]))
                    ),
                    Void(at, sequence, grant.id),
                ]
            )
        )
        told.append(other if grant.paid_cents and draw(st.booleans()) else conversion)
    return RawHistory(
        anchor=ANCHORS[0],
        aggregation=Aggregation.SUM,
        allowances=(Allowance(ANCHORS[0], 0),),
        grants=granted,
        actions=tuple(told),
        policies=(Policy(ANCHORS[0], refund_shortfall=draw(st.sampled_from([*RefundPolicy, RefundPolicy.DEBT]))),),
    )


def any_history() -> st.SearchStrategy[RawHistory]:
    """All kinds in turn."""
    return st.one_of(histories(), debt_histories(), stories(), ties(), failed_refunds(), two_disputes(), conversions())
