"""Redeeming a gift card, and turning tokens into credits of a metric."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from billing_app.api.common.access import OrganizationAccess, RequireOrganization
from billing_app.api.common.idempotency import REPEATABLE, FromRepeatable
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.operators.schemas import ConvertedAnswer, ConvertRequest, RedeemedAnswer, RedeemRequest
from billing_app.domain.common.access import MONEY_ROLES, Scope
from billing_app.services.credits import gift_cards, tokens

router = APIRouter(prefix="/organizations/{address}", tags=["buying"])

Paying = Annotated[
    OrganizationAccess, Depends(RequireOrganization(MONEY_ROLES, frozenset({Scope.BILLING, Scope.ADMIN})))
]


@router.post(
    "/gift-cards/redeem",
    response_model=RedeemedAnswer,
    responses=guarded(*READING_A_BODY, *REPEATABLE, 503),
)
def redeem_gift_card(access: Paying, request: RedeemRequest, once: FromRepeatable) -> Response:
    """Gives the organization what a gift card holds. Ten wrong codes within 15 minutes are answered 429."""
    with access.writing() as context:
        gift_cards.begin(context)
    return once.answer(
        access,
        request,
        lambda context: RedeemedAnswer.model_validate(gift_cards.redeem(context, request.code)),
    )


@router.post(
    "/tokens/convert",
    response_model=ConvertedAnswer,
    responses=guarded(*READING_A_BODY, *REPEATABLE, 402, 503),
)
def convert_tokens(access: Paying, request: ConvertRequest, once: FromRepeatable) -> Response:
    """Converts tokens into credits of a metric at the catalogue's rate."""
    return once.answer(
        access,
        request,
        lambda context: ConvertedAnswer.model_validate(
            tokens.convert(context, request.metric, request.tokens, key=f"api {once.key}")
        ),
    )
