"""Voids, refunds and disputes: what takes credits back, and what gives them back again (rules 8, 9, 10)."""

from __future__ import annotations

from datetime import datetime

from billing_app.domain.credits.conversions import convert
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.facts import Action, Conversion, Dispute, DisputeStatus, Refund, RefundPolicy, Void
from billing_app.domain.credits.positions import Position


def apply_action(state: State, at: datetime, action: Action) -> None:
    """Lets a void, refund, conversion or a dispute's new status happen to its grant.

    An unknown grant is nobody's business.
    """
    position = state.positions.get(action.grant_id)
    if position is None:
        return
    if isinstance(action, Void):
        _void(state, at, position)
    elif isinstance(action, Refund):
        position.refunded_cents = min(action.refunded_cents, position.grant.paid_cents)
        _meet_demand(state, at, position)
    elif isinstance(action, Conversion):
        convert(state, at, position, action)
    else:
        _dispute(state, at, position, action)
    state.settle_open(position)
    state.settle_debt(position)


def _void(state: State, at: datetime, position: Position) -> None:
    """Forfeits what is left and what is on hold, never what was burned; twice is once (rule 8, fine point 7)."""
    position.void = True
    held, gone = position.held, position.pending + position.left + position.held
    position.voided += gone
    position.pending = position.left = position.held = 0
    if position.effective:
        state.note(at, "unhold", held, position.grant.id)
        state.note(at, "void", -gone, position.grant.id)


def _dispute(state: State, at: datetime, position: Position, dispute: Dispute) -> None:
    """Opened holds, won gives back, lost is a refund; repeating a status or what follows `lost` changes nothing."""
    before = position.disputes.get(dispute.dispute_id)
    if before is dispute.status or before is DisputeStatus.LOST:
        return
    position.disputes[dispute.dispute_id] = dispute.status
    if dispute.status is DisputeStatus.OPENED:
        _hold(state, at, position)
        return
    if dispute.status is DisputeStatus.LOST:
        if dispute.amount_cents is None:
            position.wholly_lost = True
        else:
            position.lost_cents += dispute.amount_cents
        _meet_demand(state, at, position)
    if not position.disputed:
        _unhold(state, at, position)


def _hold(state: State, at: datetime, position: Position) -> None:
    """What is left is on hold, not spendable."""
    held = position.pending + position.left
    position.held += held
    position.pending = position.left = 0
    if position.effective:
        state.note(at, "hold", -held, position.grant.id)


def _unhold(state: State, at: datetime, position: Position) -> None:
    """What was on hold comes back, or expires at once; it pays the running period's deficit (fine point 9)."""
    held, position.held = position.held, 0
    if not held:
        return
    if position.effective:
        state.note(at, "unhold", held, position.grant.id)
    _return(state, at, position, held)


def _return(state: State, at: datetime, position: Position, quantity: int) -> None:
    """Credits that come back to a grant find their place; where they are spendable, an open deficit takes them."""
    place = position.put_back(quantity)
    if place == "expired":
        state.month.expired += quantity
        state.note(at, "expire", -quantity, position.grant.id)
    elif place == "voided":
        state.note(at, "void", -quantity, position.grant.id)
    elif place == "held":
        state.note(at, "hold", -quantity, position.grant.id)
    elif place == "left":
        state.pay_deficit(at, position)


def _meet_demand(state: State, at: datetime, position: Position) -> None:
    """Takes or gives back until what was asked is what refunds and lost disputes demand (rule 9)."""
    change = position.demand - position.asked
    position.asked = position.demand
    if change > 0:
        _take_back(state, at, position, change)
    elif change < 0:
        _give_back(state, at, position, -change)


