"""Gift cards and tokens of the samples."""

from __future__ import annotations

from billing_app.domain.catalogue import TOKEN
from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import NotFoundError
from billing_app.services.credits.views_cards import BroughtView, RateView, TokensView
from billing_app.ui.desk import Visitor
from tests.ui.samples.facts import MAU


class SampleCardsDesk:
    """Ten tokens."""

    def tokens(self) -> TokensView:
        return TokensView(10, (RateView(MAU, 1, 100),))


class SampleCardsDesks:
    """One code is right."""

    def redeem(self, visitor: Visitor, roles: frozenset[Role], code: str) -> BroughtView:
        if code != "RIGHT":
            raise NotFoundError("There is no gift card with this code.", code="gift_card_not_found")
        return BroughtView("Welcome", ((MAU, 500), (TOKEN, 3)))

    def convert(self, visitor: Visitor, roles: frozenset[Role], metric: str, tokens: int, key: str) -> BroughtView:
        return BroughtView(f"Increase MAU limit by {tokens * 100}", ((MAU, tokens * 100),))
