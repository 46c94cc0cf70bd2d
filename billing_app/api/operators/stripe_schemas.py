"""What operators watch and do about money: Stripe's events, comparisons, recounts, refunds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from billing_app.api.common.schemas import WHOLE, Answer, Flag, Request
from billing_app.domain.common.texts import MAX_REASON
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.services.stripe.reconciliation import MAX_DAYS, WINDOW


class EventAnswer(Answer):
    """An event of Stripe's. A failed one without `next_try_at` was given up; a replay tries it again."""

    id: str
    type: str
    state: str
    object_id: str
    address: str = Field(description="the organization that it was about; empty until it was handled")
    attempts: int
    created_at: datetime
    received_at: datetime
    handled_at: datetime | None
    next_try_at: datetime | None
    error: str


class EventWithPayloadAnswer(EventAnswer):
    """The same with what was received."""

    payload: dict[str, Any]


class FindingAnswer(Answer):
    """One difference between Stripe and this console. What is not `repaired` needs a person."""

    code: str
    detail: str
    repaired: bool
    object_id: str
    address: str
    found_at: datetime


class RunAnswer(Answer):
    """One comparison with Stripe. A `stopped` one is continued by the next."""

    id: int
    trigger: str
    dry: bool
    state: str
    since: datetime
    started_at: datetime
    finished_at: datetime | None
    stage: int
    stages: int
    stage_name: str
    compared: int
    repaired: int
    remaining: int
    error: str


class ReportAnswer(RunAnswer):
    """The same with everything that it found."""

    findings: list[FindingAnswer]


class RunRequest(Request):
    """A comparison that is to begin. `dry_run` only says what would be repaired."""

    dry_run: Flag = False
    days: Annotated[int, Field(strict=True, ge=1, le=MAX_DAYS), WHOLE] = WINDOW.days


class StartedAnswer(Answer):
    """It runs by itself from here; `run` is the number of its report."""

    run: int


class RecountAnswer(Answer):
    """One recount of every organization that needed it."""

    id: int
    trigger: str
    as_of: datetime
    started_at: datetime
    finished_at: datetime | None
    organizations_seen: int
    organizations_changed: int
    entries: int
    duration_ms: int | None
    error: str
    repaired: int = Field(description="organizations whose figures a clock that was ahead had brought out of order")


class RecountedAnswer(Answer):
    """What a recount came to."""

    organizations_seen: int
    organizations_changed: int
    entries: int


class RefundRequest(Request):
    """Money to give back for a grant; without an amount all that is left of its price."""

    amount_cents: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY), WHOLE] | None = None
    reason: Annotated[str, StringConstraints(min_length=1, max_length=MAX_REASON)]


class RefundPreviewAnswer(Answer):
    """What giving `amount_cents` back would do, in base units of the metric: `taken_back` from what is left or on hold,
    `debt` of what was used already, `ended` of what had expired or was voided, `forgiven` by the metric's policy.
    """

    grant_id: str
    address: str
    metric: str
    quantity: int
    paid_cents: int
    refunded_cents: int
    refundable_cents: int
    currency: str
    amount_cents: int
    taken_back: int
    ended: int
    debt: int
    forgiven: int
    disputed: bool


class RefundAnswer(Answer):
    """A refund that was made. `refund_id` is Stripe's."""

    id: str
    grant_id: str
    address: str
    amount_cents: int
    currency: str
    reason: str
    state: str
    refund_id: str
    created_at: datetime
