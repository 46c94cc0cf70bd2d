"""What operators send and get: organizations, grants, gift cards, comparisons with Stripe, recounts and refunds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from billing_app.api.common.schemas import WHOLE, Answer, Flag, Moment, Name, Request
from billing_app.domain.common.texts import MAX_REASON
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.services.credits.gift_cards import MAX_BATCH, MAX_REDEMPTIONS
from billing_app.services.credits.views_cards import NewGiftCardAnswer
from billing_app.services.stripe.reconciliation import MAX_DAYS, WINDOW

Reason = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Amount = Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY), WHOLE]


class ReasonRequest(Request):
    """Why something is done. It is kept, and shown to who asks."""

    reason: Reason


class GrantRequest(Request):
    """Credits given by hand. Without `expires_at` they are valid for a year; null never ends."""

    organization: Name
    metric: Name
    quantity: Amount
    reason: Reason
    effective_at: Moment | None = None
    expires_at: Moment | None = None
    priority: Annotated[int, Field(strict=True, ge=0, le=1_000), WHOLE] = 50
    backdated: Annotated[
        bool,
        Field(
            strict=True, description="recorded late on purpose: credits that have expired already are refused without"
        ),
    ] = False


class GivenAnswer(Answer):
    """A grant as it was recorded; /organizations/{address}/grants says where its credits are."""

    id: str
    metric: str
    quantity: int
    source: str
    reason: str
    paid_cents: int
    effective_at: datetime
    expires_at: datetime | None


class GiftCardRequest(Request):
    """`count` cards, all with the same contents: metric (or `token`) to base units."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    contents: Annotated[dict[Name, Amount], Field(min_length=1, max_length=51)]
    count: Annotated[int, Field(strict=True, ge=1, le=MAX_BATCH), WHOLE] = 1
    max_redemptions: Annotated[int, Field(strict=True, ge=1, le=MAX_REDEMPTIONS), WHOLE] = 1
    expires_at: Moment | None = None


class NewGiftCardsAnswer(Answer):
    """The cards of one batch."""

    items: list[NewGiftCardAnswer]


class RedeemRequest(Request):
    """The code of a gift card, however it was typed."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class RedeemedAnswer(Answer):
    """What a card brought."""

    card_id: UUID
    name: str
    grants: list[GivenAnswer]


class ConvertRequest(Request):
    """`tokens` tokens become credits of `metric` at the catalogue's rate."""

    metric: Name
    tokens: Amount


class ConvertedAnswer(Answer):
    """What a conversion did: `tokens` became `quantity` base units of `metric`."""

    metric: str
    tokens: int
    quantity: int
    reason: str
    grants: list[GivenAnswer]


class NewOrganizationRequest(Request):
    """A new organization. `anchor` fixes its periods; without one they begin now."""

    name: Annotated[str, StringConstraints(max_length=200)] = ""
    address: Name | None = None
    plan: Name | None = None
    anchor: Moment | None = None


class NewOrganizationAnswer(Answer):
    """An organization that was just made."""

    address: str
    name: str
    plan: str
    anchor: datetime


class PlanRequest(Request):
    """Another plan, from now on."""

    plan: Name
    reason: Reason


class PlanHeldAnswer(Answer):
    """The plan that an organization holds."""

    address: str
    plan: str


class OverrideRequest(Request):
    """What stands in place of the plan. `value` null is unlimited; 1 and 0 switch customURL, features, voting types."""

    value: Annotated[int, Field(strict=True, ge=0, le=MAX_QUANTITY), WHOLE] | None
    ends_at: Moment | None = None
    reason: Reason


class OverrideAnswer(Answer):
    """An override. `ended_at` is when it was replaced or taken back."""

    kind: str
    name: str
    value: int | None
    starts_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None
    reason: str
    actor: str


class RunRequest(Request):
    """A comparison that is to begin. `dry_run` only says what would be repaired."""

    dry_run: Flag = False
    days: Annotated[int, Field(strict=True, ge=1, le=MAX_DAYS), WHOLE] = WINDOW.days


class StartedAnswer(Answer):
    """It runs by itself from here; `run` is the number of its report."""

    run: int


class RecountedAnswer(Answer):
    """What a recount came to."""

    organizations_seen: int
    organizations_changed: int
    entries: int


class RefundRequest(Request):
    """Money to give back for a grant; without an amount all that is left of its price."""

    amount_cents: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY), WHOLE] | None = None
    reason: Annotated[str, StringConstraints(min_length=1, max_length=MAX_REASON)]
