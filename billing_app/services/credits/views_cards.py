"""What tokens may become, and what a gift card or a conversion brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from billing_app.domain.catalogue import Metric


@dataclass(frozen=True, slots=True)
class RateView:
    """`tokens` tokens become `quantity` base units of the metric."""

    metric: Metric
    tokens: int
    quantity: int


@dataclass(frozen=True, slots=True)
class TokensView:
    """How many tokens are left, and what they may become."""

    left: int
    rates: tuple[RateView, ...]


@dataclass(frozen=True, slots=True)
class BroughtView:
    """What came of it: the name of the card or the reason, and quantities by metric."""

    name: str
    quantities: tuple[tuple[Metric, int], ...]


class CardState(StrEnum):
    """What a card can still do."""

    OPEN = "open"
    USED_UP = "used_up"
    EXPIRED = "expired"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class CardView:
    """A card as operators see it. `hint` is the end of its code."""

    id: UUID
    batch_id: UUID
    name: str
    hint: str
    contents: Mapping[str, int]
    expires_at: datetime | None
    max_redemptions: int
    redemptions: int
    created_at: datetime
    created_by: str
    voided_at: datetime | None
    void_reason: str
    state: CardState


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card just made. `code` is shown now and never again."""

    view: CardView
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Redemption:
    """Who redeemed a card, and when."""

    address: str
    name: str
    redeemed_at: datetime
    actor: str
