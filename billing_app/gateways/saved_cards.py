"""Cards that are saved for later, and charged without their owner. What every method raises is said in `payments`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from billing_app.gateways.payments import OpenCheckout


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
