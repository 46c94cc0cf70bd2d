"""What refunds and disputes of a payment take from each of the grants that it paid for (credits.md, rules 9 and 10).

A provider gives back a payment, not a line of it. So what was given back is spread over the payment's parts in
proportion to what each cost, in whole cents by largest remainder, ties in line order; a part that a refund names gets
it alone. No part ever gives back more than it cost. Amounts are whole cents of one currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing_app.domain.credits.facts import DisputeStatus


class RefundStatus(StrEnum):
    """How far a refund is."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"
    FAILED = "failed"

    @property
    def counts(self) -> bool:
        """Whether its money is with the payer, or on its way."""
        return self not in (RefundStatus.CANCELED, RefundStatus.FAILED)

    @property
    def rank(self) -> int:
        """A refund only ever goes to a higher one: a lower one is an older reading."""
        return {"pending": 0, "requires_action": 0, "succeeded": 1}.get(self.value, 2)


class DisputeStage(StrEnum):
    """How far a dispute is, in the provider's words. An inquiry (`warning_`) takes no money."""

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    PREVENTED = "prevented"

    @property
    def status(self) -> DisputeStatus | None:
        """What it means for the credits; None for an inquiry, which holds nothing."""
        if self in (DisputeStage.NEEDS_RESPONSE, DisputeStage.UNDER_REVIEW):
            return DisputeStatus.OPENED
        if self is DisputeStage.LOST:
            return DisputeStatus.LOST
        if self in (DisputeStage.WON, DisputeStage.WARNING_CLOSED, DisputeStage.PREVENTED):
            return DisputeStatus.WON
        return None

    @property
    def rank(self) -> int:
        """A dispute only ever goes to a higher one; an inquiry may become a dispute, also after it was closed."""
        ranks = {"warning_needs_response": 0, "warning_under_review": 0, "warning_closed": 1}
        return ranks.get(self.value, 2 if self.status is DisputeStatus.OPENED else 3)


@dataclass(frozen=True, slots=True)
class Part:
    """What one grant cost of a payment; parts come in line order. `id` is empty for what is not a grant of ours."""

    id: str
    paid_cents: int


@dataclass(frozen=True, slots=True)
class RefundFact:
    """A refund as it stands. `part` is the grant that it names; empty: it is of the payment as a whole."""

    id: str
    amount_cents: int
    status: RefundStatus
    part: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DisputeFact:
    """A dispute as it stands."""

    id: str
    amount_cents: int
    stage: DisputeStage
    created_at: datetime


def spread(amount_cents: int, rooms: Sequence[int], weights: Sequence[int]) -> list[int]:
    """`amount_cents` over parts in proportion to `weights`, none above its room: whole cents by largest remainder.

    What a full part cannot take goes to the others in the same proportion. What no part has room for is left out.
    """
    shares = [0] * len(rooms)
    rest = min(amount_cents, sum(rooms))
    while rest > 0:
        free = [index for index, room in enumerate(rooms) if room > shares[index]]
        weighed = [index for index in free if weights[index]] or free
        total = sum(weights[index] for index in weighed)
        wanted = _by_largest_remainder(rest, [weights[index] if total else 1 for index in weighed])
        over = [index for index, part in zip(weighed, wanted, strict=True) if part >= rooms[index] - shares[index]]
        # Full parts are settled first; only when none overflows is everybody's part what proportion says.
        for index, part in zip(weighed, wanted, strict=True):
            if not over or index in over:
                part = min(part, rooms[index] - shares[index])
                shares[index] += part
                rest -= part
    return shares


def _by_largest_remainder(amount: int, weights: Sequence[int]) -> list[int]:
    total = sum(weights)
    parts = [amount * weight // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: (-(amount * weights[index] % total), index))
    for index in order[: amount - sum(parts)]:
        parts[index] += 1
    return parts


def refunded(parts: Sequence[Part], refunds: Iterable[RefundFact]) -> dict[str, int]:
    """What was given back of each part so far, by its id, never above what it cost.

    What names a part comes first; then the rest of all refunds together is spread.
    """
    known = {part.id for part in parts if part.id}
    named = dict.fromkeys(known, 0)
    whole = 0
    for refund in refunds:
        if refund.status.counts:
            if refund.part in known:
                named[refund.part] += refund.amount_cents
            else:
                whole += refund.amount_cents
    own = [min(named.get(part.id, 0), part.paid_cents) for part in parts]
    # A refund that names a part but is larger than it (nothing of ours makes one) is of the payment for the excess.
    whole += sum(named.values()) - sum(own)
    rooms = [part.paid_cents - cents for part, cents in zip(parts, own, strict=True)]
    shares = spread(whole, rooms, [part.paid_cents for part in parts])
    return {part.id: cents + share for part, cents, share in zip(parts, own, shares, strict=True) if part.id}


def disputed(
    parts: Sequence[Part], given_back: Mapping[str, int], disputes: Iterable[DisputeFact]
) -> dict[str, dict[str, int]]:
    """What each dispute is about of each part, in cents: {dispute id: {part id: cents}}.

    Lost disputes come before open ones and leave them less: with refunds, never more than a part cost.
    """
    room = [part.paid_cents - given_back.get(part.id, 0) for part in parts]
    weights = [part.paid_cents for part in parts]
    found = {}
    for dispute in sorted(disputes, key=lambda each: (each.stage is not DisputeStage.LOST, each.created_at, each.id)):
        shares = spread(dispute.amount_cents, room, weights)
        found[dispute.id] = {part.id: share for part, share in zip(parts, shares, strict=True) if part.id}
        if dispute.stage is DisputeStage.LOST:
            room = [before - share for before, share in zip(room, shares, strict=True)]
    return found
