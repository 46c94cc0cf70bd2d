"""Buying packs through Stripe's hosted page."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from billing_app.api.common.schemas import WHOLE, Answer, Name, Request
from billing_app.domain.purchases.baskets import MAX_COUNT, MAX_LINES
from billing_app.domain.purchases.subscriptions import BillingInterval
from billing_app.services.purchases.status import PurchaseStatus


class CheckoutItem(Request):
    """So many of one pack."""

    pack: Name
    quantity: Annotated[int, Field(strict=True, ge=1, le=MAX_COUNT), WHOLE] = 1


class CheckoutRequest(Request):
    """A basket of packs, or a first subscription to a plan, paid per month or per year."""

    items: Annotated[list[CheckoutItem], Field(min_length=1, max_length=MAX_LINES)] | None = None
    plan: Name | None = None
    interval: BillingInterval = BillingInterval.MONTH

    @model_validator(mode="after")
    def one_of_both(self) -> CheckoutRequest:
        """A basket or a plan: which one is meant if it is both, nobody can tell."""
        if (self.items is None) == (self.plan is None):
            raise ValueError("send either items or a plan")
        return self


class CheckoutAnswer(Answer):
    """A payment that was begun. Send the payer's browser to `url`."""

    url: str
    session_id: str


class PaidGrantAnswer(Answer):
    """What a paid line brought. `quantity` in base units, `paid_cents` after discounts, taxes included."""

    id: str
    metric: str
    quantity: int
    pack: str | None
    paid_cents: int
    currency: str
    effective_at: datetime
    expires_at: datetime | None


class CheckoutStatusAnswer(Answer):
    """Where a payment stands. Open with `processing`: the payer is done, the money is on its way.

    `failure` is a sentence for the payer: why the last attempt failed, or empty.
    """

    status: Literal["open", "paid", "expired", "failed"]
    processing: bool
    total_cents: int
    currency: str
    failure: str
    grants: list[PaidGrantAnswer]

    @classmethod
    def of(cls, found: PurchaseStatus) -> CheckoutStatusAnswer:
        """The answer for a purchase."""
        return cls(
            status=found.state.value,
            processing=found.processing,
            total_cents=found.total_cents,
            currency=found.currency,
            failure=found.failure,
            grants=[PaidGrantAnswer.model_validate(grant) for grant in found.grants],
        )
