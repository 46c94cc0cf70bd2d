"""Subscriptions at Stripe: how they are read, begun, changed and ended.

What is to change at a period's end is a subscription schedule of Stripe's own, so that it happens whether or not we are
there. A schedule owns its subscription: whatever else changes that releases the schedule first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import stripe

from billing_app.domain.purchases.recurring import Change, ItemChange
from billing_app.gateways.payments import OpenCheckout
from billing_app.gateways.prices import Price
from billing_app.gateways.stripe import mapping as reading
from billing_app.gateways.stripe.connection import (
    MAX_LISTED,
    StripeSessions,
    digest,
    replayed,
    translated,
)
from billing_app.gateways.subscriptions import (
    ENDED,
    Item,
    LatestInvoice,
    NewSubscription,
    Preview,
    PreviewLine,
    Scheduled,
    Status,
    Subscription,
)

EXPAND = ["latest_invoice", "schedule.phases.items.price"]
"""What a reading shows beside the subscription itself."""


class StripeSubscriptions(StripeSessions):
    """What is asked of Stripe about subscriptions."""

    def subscription(self, subscription_id: str) -> Subscription:
        """A subscription as it stands now. Raises NotFoundError `subscription_not_found`."""
        with translated(missing="subscription"):
            return read(self._read("subscriptions.retrieve", subscription_id, expand=EXPAND))

    def subscriptions_of(self, customer_id: str) -> list[Subscription]:
        """All of a customer's, ended ones too, newest first."""
        wanted: dict[str, Any] = {"customer": customer_id, "status": "all", "limit": MAX_LISTED}
        with translated(missing="customer"):
            # Prices inside of schedules would be a level too deep here: whoever needs them reads the one by its id.
            wanted["expand"] = ["data.latest_invoice"]
            found = self._read("subscriptions.list", **wanted)
        return [read(each) for each in found["data"]]

    def create_subscription_checkout(self, wanted: NewSubscription) -> OpenCheckout:
        """Begins a subscription on Stripe's hosted page, where promotion codes may be entered."""
        metadata = dict(wanted.metadata)
        data: dict[str, Any] = {"metadata": metadata}
        if wanted.trial_days:
            data["trial_period_days"] = wanted.trial_days
        if wanted.anchor is not None:
            data |= {"billing_cycle_anchor": _seconds(wanted.anchor), "proration_behavior": "create_prorations"}
        asked: dict[str, Any] = {
            "mode": "subscription",
            "customer": wanted.customer_id,
            "line_items": [{"price": price, "quantity": count} for price, count in wanted.lines],
            "success_url": wanted.success_url,
            "cancel_url": wanted.cancel_url,
            "client_reference_id": wanted.reference,
            "metadata": metadata,
            "subscription_data": data,
            "allow_promotion_codes": True,
        }
        if wanted.expires_at is not None:
            asked["expires_at"] = _seconds(wanted.expires_at)
        return self._begin_checkout(wanted.key, asked)

    def preview_change(self, subscription: Subscription, price_id: str, at: datetime) -> Preview:
        """What `change_price` with the same arguments would charge at once."""
        wanted: dict[str, Any] = {
            "customer": subscription.customer_id,
            "subscription": subscription.id,
            "subscription_details": _change(subscription, price_id, at),
        }
        with translated(missing="subscription"):
            found = self._v1.invoices.create_preview(wanted).to_dict()  # ty: ignore[invalid-argument-type]
        lines = tuple(_preview_line(line) for line in found["lines"]["data"])
        ends = max((line["period"]["end"] for line in found["lines"]["data"]), default=0)
        if subscription.status is Status.TRIALING:
            # Nothing is due in a trial: Stripe shows the invoice that its end will bring.
            return Preview(at, found["currency"], 0, 0, (), subscription.item.period_end)
        return Preview(at, found["currency"], found["total"], found["amount_due"], lines, reading.moment(ends))

    def change_price(self, key: str, subscription: Subscription, price_id: str, at: datetime) -> Subscription:
        """Bills another price from now on, and what that comes to at once; all or nothing."""
        self._release(subscription)
        wanted = _change(subscription, price_id, at) | {
            "payment_behavior": "error_if_incomplete",
            "cancel_at_period_end": False,
            "expand": EXPAND,
        }
        with translated(missing="subscription"):
            found = self._v1.subscriptions.update(
                subscription.id,
                wanted,  # ty: ignore[invalid-argument-type]
                {"idempotency_key": key},
            )
        # Stripe repeats how it stood then: what is mirrored is how it stands now.
        return self.subscription(subscription.id) if replayed(found) else read(found.to_dict())

    def schedule_price(self, subscription: Subscription, price: Price) -> Subscription:
        """Bills another price from the end of the running period on; what was scheduled before is forgotten."""
        if subscription.cancel_at_period_end:
            self.set_ending(subscription, ends=False)
        with translated(missing="subscription"):
            schedules = self._v1.subscription_schedules
            if subscription.schedule_id:
                schedule = schedules.retrieve(subscription.schedule_id).to_dict()
            else:
                schedule = schedules.create({"from_subscription": subscription.id}).to_dict()
            schedules.update(schedule["id"], _phases(subscription, schedule, price))  # ty: ignore[invalid-argument-type]
        return self.subscription(subscription.id)

    def unschedule(self, subscription: Subscription) -> Subscription:
        """Nothing changes at the period's end after all."""
        self._release(subscription)
        return self.subscription(subscription.id)

    def set_ending(self, subscription: Subscription, *, ends: bool) -> Subscription:
        """It ends with its running period, or goes on after all; what was scheduled is forgotten."""
        self._release(subscription)
        if subscription.cancel_at_period_end == ends and (ends or subscription.cancel_at is None):
            return self.subscription(subscription.id)  # it is so already
        with translated(missing="subscription"):
            found = self._v1.subscriptions.update(subscription.id, {"cancel_at_period_end": ends, "expand": EXPAND})
        return read(found.to_dict())

    def end_now(self, subscription: Subscription) -> Subscription:
        """It ends at once; what is left of the paid period is not given back."""
        self._release(subscription)
        with translated(missing="subscription"):
            try:
                self._v1.subscriptions.cancel(subscription.id)
            except stripe.InvalidRequestError:
                if self.subscription(subscription.id).status not in ENDED:
                    raise
        return self.subscription(subscription.id)

    def pause(self, subscription: Subscription) -> Subscription:
        """Bills nothing until it is resumed; what is left of the period becomes credit."""
        self._release(subscription)
        if subscription.status is not Status.PAUSED:
            with translated(missing="subscription"):
                self._v1.subscriptions.pause(
                    subscription.id, {"type": "subscription"}, {"idempotency_key": _once("pause", subscription)}
                )
        return self.subscription(subscription.id)

    def resume(self, subscription: Subscription, now: datetime) -> Subscription:
        """A paused one begins a new period now, and is billed for it; a trial that has not ended goes on, unbilled."""
        asked: dict[str, Any] = {"billing_cycle_anchor": {"type": "now"}}
        if subscription.trial_end is not None and subscription.trial_end > now:
            asked = {"billing_cycle_anchor": {"type": "unchanged"}, "proration_behavior": "none"}
        if subscription.status is Status.PAUSED:
            with translated(missing="subscription"):
                self._v1.subscriptions.resume(
                    subscription.id,
                    asked,  # ty: ignore[invalid-argument-type]
                    {"idempotency_key": _once("resume", subscription)},
                )
        return self.subscription(subscription.id)

    def portal(self, customer_id: str, return_url: str) -> str:
        """The address of Stripe's pages for this customer. It works once, soon."""
        with translated():
            return self._v1.billing_portal.sessions.create({"customer": customer_id, "return_url": return_url}).url

    def _release(self, subscription: Subscription) -> None:
        if subscription.schedule_id:
            with translated(missing="subscription"):
                self._v1.subscription_schedules.release(subscription.schedule_id)

    def change_packs(self, key: str, subscription_id: str, change: Change) -> Subscription:
        """Bills other packs from the next renewal on, without proration; the subscription afterwards."""
        wanted: dict[str, Any] = {"cancel_at_period_end": change.ends, "expand": EXPAND}
        if change.items:
            wanted |= {"items": [_pack_item(each) for each in change.items], "proration_behavior": "none"}
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


