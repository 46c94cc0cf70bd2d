"""Changing subscriptions of recurring packs at Stripe."""

from __future__ import annotations

from typing import Any

from billing_app.domain.purchases.recurring import Change, ItemChange
from billing_app.gateways.stripe.connection import StripeConnection, replayed, translated
from billing_app.gateways.stripe.subscriptions import EXPAND, read
from billing_app.gateways.subscriptions import Subscription


class StripePackSubscriptions(StripeConnection):
    """What is asked of Stripe about subscriptions of recurring packs."""

    def change_packs(self, key: str, subscription_id: str, change: Change) -> Subscription:
        """Bills other packs from the next renewal on, without proration; the subscription afterwards."""
        wanted: dict[str, Any] = {"cancel_at_period_end": change.ends, "expand": EXPAND}
        if change.items:
            wanted |= {"items": [_item(each) for each in change.items], "proration_behavior": "none"}
        with translated(missing="subscription"):
            found = self._v1.subscriptions.update(
                subscription_id,
                wanted,  # ty: ignore[invalid-argument-type]
                {"idempotency_key": key},
            )
        if replayed(found):  # Stripe repeats how it stood then
            with translated(missing="subscription"):
                return read(self._read("subscriptions.retrieve", subscription_id, expand=EXPAND))
        return read(found.to_dict())


def _item(change: ItemChange) -> dict[str, Any]:
    if not change.count:
        return {"id": change.item_id, "deleted": True}
    if not change.item_id:
        return {"price": change.price_id, "quantity": change.count}
    return {"id": change.item_id, "quantity": change.count}
