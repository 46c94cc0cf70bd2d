"""What tokens may become, and what a gift card or a conversion brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from billing_app.domain.catalogue import Metric
from billing_app.services.common.answers import MetricId


@dataclass(frozen=True, slots=True)
class RateAnswer:
    """So many tokens become so much of a metric."""

    metric: MetricId
    tokens: int
    quantity: int


@dataclass(frozen=True, slots=True)
class TokensAnswer:
    """Tokens that are left, and what they may become."""

    left: int
    rates: tuple[RateAnswer, ...]


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
class GiftCardAnswer:
    """A card. `hint` is the end of its code, which is not stored."""

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
class NewGiftCardAnswer(GiftCardAnswer):
    """A card with its code, shown this once."""

    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RedemptionAnswer:
    """An organization that redeemed a card."""

    address: str
    name: str
    redeemed_at: datetime
    actor: str
