"""What is bought again by itself: what pages read of it, and what they change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from billing_app.domain.common.access import Role
from billing_app.services.subscriptions.views_recurring import RenewalsView

if TYPE_CHECKING:
    from billing_app.ui.desk import Visitor


@dataclass(frozen=True, slots=True)
class TopUpEntries:
    """What was typed into the dialog: texts, as a browser sends them. None of it is checked yet."""

    threshold: str = ""
    pack: str = ""
    count: str = "1"
    cap: str = ""
    consent: bool = False


class RenewalsDesk(Protocol):
    """What pages read."""

    def renewals(self, metric: str) -> RenewalsView | None:
        """Packs that renew and the metric's auto top-up (empty: of the metric that comes first); None for who may not.

        Raises NotFoundError `metric_not_found`.
        """


class RenewalsDesks(Protocol):
    """What pages change. Each raises what its service raises; those that talk to Stripe are never on the event loop."""

    def change_renewing(self, visitor: Visitor, roles: frozenset[Role], pack: str, count: int) -> None:
        """So many of a recurring pack from its next renewal on; 0 ends it then. Talks to Stripe."""

    def set_top_up(self, visitor: Visitor, roles: frozenset[Role], metric: str, entries: TopUpEntries) -> str:
        """Turns a metric's auto top-up on with these amounts; where a card is missing, the URL to save one."""

    def stop_top_up(self, visitor: Visitor, roles: frozenset[Role], metric: str) -> None:
        """Turns it off."""

    def save_card(self, visitor: Visitor, roles: frozenset[Role], metric: str) -> str:
        """The URL of a page on which a card is saved. Talks to Stripe."""

    def keep_card(self, visitor: Visitor, roles: frozenset[Role], session_id: str) -> None:
        """Keeps the card that such a page has saved. Talks to Stripe."""
