"""Conversion: credits of a grant become credits of another metric (credits.md, Gift cards and tokens).

The fact names its grant and its quantity, because the credits that were given for them are facts, too. Whatever is
learnt later about the past, what the other metric got stays got: so what a refund or dispute had taken before it is
found all the same, and owed instead.
"""

from __future__ import annotations

from datetime import datetime

from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.facts import Conversion, RefundPolicy
from billing_app.domain.credits.positions import Position


def convert(state: State, at: datetime, position: Position, conversion: Conversion) -> None:
    """Takes what is left of the grant, then what is on hold, then what was taken back, which is owed from now on.

    A grant that is not effective, has ended or is void has nothing to convert.
    """
    if not position.effective or position.ended or position.void:
        return
    grant_id, before = position.grant.id, position.converted
    rest = conversion.quantity - _move(position, "left", conversion.quantity)
    held = _move(position, "held", rest)
    taken = _move(position, "taken", rest - held)
    found = position.converted - before
    if not found:
        return
    position.conversions[conversion.sequence] = found
    state.month.converted += found
    state.burned += found
    state.note(at, "unhold", held, grant_id)
    state.note(at, "refund", taken, grant_id)
    state.note(at, "convert", -found, grant_id, sequence=conversion.sequence)
    if state.policy.refund_shortfall is RefundPolicy.FORGIVE:
        position.forgiven += taken
    else:
        position.debt += taken
        state.note(at, "debt", -taken, None, origin=grant_id)


def _move(position: Position, place: str, wanted: int) -> int:
    """Moves up to `wanted` from `place` to what was converted; answers how much that was."""
    part = min(wanted, getattr(position, place))
    setattr(position, place, getattr(position, place) - part)
    position.converted += part
    return part
