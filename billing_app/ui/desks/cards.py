"""Gift cards and tokens on an organization's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from billing_app.domain.common.access import Role
from billing_app.services.credits.views_cards import BroughtView, TokensView

if TYPE_CHECKING:
    from billing_app.ui.desk import Visitor


class CardsDesk(Protocol):
    """What pages read."""

    def tokens(self) -> TokensView:
        """What is left, and what it may become."""


class CardsDesks(Protocol):
    """What pages do. Each raises what its service raises."""

    def redeem(self, visitor: Visitor, roles: frozenset[Role], code: str) -> BroughtView:
        """Redeems a gift card: a wrong code is counted before it is looked at."""

    def convert(self, visitor: Visitor, roles: frozenset[Role], metric: str, tokens: int, key: str) -> BroughtView:
        """Turns tokens into credits of a metric, once per key."""
