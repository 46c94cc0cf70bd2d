"""Gift cards and tokens on the product's database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from billing_app.db import Session
from billing_app.domain.common.access import Role
from billing_app.services.catalogue import versions
from billing_app.services.common.organizations import Organization
from billing_app.services.credits import gift_cards
from billing_app.services.credits import tokens as token_service
from billing_app.services.credits.views_cards import BroughtView, TokensView

if TYPE_CHECKING:
    from billing_app.ui.desk import Visitor


class ServiceCardsDesk:
    """What pages read."""

    session: Session
    organization: Organization
    now: datetime

    def tokens(self) -> TokensView:
        """What is left, and what it may become."""
        return token_service.look(self.session, self.organization, self.now)


class ServiceCardsDesks:
    """What pages do."""

    def _enter(self, visitor: Visitor, roles: frozenset[Role]) -> AbstractContextManager[Any]:
        raise NotImplementedError

    def redeem(self, visitor: Visitor, roles: frozenset[Role], code: str) -> BroughtView:
        """Redeems a gift card: a wrong code is counted before it is looked at."""
        with self._enter(visitor, roles) as entered:
            gift_cards.begin(entered.session, entered.organization, entered.now)
        with self._enter(visitor, roles) as entered:
            got = gift_cards.redeem(entered.session, entered.organization, code, entered.now, actor=entered.actor)
            current = versions.current(entered.session, entered.now)
            brought = tuple((current.metric(grant.metric), grant.quantity) for grant in got.grants)
        return BroughtView(got.name, brought)

    def convert(self, visitor: Visitor, roles: frozenset[Role], metric: str, tokens: int, key: str) -> BroughtView:
        """Turns tokens into credits of a metric, once per key."""
        with self._enter(visitor, roles) as entered:
            done = token_service.convert(
                entered.session, entered.organization, metric, tokens, entered.now,
                key=f"page {key}", actor=entered.actor,
            )  # fmt: skip
            made = versions.current(entered.session, entered.now).metric(done.metric)
        return BroughtView(done.reason, ((made, done.quantity),))
