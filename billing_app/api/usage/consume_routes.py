"""Consume and reservations: what asks before it uses."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from billing_app import monitoring
from billing_app.api.common.access import Door, OrganizationDoor, Visit
from billing_app.api.common.idempotency import REPEATABLE, REPEATED, FromRepeatable, IdempotencyKey
from billing_app.api.common.responses import READING_A_BODY, behind_a_door
from billing_app.api.common.schemas import Name, written
from billing_app.api.usage.consume_schemas import (
    ConfirmRequest,
    ConsumeAnswer,
    ConsumeRequest,
    ReservationAnswer,
    ReservationRequest,
)
from billing_app.domain.common.access import NO_ROLES, Scope
from billing_app.services.usage import consumption, debits
from billing_app.store.tables.meters import Reservation

router = APIRouter(prefix="/organizations/{address}", tags=["usage"])

USING = OrganizationDoor(NO_ROLES, frozenset({Scope.USAGE_WRITE}))
Using = Annotated[Door, Depends(USING)]
ReservationId = Annotated[Name, Path(description="the id that the reservation was answered with")]


@router.post("/consume", response_model=ConsumeAnswer, responses=behind_a_door(*READING_A_BODY, *REPEATABLE, 402, 503))
def consume(door: Using, request: ConsumeRequest, key: IdempotencyKey) -> Response:
    """Takes a quantity only if the allowance and the credits still have it."""
    wanted: dict[str, Any] = {"mode": request.mode, "key": key}
    with door.single() as visit:
        here, asked = (visit.session, visit.organization), (request.metric, request.quantity, visit.now)
        consumed = debits.take(*here, *asked, **wanted)
    if consumed is None:
        with door.writing() as visit:
            here = (visit.session, visit.organization)
            consumed = consumption.consume(*here, *asked, **wanted)
    outcome = "refused" if not consumed.accepted else "allowed" if consumed.accepted == request.quantity else "partly"
    monitoring.decisions.labels("consume", outcome).inc()
    if consumed.accepted == 0:
        raise consumption.exhausted(request.metric, request.quantity, consumed)
    return written(ConsumeAnswer.model_validate(consumed), {REPEATED: "true"} if consumed.repeated else None)


@router.post(
    "/reservations",
    status_code=201,
    response_model=ReservationAnswer,
    responses=behind_a_door(*READING_A_BODY, *REPEATABLE, 402, 503),
)
def reserve(door: Using, request: ReservationRequest, once: FromRepeatable) -> Response:
    """Holds a quantity until it is confirmed or released."""

    def work(visit: Visit) -> ReservationAnswer:
        held = consumption.reserve(
            visit.session,
            visit.organization,
            request.metric,
            request.quantity,
            visit.now,
            timeout_s=request.timeout_s,
        )
        return _answer(held, visit.now)

    return once.answer(door, request, work, status=201)


@router.post(
    "/reservations/{reservation_id}/confirm",
    response_model=ReservationAnswer,
    responses=behind_a_door(*READING_A_BODY, 503),
)
def confirm(door: Using, reservation_id: ReservationId, request: ConfirmRequest) -> ReservationAnswer:
    """Counts what was really used and gives the rest back. Confirming twice is one confirmation."""
    with door.writing() as visit:
        held = consumption.confirm(
            visit.session, visit.organization, reservation_id, visit.now, quantity=request.quantity
        )
        return _answer(held, visit.now)


@router.delete("/reservations/{reservation_id}", response_model=ReservationAnswer, responses=behind_a_door(422, 503))
def release(door: Using, reservation_id: ReservationId) -> ReservationAnswer:
    """Gives all of a reservation back. Releasing twice is once."""
    with door.writing() as visit:
        return _answer(consumption.release(visit.session, visit.organization, reservation_id, visit.now), visit.now)


def _answer(held: Reservation, now: datetime) -> ReservationAnswer:
    return ReservationAnswer(
        id=held.id,
        metric=held.metric,
        quantity=held.quantity,
        status=consumption.status(held, now).value,
        opened_at=held.opened_at,
        holds_until=held.holds_until,
        confirmed_quantity=held.confirmed_quantity,
    )
