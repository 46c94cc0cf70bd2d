"""What the product asks of a payment provider, in plain facts. `stripe/payments` asks Stripe.

Money is whole minor units with a lower-case ISO currency, moments are aware UTC datetimes, ids are the provider's.
Every method talks over the network, never inside a transaction. All of them raise UnavailableError
`payments_unreachable` (asked in vain; ask again later) or `payments_misconfigured` (the key is refused), and
BillingError `payments_refused` with the provider's reason. Those that take a `key` do their work once per key, however
often they are called; ConflictError `payments_conflict` says that the key was used for something else. What such a key
had made, and is gone or of no use by now, is made anew. GoneError says that what was named by its id is not there any
more, and that nothing was done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from billing_app.domain.common.errors import InvalidError
from billing_app.gateways.invoices import Invoice, Invoices
from billing_app.gateways.listings import Listed, Listings
from billing_app.gateways.prices import ONCE, Offer, Price, Product
from billing_app.gateways.reversals import Refunding
from billing_app.gateways.subscriptions import Subscription, Subscriptions


class GoneKind(StrEnum):
    """What it was that is gone."""

    CUSTOMER = "customer"
    PAYMENT_METHOD = "payment_method"
    INVOICE = "invoice"


class GoneError(InvalidError):
    """Something was named that is not there any more; nothing was done. Whoever keeps its id makes another."""

    code = "payments_refused"

    def __init__(self, detail: str, kind: GoneKind) -> None:
        super().__init__(detail)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class NewCardSetup:
    """A hosted page on which a card is saved, for charges without its owner; `metadata` is written on it."""

    key: str
    customer_id: str
    currency: str
    success_url: str
    cancel_url: str
    reference: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A card that was saved. `setup_id` is the saving of it, `setup_metadata` what was written on that."""

    payment_method_id: str
    customer_id: str
    brand: str
    last4: str
    expires_month: int
    expires_year: int
    setup_id: str
    saved_at: datetime
    setup_metadata: Mapping[str, str]


class SavedCards(Protocol):
    """What is asked of a provider about saved cards."""

    def create_card_setup(self, wanted: NewCardSetup) -> OpenCheckout:
        """Begins to save a card on a hosted page."""

    def saved_card(self, session_id: str) -> SavedCard | None:
        """What a page of `create_card_setup` saved; None while it has not. NotFoundError `checkout_not_found`."""

    def card_there(self, payment_method_id: str, customer_id: str) -> bool:
        """Whether a card is still saved for this customer; False once it was taken off, or the customer deleted."""


__all__ = ["ONCE", "Offer", "Price", "Product"]


@dataclass(frozen=True, slots=True)
class Account:
    """Whose key this is. `id` is empty where the key may not know; `livemode` says that money is real."""

    id: str
    livemode: bool


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """An organization that has never bought anything."""

    key: str
    name: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as it stands now: the name and e-mail of its invoices and receipts, empty for none."""

    id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class NewCheckout:
    """A payment to begin: (price id, count) pairs, and where the payer's browser goes afterwards.

    `metadata` is written on the session and on its payment; `reference` is shown in the provider's dashboard.
    """

    key: str
    customer_id: str
    lines: tuple[tuple[str, int], ...]
    success_url: str
    cancel_url: str
    reference: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OpenCheckout:
    """A payment that was begun: the page where the payer pays, until `expires_at`."""

    id: str
    url: str
    expires_at: datetime


class CheckoutState(StrEnum):
    """How far a payment is."""

    OPEN = "open"
    """The payer may still pay; `failure` says why the last attempt failed."""
    PROCESSING = "processing"
    """The payer is done and the money is on its way, which takes days with a bank debit."""
    PAID = "paid"
    EXPIRED = "expired"
    FAILED = "failed"
    """The money never came."""


@dataclass(frozen=True, slots=True)
class PaidLine:
    """A line of a payment. `amount_cents` is all of it, after discounts, taxes included."""

    id: str
    count: int
    amount_cents: int
    currency: str
    price: Price


@dataclass(frozen=True, slots=True)
class Checkout:
    """A payment as it stands now. `lines` and `paid_at` only once it is paid."""

    id: str
    state: CheckoutState
    mode: str
    customer_id: str
    metadata: Mapping[str, str]
    currency: str
    total_cents: int
    paid_at: datetime | None
    payment_id: str | None
    failure: str
    lines: tuple[PaidLine, ...] = ()
    subscription_id: str = ""
    """What it began, in mode `subscription`."""
    invoice: Invoice | None = None
    """What is paid by it, in mode `subscription`, once the payer is done."""
    subscription: Subscription | None = None
    """That subscription as it stands now."""
    setup_id: str = ""
    """What saved the card, in mode `setup`."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """Something that happened at the provider. `payload` is the text as it came.

    `customer_id` and `object_id` are empty where the event names none. `thin` events carry no object; none is ours.
    """

    id: str
    type: str
    created_at: datetime
    livemode: bool
    object_id: str
    customer_id: str
    thin: bool
    payload: str


class Payments(Invoices, Subscriptions, SavedCards, Refunding, Listings, Protocol):
    """A payment provider."""

    def account(self) -> Account:
        """Whose key this is; asked once per process."""

    def prices(self, lookup_keys: Iterable[str]) -> dict[str, Price]:
        """The active prices that have these lookup keys now, with their products."""

    def put_product(self, product: Product) -> None:
        """Makes the product, or changes the one with this id to be like this."""

    def create_price(self, offer: Offer, replaces: str) -> Price:
        """Makes the offer's price, which takes the lookup key over; `replaces` is the price that had it, or empty."""

    def retire_price(self, price_id: str) -> None:
        """Nothing new is sold at this price; what was sold at it stays as it is."""

    def create_customer(self, wanted: NewCustomer) -> str:
        """Makes a customer; its id."""

    def customer_there(self, customer_id: str) -> bool:
        """Whether the customer is still there; False for one that was deleted."""

    def customer(self, customer_id: str) -> Customer | None:
        """The customer as it stands now; None for one that was deleted."""

    def customers_all(self, cursor: str) -> Listed[Customer]:
        """All customers that are there, page by page."""

    def create_checkout(self, wanted: NewCheckout) -> OpenCheckout:
        """Begins a payment."""

    def checkout(self, session_id: str) -> Checkout:
        """A payment as it stands now. Raises NotFoundError `checkout_not_found`."""

    def event(self, event_id: str) -> ReceivedEvent:
        """An event of the last 30 days. Raises NotFoundError `event_not_found`."""
