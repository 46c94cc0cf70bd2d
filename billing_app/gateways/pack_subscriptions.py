"""What is asked of a payment provider about subscriptions of recurring packs, beyond reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from billing_app.domain.purchases.recurring import Change

if TYPE_CHECKING:
    from billing_app.gateways.subscriptions import Subscription


class PackSubscriptions(Protocol):
    """Changing what renews. What every method raises is said in `payments`."""

    def change_packs(self, key: str, subscription_id: str, change: Change) -> Subscription:
        """Bills other packs from the next renewal on, without proration; the subscription afterwards."""
