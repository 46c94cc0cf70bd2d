"""What operators give: grants by hand, and gift cards."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from billing_app.api.common.access import OutsideAccess, OutsideContext, RequireOperator
from billing_app.api.common.idempotency import REPEATABLE, FromRepeatable
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.common.schemas import DEFAULT_LIST, MAX_LIST, Items, Limit, page_of
from billing_app.api.operators.schemas import (
    GiftCardRequest,
    GivenAnswer,
    GrantRequest,
    NewGiftCardsAnswer,
    ReasonRequest,
)
from billing_app.services.common import cursors, organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import gift_cards, granting
from billing_app.services.credits.grants import ONE_YEAR
from billing_app.services.credits.views_cards import GiftCardAnswer, RedemptionAnswer

router = APIRouter(prefix="/admin", tags=["operator"])

Operating = Annotated[OutsideAccess, Depends(RequireOperator())]
Cursor = Annotated[str | None, Query(max_length=cursors.MAX_CURSOR)]
CardId = Annotated[UUID, Path(description="the card's id, not its code")]
GrantId = Annotated[str, Path(max_length=64, pattern="^[A-Za-z0-9_.-]+$")]


@router.post(
    "/grants",
    status_code=201,
    response_model=GivenAnswer,
    responses=guarded(*READING_A_BODY, *REPEATABLE, 503),
)
def give_credits(access: Operating, request: GrantRequest, once: FromRepeatable) -> Response:
    """Grants an organization credits. The reason is shown in its ledger."""

    def work(context: OutsideContext) -> GivenAnswer:
        organization = organizations.by_address(context.session, request.organization)
        given = granting.give(
            Context(context.session, organization, context.now, context.actor),
            request.metric,
            request.quantity,
            reason=request.reason,
            key=f"api {once.key}",
            effective_at=request.effective_at,
            expires_at=request.expires_at if "expires_at" in request.model_fields_set else ONE_YEAR,
            priority=request.priority,
            backdated=request.backdated,
        )
        return GivenAnswer.model_validate(given)

    return once.answer(access, request, work, status=201)


@router.post("/grants/{grant}/void", response_model=GivenAnswer, responses=guarded(*READING_A_BODY))
def void_grant(access: Operating, grant: GrantId, request: ReasonRequest) -> GivenAnswer:
    """Forfeits what is left of a grant, never what was burned. Voiding twice is one void."""
    with access.writing() as context:
        _, voided = granting.void(context.session, grant, context.now, reason=request.reason, actor=context.actor)
        return GivenAnswer.model_validate(voided)


@router.post(
    "/gift-cards",
    status_code=201,
    response_model=NewGiftCardsAnswer,
    responses=guarded(*READING_A_BODY, *REPEATABLE, 503),
)
def create_gift_cards(access: Operating, request: GiftCardRequest, once: FromRepeatable) -> Response:
    """Creates cards and answers their codes, this once: repeating the key does not show them again."""

    def work(context: OutsideContext) -> NewGiftCardsAnswer:
        made = gift_cards.create(
            context.session,
            request.name,
            request.contents,
            context.now,
            count=request.count,
            max_redemptions=request.max_redemptions,
            expires_at=request.expires_at,
            actor=context.actor,
        )
        return NewGiftCardsAnswer(items=made)

    return once.answer(access, request, work, status=201, private=True)


@router.get("/gift-cards", response_model=Items[GiftCardAnswer], responses=guarded(422))
def list_gift_cards(access: Operating, limit: Limit = DEFAULT_LIST, cursor: Cursor = None) -> dict[str, Any]:
    """All cards, the newest first."""
    before = cursors.decode(cursor, UUID)
    with access.reading() as context:
        found = gift_cards.page(context.session, context.now, limit + 1, before[0] if before else None)
    return page_of(found, limit, lambda card: (card.id,))


@router.get("/gift-cards/{card}/redemptions", response_model=Items[RedemptionAnswer], responses=guarded(422))
def gift_card_redemptions(access: Operating, card: CardId) -> dict[str, Any]:
    """Who redeemed a card, the latest first: at most 200."""
    with access.reading() as context:
        return {"items": gift_cards.redemptions(context.session, card, MAX_LIST)}


@router.post("/gift-cards/{card}/void", response_model=GiftCardAnswer, responses=guarded(*READING_A_BODY))
def void_gift_card(access: Operating, card: CardId, request: ReasonRequest) -> GiftCardAnswer:
    """Voids a card. What was redeemed stays."""
    with access.writing() as context:
        return gift_cards.void(context.session, card, request.reason, context.now, actor=context.actor)
