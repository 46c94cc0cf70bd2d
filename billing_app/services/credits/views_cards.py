"""What tokens may become, and what a gift card or a conversion brought."""

from __future__ import annotations

from dataclasses import dataclass

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
