"""What is bought again by itself, on the product's database and at Stripe."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from billing_app.db import Session
from billing_app.domain.catalogue.entries import cents_in, quantity_in
from billing_app.domain.common.access import MONEY_ROLES, Role
from billing_app.services.access import sessions
from billing_app.services.catalogue import versions
from billing_app.services.common.organizations import Organization
from billing_app.services.credits import labels
from billing_app.services.purchases import read_recurring, recurring_changes, saved_cards, top_ups
from billing_app.services.purchases.orders import Payments
from billing_app.services.purchases.top_ups import Wanted
from billing_app.services.subscriptions.views_recurring import RenewalsView
from billing_app.settings import Settings
from billing_app.ui.desks.renewals import TopUpEntries

if TYPE_CHECKING:
    from billing_app.ui.desk import Visitor


class ServiceRenewalsDesk:
    """What pages read."""

    session: Session
    access: sessions.Access
    organization: Organization
    now: datetime

    def renewals(self, metric: str) -> RenewalsView | None:
        """Packs that renew and the metric's auto top-up; None for who may not buy."""
        if self.access.role not in MONEY_ROLES and self.access.role is not Role.OPERATOR:
            return None
        current = versions.current(self.session, self.now)
        chosen = metric or labels.metric_with_credits(self.session, self.organization, current, metric, self.now).id
        return read_recurring.renewals(self.session, self.organization, chosen, self.now)


class ServiceRenewalsDesks:
    """What pages change."""

    settings: Settings

    def _enter(self, visitor: Visitor, roles: frozenset[Role]) -> AbstractContextManager[Any]:
        raise NotImplementedError

    def _payments(self) -> Payments:
        raise NotImplementedError

    def change_renewing(self, visitor: Visitor, roles: frozenset[Role], pack: str, count: int) -> None:
        """So many of a recurring pack from its next renewal on; 0 ends it then."""
        recurring_changes.change(lambda: self._enter(visitor, roles), self._payments(), pack, count)

    def set_top_up(self, visitor: Visitor, roles: frozenset[Role], metric: str, entries: TopUpEntries) -> str:
        """Turns a metric's auto top-up on with these amounts; where a card is missing, the URL to save one."""
        with self._enter(visitor, roles) as entered:
            current = versions.current(entered.session, entered.now)
            wanted = Wanted(
                enabled=True,
                threshold=quantity_in(entries.threshold, current.metric(metric)),
                pack=entries.pack,
                count=int(entries.count) if entries.count.isascii() and entries.count.isdigit() else 0,
                cap_cents=cents_in(entries.cap, current.currency),
                consent=entries.consent,
            )
            found = top_ups.put(entered.session, entered.organization, metric, wanted, entered.now, actor=entered.actor)
        return self.save_card(visitor, roles, metric) if found.card is None else ""

    def stop_top_up(self, visitor: Visitor, roles: frozenset[Role], metric: str) -> None:
        """Turns it off."""
        off = Wanted(enabled=False, threshold=0, pack="", count=1, cap_cents=1)
        with self._enter(visitor, roles) as entered:
            top_ups.put(entered.session, entered.organization, metric, off, entered.now, actor=entered.actor)

    def save_card(self, visitor: Visitor, roles: frozenset[Role], metric: str) -> str:
        """The URL of a page on which a card is saved."""
        enter, payments = lambda: self._enter(visitor, roles), self._payments()
        return saved_cards.begin(enter, payments, self.settings.public_url, metric).url

    def keep_card(self, visitor: Visitor, roles: frozenset[Role], session_id: str) -> None:
        """Keeps the card that such a page has saved."""
        saved_cards.finish(lambda: self._enter(visitor, roles), self._payments(), session_id)