def _take_back(state: State, at: datetime, position: Position, wanted: int) -> None:
    """First what is there, then what had ended anyway, then debts that it paid are owed again, then what was burned."""
    held = position.held
    rest = wanted - position.take(wanted)
    if position.effective:
        state.note(at, "unhold", held - position.held, position.grant.id)
        state.note(at, "refund", rest - wanted, position.grant.id)
    rest -= position.count_ended(rest)
    rest -= _owe_again(state, at, position, rest)
    before = position.debt
    position.owe(rest, forgive=state.policy.refund_shortfall is RefundPolicy.FORGIVE)
    state.note(at, "debt", before - position.debt, None, origin=position.grant.id)


def _owe_again(state: State, at: datetime, payer: Position, wanted: int) -> int:
    """The debts that a refunded grant had paid are owed again, the latest first (fine point 6)."""
    rest = wanted
    while rest and payer.settlements:
        origin_id, paid = payer.settlements.pop()
        part = min(rest, paid)
        if part < paid:
            payer.settlements.append((origin_id, paid - part))
        _move_settlement(state, at, payer, state.positions[origin_id], part)
        payer.reowed.append((origin_id, part))
        rest -= part
    return wanted - rest


def _move_settlement(state: State, at: datetime, payer: Position, origin: Position, quantity: int) -> None:
    """Turns `quantity` that `payer` settled of `origin`'s debt into a refund of the payer; negative turns it back."""
    payer.settled -= quantity
    payer.taken += quantity
    origin.debt += quantity
    origin.debt_paid -= quantity
    state.note(at, "settle", quantity, payer.grant.id)
    state.note(at, "refund", -quantity, payer.grant.id)
    state.note(at, "settle", -quantity, None, origin=origin.grant.id)
    state.settle_debt(origin)


def _give_back(state: State, at: datetime, position: Position, quantity: int) -> None:
    """A refund that failed cancels unpaid debt first, then returns to left (fine point 8)."""
    rest = quantity
    part = min(rest, position.debt)
    position.debt -= part
    rest -= part
    state.note(at, "debt", part, None, origin=position.grant.id)
    rest -= _settle_again(state, at, position, rest)
    part = min(rest, position.forgiven)
    position.forgiven -= part
    rest -= part
    part = min(rest, position.taken)
    position.taken -= part
    rest -= part
    if part:
        if position.effective:
            state.note(at, "refund", part, position.grant.id)
        _return(state, at, position, part)
    rest -= _return_to_payers(state, at, position, rest)
    position.counted -= min(rest, position.counted)


def _settle_again(state: State, at: datetime, payer: Position, wanted: int) -> int:
    """Debts that came back because this grant was refunded, and are still unpaid, are paid by it again."""
    rest, kept = wanted, []
    for origin_id, reowed in reversed(payer.reowed):
        origin = state.positions[origin_id]
        part = min(rest, reowed, origin.debt, payer.taken)
        if part:
            _move_settlement(state, at, payer, origin, -part)
            payer.settlements.append((origin_id, part))
            rest -= part
        if reowed > part:
            kept.append((origin_id, reowed - part))
    payer.reowed = kept[::-1]
    return wanted - rest


def _return_to_payers(state: State, at: datetime, origin: Position, wanted: int) -> int:
    """The debt of `origin` that others have paid was never owed: it goes back to them, the latest payer first."""
    rest = min(wanted, origin.debt_paid)
    returned = rest
    payers = sorted(state.positions.values(), key=lambda p: (p.grant.effective_at, p.grant.burn_key), reverse=True)
    for payer in payers:
        for index in range(len(payer.settlements) - 1, -1, -1):
            origin_id, paid = payer.settlements[index]
            part = min(rest, paid) if origin_id == origin.grant.id else 0
            if not part:
                continue
            payer.settlements[index : index + 1] = [(origin_id, paid - part)] if paid > part else []
            payer.settled -= part
            origin.debt_paid -= part
            rest -= part
            state.note(at, "settle", part, payer.grant.id)
            state.note(at, "settle", -part, None, origin=origin.grant.id)
            state.note(at, "debt", part, None, origin=origin.grant.id)
            _return(state, at, payer, part)
            state.settle_open(payer)
    return returned
