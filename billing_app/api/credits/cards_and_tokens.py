"""Redeeming a gift card, and turning tokens into credits of a metric."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from billing_app.api.common.access import Door, OrganizationDoor
from billing_app.api.common.idempotency import REPEATABLE, FromRepeatable
from billing_app.api.common.responses import READING_A_BODY, behind_a_door
from billing_app.api.operators.schemas import ConvertedAnswer, ConvertRequest, RedeemedAnswer, RedeemRequest
from billing_app.domain.common.access import MONEY_ROLES, Scope
from billing_app.services.credits import gift_cards, tokens

router = APIRouter(prefix="/organizations/{address}", tags=["buying"])

Paying = Annotated[Door, Depends(OrganizationDoor(MONEY_ROLES, frozenset({Scope.BILLING, Scope.ADMIN})))]


@router.post(
    "/gift-cards/redeem",
    response_model=RedeemedAnswer,
    responses=behind_a_door(*READING_A_BODY, *REPEATABLE, 503),
)
def redeem_gift_card(door: Paying, request: RedeemRequest, once: FromRepeatable) -> Response:
    """Gives the organization what a gift card holds. Ten wrong codes within 15 minutes are answered 429."""
    with door.writing() as visit:
        gift_cards.begin(visit.session, visit.organization, visit.now)
    return once.answer(
        door,
        request,
        lambda visit: RedeemedAnswer.model_validate(
            gift_cards.redeem(visit.session, visit.organization, request.code, visit.now, actor=visit.actor)
        ),
    )


@router.post(
    "/tokens/convert",
    response_model=ConvertedAnswer,
    responses=behind_a_door(*READING_A_BODY, *REPEATABLE, 402, 503),
)
def convert_tokens(door: Paying, request: ConvertRequest, once: FromRepeatable) -> Response:
    """Turns tokens into credits of a metric at the catalogue's rate."""
    return once.answer(
        door,
        request,
        lambda visit: ConvertedAnswer.model_validate(
            tokens.convert(
                visit.session,
                visit.organization,
                request.metric,
                request.tokens,
                visit.now,
                key=f"api {once.key}",
                actor=visit.actor,
            )
        ),
    )
