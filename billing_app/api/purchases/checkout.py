"""Buying packs, subscribing to a plan, and how a payment went."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from billing_app.api.common.access import OrganizationAccess, RequireOrganization
from billing_app.api.common.idempotency import IdempotencyKey
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.purchases.schemas import CheckoutRequest, CheckoutStatusAnswer
from billing_app.domain.common.access import MONEY_ROLES, Scope
from billing_app.gateways.stripe.payments import payments_of
from billing_app.services.plans import orders as plan_orders
from billing_app.services.purchases import orders as purchases
from billing_app.services.purchases import status
from billing_app.services.purchases.orders import CheckoutAnswer

router = APIRouter(prefix="/organizations/{address}/checkout", tags=["buying"])

Buying = Annotated[
    OrganizationAccess, Depends(RequireOrganization(MONEY_ROLES, frozenset({Scope.BILLING, Scope.ADMIN})))
]


@router.post("", status_code=201, response_model=CheckoutAnswer, responses=guarded(*READING_A_BODY, 409, 503))
def start_checkout(access: Buying, basket: CheckoutRequest, key: IdempotencyKey) -> CheckoutAnswer:
    """Starts the payment of a basket, or a first subscription; the answer says where to send the payer's browser."""
    access.check()  # nobody makes us talk to Stripe who may not buy
    settings = access.application.settings
    payments, url = payments_of(settings), settings.public_url
    if basket.plan is not None:
        return plan_orders.start(access.writing, payments, basket.plan, basket.interval, url, key=key)
    wanted = [(item.pack, item.quantity) for item in basket.items or ()]
    return purchases.start_checkout(access.writing, payments, wanted, url, key=key)


@router.get("/{session_id}", response_model=CheckoutStatusAnswer, responses=guarded(422, 503))
def checkout(
    access: Buying, session_id: Annotated[str, Path(max_length=255, pattern="^[A-Za-z0-9_]+$")]
) -> CheckoutStatusAnswer:
    """The state of a payment at Stripe right now. What is paid is granted, unless it already was."""
    return CheckoutStatusAnswer.of(status.status(access.writing, payments_of(access.application.settings), session_id))
