"""What is bought again: recurring packs, auto top-up, and the card for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from billing_app.api.common.access import OrganizationAccess, RequireOrganization
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.common.schemas import Items, Name
from billing_app.api.purchases.schemas import (
    AutoTopUpAnswer,
    AutoTopUpRequest,
    CardSetupRequest,
    RecurringPackAnswer,
    RecurringPackChange,
)
from billing_app.domain.common.access import MONEY_ROLES, Scope
from billing_app.gateways.stripe.payments import payments_of
from billing_app.services.purchases import recurring_changes, saved_cards, top_ups
from billing_app.services.purchases.saved_cards import CardSetupAnswer
from billing_app.services.purchases.top_ups import AtOnceAnswer
from billing_app.services.subscriptions import recurring_packs

router = APIRouter(prefix="/organizations/{address}", tags=["buying"])

Buying = Annotated[
    OrganizationAccess, Depends(RequireOrganization(MONEY_ROLES, frozenset({Scope.BILLING, Scope.ADMIN})))
]
PackId = Annotated[Name, Path(description="the id that the list says")]
Metric = Annotated[Name, Path(description="the id of a metric")]


@router.get("/recurring-packs", response_model=Items[RecurringPackAnswer], responses=guarded())
def recurring_packs_of(access: Buying) -> Items[RecurringPackAnswer]:
    """Packs that renew every month, and those that were cancelled but are paid until later."""
    with access.reading() as context:
        rows = recurring_packs.listed(context.session, context.organization)
    return Items[RecurringPackAnswer](items=[RecurringPackAnswer.of(row) for row in rows])


@router.patch(
    "/recurring-packs/{pack_id}",
    response_model=RecurringPackAnswer,
    responses=guarded(*READING_A_BODY, 409, 503),
)
def change_recurring_pack(access: Buying, pack_id: PackId, request: RecurringPackChange) -> RecurringPackAnswer:
    """Changes the quantity from the next renewal on, cancels at the end of the paid period, or undoes that."""
    with access.reading() as context:
        row = recurring_packs.one(context.session, context.organization, pack_id)
    count = request.quantity
    if count is None:
        count = 0 if request.cancelled else row.next_count or row.count
    return RecurringPackAnswer.of(
        recurring_changes.change(access.writing, payments_of(access.application.settings), pack_id, count)
    )


@router.delete("/recurring-packs/{pack_id}", response_model=RecurringPackAnswer, responses=guarded(422, 409, 503))
def cancel_recurring_pack(access: Buying, pack_id: PackId) -> RecurringPackAnswer:
    """Cancels it at the end of the paid period. Its credits stay until they expire."""
    access.check()
    return RecurringPackAnswer.of(
        recurring_changes.change(access.writing, payments_of(access.application.settings), pack_id, 0)
    )


@router.get("/auto-top-up/{metric}", response_model=AutoTopUpAnswer, responses=guarded(422))
def auto_top_up(access: Buying, metric: Metric) -> AutoTopUpAnswer:
    """The state of a metric's auto top-up."""
    with access.reading() as context:
        return AutoTopUpAnswer.of(top_ups.top_up(context, metric))


@router.put("/auto-top-up/{metric}", response_model=AutoTopUpAnswer, responses=guarded(*READING_A_BODY))
def set_auto_top_up(access: Buying, metric: Metric, request: AutoTopUpRequest) -> AutoTopUpAnswer:
    """Sets it. Without a saved card it waits for one."""
    with access.writing() as context:
        found = top_ups.put(context, metric, request.wanted())
        return AutoTopUpAnswer.of(found)


@router.post("/auto-top-up/{metric}/preview", response_model=AtOnceAnswer, responses=guarded(*READING_A_BODY))
def preview_auto_top_up(access: Buying, metric: Metric, request: AutoTopUpRequest) -> AtOnceAnswer:
    """What turning it on with these amounts would charge right away. Changes nothing."""
    with access.reading() as context:
        return top_ups.preview(context, metric, request.wanted())


@router.post("/saved-card", status_code=201, response_model=CardSetupAnswer, responses=guarded(*READING_A_BODY, 503))
def save_card(access: Buying, request: CardSetupRequest) -> CardSetupAnswer:
    """Starts saving the card that auto top-ups are charged to, in place of another; its owner does so on a page."""
    access.check()
    settings = access.application.settings
    return saved_cards.begin(access.writing, payments_of(settings), settings.public_url, request.metric)
