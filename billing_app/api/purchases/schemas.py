"""Buying: packs through Stripe's page, monthly packs, auto top-up, and ending an organization."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from billing_app.api.common.schemas import WHOLE, Answer, Flag, Name, Request
from billing_app.domain.common.money import MAX_AMOUNT_CENTS
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.domain.purchases.baskets import MAX_COUNT, MAX_LINES
from billing_app.domain.purchases.subscriptions import BillingInterval, given_up
from billing_app.services.purchases.status import PurchaseStatus
from billing_app.services.purchases.top_ups import AtOnceAnswer, TopUp, Wanted
from billing_app.services.subscriptions.recurring_packs import RecurringPack


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


class RecurringPackAnswer(Answer):
    """A pack that is bought again every month. `quantity` and `price_cents` are of one.

    `count` is what the running period was paid for, `next_count` what is billed from `renews_at` on; `cancelled` says
    that it is none, so that the pack ends then. While `past_due`, `pay_url` is where the renewal can be paid. While
    Stripe collects nothing, `collection` says what becomes of invoices (keep_as_draft, void, mark_uncollectible) and
    `collection_resumes_at` until when, if that is known; `given_up` is "void" or "uncollectible" where the latest
    invoice is owed no more.
    """

    id: str
    pack: str
    metric: str
    quantity: int
    price_cents: int
    currency: str
    count: int
    next_count: int
    cancelled: bool
    state: Literal["active", "past_due", "ended"]
    renews_at: datetime
    failure: str
    pay_url: str
    started_at: datetime
    ended_at: datetime | None
    collection: str
    collection_resumes_at: datetime | None
    given_up: str

    @classmethod
    def of(cls, row: RecurringPack) -> RecurringPackAnswer:
        """The answer for a stored pack."""
        return cls.model_validate(
            {**row.model_dump(), "cancelled": row.next_count == 0, "given_up": given_up(row.latest_invoice_status)}
        )


class RecurringPackChange(Request):
    """From the next renewal on: so many of it, or `cancelled` true or false."""

    quantity: Annotated[int, Field(strict=True, ge=1, le=MAX_COUNT), WHOLE] | None = None
    cancelled: Flag | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> RecurringPackChange:
        if (self.quantity is None) == (self.cancelled is None):
            raise ValueError("say `quantity` or `cancelled`, one of them")
        return self


class AutoTopUpRequest(Request):
    """What to buy of a metric when its credits fall to `threshold` (base units) or below.

    `count` of `pack` each time, for at most `monthly_cap_cents` per calendar month (UTC). To turn it on, `consent` must
    be true: a person agreed that the saved card is charged without being asked again.
    """

    enabled: Flag
    threshold: Annotated[int, Field(strict=True, ge=0, le=MAX_QUANTITY), WHOLE] = 0
    pack: Name
    count: Annotated[int, Field(strict=True, ge=1, le=MAX_COUNT), WHOLE] = 1
    monthly_cap_cents: Annotated[int, Field(strict=True, ge=1, le=MAX_AMOUNT_CENTS), WHOLE]
    consent: Flag = False

    def wanted(self) -> Wanted:
        """The same for the service."""
        return Wanted(self.enabled, self.threshold, self.pack, self.count, self.monthly_cap_cents, self.consent)


class CardAnswer(Answer):
    """The saved card, as far as anybody may know it."""

    brand: str
    last4: str
    expires_month: int
    expires_year: int
    saved_by: str
    saved_at: datetime


class AutoTopUpAnswer(Answer):
    """The state of a metric's auto top-up. `paid_cents` is what it cost in the running month (UTC).

    `waiting_for_card`: save one first. `resting`: the last charge failed, it tries again at `resting_until`.
    `turned_off`: it failed three times in a row. `at_once` is what it buys as soon as it can.
    """

    metric: str
    state: Literal["off", "on", "waiting_for_card", "resting", "capped", "turned_off"]
    enabled: bool
    threshold: int | None
    pack: str | None
    count: int | None
    monthly_cap_cents: int | None
    currency: str
    paid_cents: int
    card: CardAnswer | None
    failure: str
    resting_until: datetime | None
    capped_until: datetime | None
    consent_text: str
    consent_by: str
    consent_at: datetime | None
    at_once: AtOnceAnswer

    @classmethod
    def of(cls, found: TopUp) -> AutoTopUpAnswer:
        """The answer for a setting."""
        row = found.row
        return cls(
            metric=found.metric.id,
            state=found.state.value,
            enabled=row is not None and row.enabled,
            threshold=row.threshold if row else None,
            pack=row.pack if row else None,
            count=row.count if row else None,
            monthly_cap_cents=row.cap_cents if row else None,
            currency=found.currency,
            paid_cents=found.paid_cents,
            card=CardAnswer.model_validate(found.card) if found.card else None,
            failure=row.failure if row else "",
            resting_until=row.resting_until if row else None,
            capped_until=row.capped_until if row else None,
            consent_text=row.consent_text if row else "",
            consent_by=row.consent_by if row else "",
            consent_at=row.consent_at if row else None,
            at_once=found.at_once,
        )


class CardSetupRequest(Request):
    """Of which metric's credits page the browser comes back to."""

    metric: Name = ""


class EndsWhen(StrEnum):
    """When an organization ends."""

    NOW = "now"
    PERIOD_END = "period_end"


class EndingRequest(Request):
    """Ends the organization `now`, or when everything that is paid has run out (`period_end`)."""

    when: EndsWhen = EndsWhen.PERIOD_END
    reason: Annotated[str, Field(max_length=500)] = ""
