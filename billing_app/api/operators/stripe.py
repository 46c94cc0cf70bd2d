"""What operators watch and do about Stripe: its events, the comparison with it, refunds; and recounts."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from billing_app.api.common.access import Door, OperatorDoor
from billing_app.api.common.idempotency import IdempotencyKey
from billing_app.api.common.responses import READING_A_BODY, behind_a_door
from billing_app.api.common.schemas import DEFAULT_LIST, TYPED, Items, Limit, Number
from billing_app.api.operators.stripe_schemas import (
    EventAnswer,
    EventWithPayloadAnswer,
    RecountAnswer,
    RecountedAnswer,
    RefundAnswer,
    RefundPreviewAnswer,
    RefundRequest,
    ReportAnswer,
    RunAnswer,
    RunRequest,
    StartedAnswer,
)
from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.gateways.stripe_payments import payments_of
from billing_app.services.common.cursors import MAX_CURSOR
from billing_app.services.operators import operations
from billing_app.services.operators.views_operations import EventFilters, EventLine, EventView, ReportView
from billing_app.services.reversals import refundable, refunds
from billing_app.services.reversals.views import RefundPreview, RefundView
from billing_app.services.stripe import reconciliation, replaying
from billing_app.services.usage import recounts

router = APIRouter(prefix="/admin", tags=["operator"])

PLAIN = r"^[A-Za-z0-9_.-]*$"

Operating = Annotated[Door, Depends(OperatorDoor())]
Cursor = Annotated[str | None, Query(max_length=MAX_CURSOR)]
EventId = Annotated[str, Path(max_length=255, pattern="^[A-Za-z0-9_]+$")]
GrantId = Annotated[str, Path(max_length=64, pattern="^[A-Za-z0-9_.-]+$")]
Cents = Annotated[int | None, Query(ge=1, le=MAX_QUANTITY), TYPED]


@router.get("/stripe-events", response_model=Items[EventAnswer], responses=behind_a_door(422))
def list_events(
    door: Operating,
    state: Annotated[str, Query(max_length=20, pattern=PLAIN)] = "",
    type: Annotated[str, Query(max_length=100, pattern=PLAIN)] = "",
    organization: Annotated[str, Query(max_length=64, pattern=PLAIN)] = "",
    limit: Limit = DEFAULT_LIST,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """What Stripe has sent, the newest first. `state` is new, handled, failed, given_up or ignored."""
    with door.reading() as visit:
        filters = EventFilters(state, type, organization)
        found = operations.events(visit.session, filters, cursor or "", visit.now, limit=limit)
    return {"items": found.events, "next_cursor": found.next_cursor or None}


@router.get("/stripe-events/{event_id}", response_model=EventWithPayloadAnswer, responses=behind_a_door(422))
def one_event(door: Operating, event_id: EventId) -> EventWithPayloadAnswer:
    """An event with what was received."""
    with door.reading() as visit:
        return _with_payload(operations.event(visit.session, event_id))


@router.post("/stripe-events/{event_id}/replay", response_model=EventAnswer, responses=behind_a_door(422, 503))
def replay_event(door: Operating, event_id: EventId) -> EventLine:
    """Works on an event again, whatever became of it. One that never arrived is fetched from Stripe, for 30 days."""
    door.knock()
    context = door.context
    replaying.replay(context.database.writing, payments_of(context.settings), event_id, context.clock)
    with door.reading() as visit:
        return operations.event(visit.session, event_id).line


@router.get("/reconciliation", response_model=Items[RunAnswer], responses=behind_a_door(422))
def list_runs(door: Operating, limit: Limit = DEFAULT_LIST, cursor: Cursor = None) -> dict[str, Any]:
    """Comparisons with Stripe, the newest first."""
    with door.reading() as visit:
        found = operations.reconciliations(visit.session, 0, cursor or "", visit.now, selling=True, limit=limit)
    return {"items": found.runs, "next_cursor": found.next_cursor or None}


@router.get("/reconciliation/latest", response_model=ReportAnswer, responses=behind_a_door())
def latest_report(door: Operating) -> ReportAnswer:
    """The newest comparison with everything that it found, running ones too."""
    with door.reading() as visit:
        found = operations.reconciliations(visit.session, 0, "", visit.now, selling=True, limit=1)
    if found.report is None:
        raise NotFoundError("Nothing was compared yet.", code="run_not_found")
    return _report(found.report)


@router.get("/reconciliation/{run}", response_model=ReportAnswer, responses=behind_a_door(422))
def one_report(door: Operating, run: Number) -> ReportAnswer:
    """One comparison with everything that it found."""
    with door.reading() as visit:
        return _report(operations.report(visit.session, run, visit.now))


@router.post(
    "/reconciliation",
    status_code=202,
    response_model=StartedAnswer,
    responses=behind_a_door(*READING_A_BODY, 409, 503),
)
def compare(door: Operating, request: RunRequest) -> StartedAnswer:
    """Has everything compared, or a comparison that was stopped gone on with. `latest` shows how far it is."""
    payments_of(door.context.settings)
    with door.writing() as visit:
        run = reconciliation.ask_for(visit.session, visit.now, dry=request.dry_run, days=request.days)
    return StartedAnswer(run=run)


@router.get("/recounts", response_model=Items[RecountAnswer], responses=behind_a_door(422))
def list_recounts(door: Operating, limit: Limit = DEFAULT_LIST, cursor: Cursor = None) -> dict[str, Any]:
    """Recounts of all organizations, the newest first."""
    with door.reading() as visit:
        found = operations.recount_runs(visit.session, cursor or "", visit.now, limit=limit)
    return {"items": found.runs, "next_cursor": found.next_cursor or None}


@router.post("/recounts", response_model=RecountedAnswer, responses=behind_a_door(409))
def recount(door: Operating) -> recounts.Outcome:
    """Brings every ledger that is behind up to date now; answers when that is done."""
    door.knock()
    context = door.context
    return recounts.demand(context.database.writing, context.clock)


@router.get("/grants/{grant}/refund", response_model=RefundPreviewAnswer, responses=behind_a_door(422))
def preview_refund(door: Operating, grant: GrantId, amount_cents: Cents = None) -> RefundPreview:
    """What giving back `amount_cents` (by default all that is left) would take back, and what would become debt."""
    with door.reading() as visit:
        return refundable.preview(visit.session, grant, amount_cents, visit.now)


@router.post(
    "/grants/{grant}/refund",
    status_code=201,
    response_model=RefundAnswer,
    responses=behind_a_door(*READING_A_BODY, 409, 503),
)
def refund(door: Operating, grant: GrantId, request: RefundRequest, key: IdempotencyKey) -> RefundView:
    """Gives money back for a grant, through Stripe. What was not used is taken back; what was becomes debt."""
    door.knock()
    payments = payments_of(door.context.settings)
    return refunds.make(door.writing, payments, grant, request.amount_cents, request.reason, f"api {key}")


def _with_payload(found: EventView) -> EventWithPayloadAnswer:
    line = EventAnswer.model_validate(found.line)
    return EventWithPayloadAnswer(**line.model_dump(), payload=json.loads(found.payload))


def _report(found: ReportView) -> ReportAnswer:
    return ReportAnswer.model_validate(
        {**RunAnswer.model_validate(found.run).model_dump(), "findings": found.findings}, from_attributes=True
    )
