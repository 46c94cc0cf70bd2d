"""Subscriptions at the payment provider: how they stand, and everything that can be done to them.

Money is whole minor units, moments are aware UTC datetimes. What every method raises is said in `payments`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from billing_app.domain.purchases.recurring import Change
from billing_app.gateways.prices import Price

if TYPE_CHECKING:
    from billing_app.gateways.payments import OpenCheckout


class Status(StrEnum):
    """Where a subscription stands, in the provider's words."""

    INCOMPLETE = "incomplete"
    """Its first payment has not come yet."""
    INCOMPLETE_EXPIRED = "incomplete_expired"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    """All attempts to collect have failed."""
    PAUSED = "paused"
    CANCELED = "canceled"


ENDED = (Status.CANCELED, Status.INCOMPLETE_EXPIRED)
"""For good: nothing brings these back."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is billed: so many of a price."""

    id: str
    price: Price
    count: int
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True, slots=True)
class LatestInvoice:
    """The invoice of the running period, as far as a subscription's standing needs it."""

    id: str
    status: str
    opened_at: datetime | None
    """When it was finalized, which is when its money is first asked for."""
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What a later moment brings: from `at` on it is billed at `price`."""

    at: datetime
    price: Price


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as it stands now. `discounts` are the ids of what makes it cheaper.

    `cancel_at` is when it ends; None while it goes on. `schedule_id` is empty where nothing is scheduled. `collection`
    is what becomes of invoices while nothing is collected: "void", "keep_as_draft" or "mark_uncollectible"; empty while
    the card is charged. `collection_resumes_at` is when it is charged again, if that is known.
    """

    id: str
    customer_id: str
    status: Status
    items: tuple[Item, ...]
    metadata: Mapping[str, str]
    started_at: datetime
    trial_end: datetime | None
    cancel_at_period_end: bool
    cancel_at: datetime | None
    ended_at: datetime | None
    paused_at: datetime | None
    latest_invoice: LatestInvoice | None
    discounts: tuple[str, ...] = ()
    schedule_id: str = ""
    scheduled: Scheduled | None = None
    collection: str = ""
    collection_resumes_at: datetime | None = None

    @property
    def item(self) -> Item:
        """The first item: a plan, or a pack, has one; `subscriptions.plan_first` puts a plan's first."""
        return self.items[0]


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """A subscription to begin on a hosted page: (price id, count) pairs.

    With `trial_days` it begins with a trial. With an `anchor` it is billed anew at that moment, and the part until then
    at once, in proportion. `metadata` is written on the session and on the subscription. `expires_at` is until when the
    page can be paid on; None for as long as the provider likes.
    """

    key: str
    customer_id: str
    lines: tuple[tuple[str, int], ...]
    success_url: str
    cancel_url: str
    reference: str
    metadata: Mapping[str, str]
    trial_days: int = 0
    anchor: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """A line of what would be billed. Amounts of what is given back are negative."""

    description: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would cost at once, if it is made with the same `at`.

    `due_cents` is what the card is charged; `total_cents` is before credit that the customer has. Negative totals
    become credit. `period_end` is until when the new price would then be paid.
    """

    at: datetime
    currency: str
    total_cents: int
    due_cents: int
    lines: tuple[PreviewLine, ...]
    period_end: datetime


class Subscriptions(Protocol):
    """What is asked of a provider about subscriptions."""

    def subscription(self, subscription_id: str) -> Subscription:
        """A subscription as it stands now. Raises NotFoundError `subscription_not_found`."""

    def subscriptions_of(self, customer_id: str) -> list[Subscription]:
        """All of a customer's, ended ones too, newest first."""

    def create_subscription_checkout(self, wanted: NewSubscription) -> OpenCheckout:
        """Begins a subscription on the hosted page."""

    def expire_checkout(self, session_id: str) -> None:
        """Nobody can pay on this page any more; nothing happens to one that is paid or expired."""

    def sold_price(self, sold: str, interval: str) -> Price:
        """The active price of an id that somebody wrote into the catalogue: a price's or a product's.

        Raises NotFoundError `price_not_found` where it has none for "month" or "year".
        """

    def preview_change(self, subscription: Subscription, price_id: str, at: datetime) -> Preview:
        """What `change_price` with the same arguments would charge at once."""

    def change_price(self, key: str, subscription: Subscription, price_id: str, at: datetime) -> Subscription:
        """Bills another price from now on, and what that comes to at once; the subscription afterwards.

        `at` is the moment that the difference is reckoned from. Raises InvalidError `payments_refused` if the card is
        declined; then nothing has changed.
        """

    def schedule_price(self, subscription: Subscription, price: Price) -> Subscription:
        """Bills another price from the end of the running period on; what was scheduled before is forgotten."""

    def unschedule(self, subscription: Subscription) -> Subscription:
        """Nothing changes at the period's end after all."""

    def set_ending(self, subscription: Subscription, *, ends: bool) -> Subscription:
        """It ends with its running period, or goes on after all; what was scheduled is forgotten."""

    def end_now(self, subscription: Subscription) -> Subscription:
        """It ends at once; what is left of the paid period is not given back. One that has ended is as it is."""

    def pause(self, subscription: Subscription) -> Subscription:
        """Bills nothing until it is resumed; what is left of the period becomes credit."""

    def resume(self, subscription: Subscription, now: datetime) -> Subscription:
        """A paused one begins a new period now, and is billed for it; a trial that has not ended goes on, unbilled."""

    def portal(self, customer_id: str, return_url: str) -> str:
        """The address of the provider's pages for this customer: cards, addresses, invoices. It works once, soon."""

    def change_packs(self, key: str, subscription_id: str, change: Change) -> Subscription:
        """Bills other packs from the next renewal on, without proration; the subscription afterwards."""
