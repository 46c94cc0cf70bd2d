"""What is bought again: recurring packs, auto top-up, and the card for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from billing_app.api.common.access import Door, OrganizationDoor
from billing_app.api.common.responses import READING_A_BODY, behind_a_door
from billing_app.api.common.schemas import Items, Name
from billing_app.api.purchases.recurring_schemas import (
    AtOnceAnswer,
    AutoTopUpAnswer,
    AutoTopUpRequest,
    CardSetupAnswer,
    CardSetupRequest,
    RecurringPackAnswer,
    RecurringPackChange,
)
from billing_app.domain.common.access import MONEY_ROLES, Scope
from billing_app.gateways.stripe_payments import payments_of
from billing_app.services.purchases import recurring_changes, saved_cards, top_ups
from billing_app.services.subscriptions import recurring_packs

router = APIRouter(prefix="/organizations/{address}", tags=["buying"])

Buying = Annotated[Door, Depends(OrganizationDoor(MONEY_ROLES, frozenset({Scope.BILLING, Scope.ADMIN})))]
PackId = Annotated[Name, Path(description="the id that the list says")]
Metric = Annotated[Name, Path(description="the id of a metric")]


@router.get("/recurring-packs", response_model=Items[RecurringPackAnswer], responses=behind_a_door())
def recurring_packs_of(door: Buying) -> Items[RecurringPackAnswer]:
    """What renews every month, and what was cancelled but is paid until later."""
    with door.reading() as visit:
        rows = recurring_packs.listed(visit.session, visit.organization)
    return Items[RecurringPackAnswer](items=[RecurringPackAnswer.of(row) for row in rows])


@router.patch(
    "/recurring-packs/{pack_id}",
    response_model=RecurringPackAnswer,
    responses=behind_a_door(*READING_A_BODY, 409, 503),
)
def change_recurring_pack(door: Buying, pack_id: PackId, request: RecurringPackChange) -> RecurringPackAnswer:
    """Another quantity from the next renewal on, an end with the period that is paid, or no end after all."""
    with door.reading() as visit:
        row = recurring_packs.one(visit.session, visit.organization, pack_id)
    count = request.quantity
    if count is None:
        count = 0 if request.cancelled else row.next_count or row.count
    return RecurringPackAnswer.of(
        recurring_changes.change(door.writing, payments_of(door.context.settings), pack_id, count)
    )


@router.delete("/recurring-packs/{pack_id}", response_model=RecurringPackAnswer, responses=behind_a_door(422, 409, 503))
def cancel_recurring_pack(door: Buying, pack_id: PackId) -> RecurringPackAnswer:
    """Ends it with the period that is paid. Its credits stay until their own end."""
    door.knock()
    return RecurringPackAnswer.of(
        recurring_changes.change(door.writing, payments_of(door.context.settings), pack_id, 0)
    )


@router.get("/auto-top-up/{metric}", response_model=AutoTopUpAnswer, responses=behind_a_door(422))
def auto_top_up(door: Buying, metric: Metric) -> AutoTopUpAnswer:
    """How the auto top-up of a metric stands."""
    with door.reading() as visit:
        return AutoTopUpAnswer.of(top_ups.top_up(visit.session, visit.organization, metric, visit.now))


@router.put("/auto-top-up/{metric}", response_model=AutoTopUpAnswer, responses=behind_a_door(*READING_A_BODY))
def set_auto_top_up(door: Buying, metric: Metric, request: AutoTopUpRequest) -> AutoTopUpAnswer:
    """Sets it. Without a saved card it waits for one."""
    with door.writing() as visit:
        found = top_ups.put(visit.session, visit.organization, metric, request.wanted(), visit.now, actor=visit.actor)
        return AutoTopUpAnswer.of(found)


@router.post("/auto-top-up/{metric}/preview", response_model=AtOnceAnswer, responses=behind_a_door(*READING_A_BODY))
def preview_auto_top_up(door: Buying, metric: Metric, request: AutoTopUpRequest) -> AtOnceAnswer:
    """What turning it on with these amounts would charge right away. Changes nothing."""
    with door.reading() as visit:
        found = top_ups.preview(visit.session, visit.organization, metric, request.wanted(), visit.now)
    return AtOnceAnswer.model_validate(found)


@router.post(
    "/saved-card", status_code=201, response_model=CardSetupAnswer, responses=behind_a_door(*READING_A_BODY, 503)
)
def save_card(door: Buying, request: CardSetupRequest) -> saved_cards.StartedSetup:
    """Begins to save the card that auto top-ups are charged to, in place of another; its owner does so on a page."""
    door.knock()
    settings = door.context.settings
    return saved_cards.begin(door.writing, payments_of(settings), settings.public_url, request.metric)