def read(found: reading.Object) -> Subscription:
    """A subscription of Stripe's as ours, with its latest invoice and schedule as far as they were expanded."""
    collection = found.get("pause_collection") or {}
    paused = ((found.get("status_details") or {}).get("paused") or {}).get("transitioned_at")
    return Subscription(
        id=found["id"],
        customer_id=reading.id_of(found["customer"]),
        status=Status(found["status"]),
        items=tuple(_item(item) for item in found["items"]["data"]),
        metadata=dict(found.get("metadata") or {}),
        started_at=reading.moment(found["start_date"]),
        trial_end=_moment(found.get("trial_end")),
        cancel_at_period_end=bool(found.get("cancel_at_period_end")),
        cancel_at=_moment(found.get("cancel_at")),
        ended_at=_moment(found.get("ended_at")),
        paused_at=_moment(paused) if found["status"] == Status.PAUSED else None,
        latest_invoice=_latest(found.get("latest_invoice")),
        discounts=tuple(reading.id_of(each) for each in found.get("discounts") or ()),
        schedule_id=reading.id_of(found.get("schedule")),
        scheduled=_scheduled(found),
        collection=collection.get("behavior") or "",
        collection_resumes_at=_moment(collection.get("resumes_at")),
    )


def _once(deed: str, subscription: Subscription) -> str:
    """The same deed to a subscription that stands as it stood is one deed, however often it is asked for."""
    stands = (subscription.item.period_start, subscription.item.period_end, subscription.paused_at)
    return f"{deed}:{subscription.id}:{digest(stands)}"


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else reading.moment(seconds)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _item(item: reading.Object) -> Item:
    return Item(
        id=item["id"],
        price=reading.price(item["price"]),
        count=1 if item.get("quantity") is None else item["quantity"],
        period_start=reading.moment(item["current_period_start"]),
        period_end=reading.moment(item["current_period_end"]),
    )


