"""Consume and reservations: what asks before it uses."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from billing_app import monitoring
from billing_app.api.common.access import OrganizationAccess, RequestContext, RequireOrganization
from billing_app.api.common.idempotency import REPEATABLE, REPEATED, FromRepeatable, IdempotencyKey
from billing_app.api.common.responses import READING_A_BODY, guarded
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
from billing_app.services.usage.consumption import Reservation

router = APIRouter(prefix="/organizations/{address}", tags=["usage"])

USING = RequireOrganization(NO_ROLES, frozenset({Scope.USAGE_WRITE}))
Using = Annotated[OrganizationAccess, Depends(USING)]
ReservationId = Annotated[Name, Path(description="the id from the answer that made the reservation")]


@router.post("/consume", response_model=ConsumeAnswer, responses=guarded(*READING_A_BODY, *REPEATABLE, 402, 503))
def consume(access: Using, request: ConsumeRequest, key: IdempotencyKey) -> Response:
    """Takes a quantity only if the allowance and the credits still have it."""
    wanted: dict[str, Any] = {"mode": request.mode, "key": key}
    with access.single() as context:
        consumed = debits.take(context, request.metric, request.quantity, **wanted)
    if consumed is None:
        with access.writing() as context:
            consumed = consumption.consume(context, request.metric, request.quantity, **wanted)
    outcome = "refused" if not consumed.accepted else "allowed" if consumed.accepted == request.quantity else "partly"
    monitoring.decisions.labels("consume", outcome).inc()
    if consumed.accepted == 0:
        raise consumption.exhausted(request.metric, request.quantity, consumed)
    return written(ConsumeAnswer.model_validate(consumed), {REPEATED: "true"} if consumed.repeated else None)


@router.post(
    "/reservations",
    status_code=201,
    response_model=ReservationAnswer,
    responses=guarded(*READING_A_BODY, *REPEATABLE, 402, 503),
)
def reserve(access: Using, request: ReservationRequest, once: FromRepeatable) -> Response:
    """Holds a quantity until it is confirmed or released."""

    def work(context: RequestContext) -> ReservationAnswer:
        held = consumption.reserve(context, request.metric, request.quantity, timeout_s=request.timeout_s)
        return _answer(held, context.now)

    return once.answer(access, request, work, status=201)


@router.post(
    "/reservations/{reservation_id}/confirm",
    response_model=ReservationAnswer,
    responses=guarded(*READING_A_BODY, 503),
)
def confirm(access: Using, reservation_id: ReservationId, request: ConfirmRequest) -> ReservationAnswer:
    """Counts what was really used and gives the rest back. Confirming twice is one confirmation."""
    with access.writing() as context:
        held = consumption.confirm(context, reservation_id, quantity=request.quantity)
        return _answer(held, context.now)


@router.delete("/reservations/{reservation_id}", response_model=ReservationAnswer, responses=guarded(422, 503))
def release(access: Using, reservation_id: ReservationId) -> ReservationAnswer:
    """Gives all of a reservation back. Releasing twice is once."""
    with access.writing() as context:
        return _answer(consumption.release(context, reservation_id), context.now)


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