def _latest(found: Any) -> LatestInvoice | None:
    if not isinstance(found, Mapping):
        return None
    moments = found.get("status_transitions") or {}
    return LatestInvoice(
        found["id"], found["status"], _moment(moments.get("finalized_at")), _moment(moments.get("paid_at"))
    )


def _later_phases(schedule: reading.Object) -> Iterator[reading.Object]:
    """The phases that are still to come."""
    running = (schedule.get("current_phase") or {}).get("end_date")
    return (phase for phase in schedule.get("phases") or () if running and phase["start_date"] >= running)


def _scheduled(found: reading.Object) -> Scheduled | None:
    schedule = found.get("schedule")
    if not isinstance(schedule, Mapping):
        return None
    for phase in _later_phases(schedule):
        price = phase["items"][0]["price"] if phase["items"] else None
        if isinstance(price, Mapping) and price["id"] != found["items"]["data"][0]["price"]["id"]:
            return Scheduled(reading.moment(phase["start_date"]), reading.price(price))
    return None


def _change(subscription: Subscription, price_id: str, at: datetime) -> dict[str, Any]:
    """The same for a preview and for doing it, or they would not cost the same."""
    return {
        "items": [{"id": subscription.item.id, "price": price_id}],
        "proration_behavior": "always_invoice",
        "proration_date": _seconds(at),
    }


def _phases(subscription: Subscription, schedule: reading.Object, price: Price) -> dict[str, Any]:
    """The running phase as it is, then one interval of the new price; then the schedule lets the subscription go."""
    now = schedule["current_phase"]
    running: dict[str, Any] = {
        "items": [{"price": item.price.id, "quantity": item.count} for item in subscription.items],
        "start_date": now["start_date"],
        "end_date": _seconds(subscription.item.period_end),
        "proration_behavior": "none",
    }
    if subscription.status is Status.TRIALING:
        running["trial"] = True
    after: dict[str, Any] = {
        "items": [{"price": price.id, "quantity": subscription.item.count}],
        "duration": {"interval": price.interval, "interval_count": 1},
        "proration_behavior": "none",
    }
    if subscription.discounts:
        kept = [{"discount": each} for each in subscription.discounts]
        running["discounts"] = after["discounts"] = kept
    return {"end_behavior": "release", "proration_behavior": "none", "phases": [running, after]}


def _preview_line(line: reading.Object) -> PreviewLine:
    return PreviewLine(line.get("description") or "", line["amount"])


def _pack_item(change: ItemChange) -> dict[str, Any]:
    if not change.count:
        return {"id": change.item_id, "deleted": True}
    if not change.item_id:
        return {"price": change.price_id, "quantity": change.count}
    return {"id": change.item_id, "quantity": change.count}
