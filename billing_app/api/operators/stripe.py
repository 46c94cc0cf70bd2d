"""What operators watch and do about Stripe: its events, the comparison with it, refunds; and recounts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from billing_app.api.common.access import OutsideAccess, RequireOperator
from billing_app.api.common.idempotency import IdempotencyKey
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.common.schemas import DEFAULT_LIST, TYPED, Items, Limit, Number
from billing_app.api.operators.schemas import RecountedAnswer, RefundRequest, RunRequest, StartedAnswer
from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.gateways.stripe.payments import payments_of
from billing_app.services.common import cursors
from billing_app.services.operators import operations
from billing_app.services.operators.views_operations import (
    EventAnswer,
    EventFilters,
    EventWithPayloadAnswer,
    RecountAnswer,
    ReportAnswer,
    RunAnswer,
)
from billing_app.services.reversals import refundable, refunds
from billing_app.services.reversals.views import RefundAnswer, RefundPreviewAnswer
from billing_app.services.stripe import inbox, reconciliation
from billing_app.services.usage import recounts

router = APIRouter(prefix="/admin", tags=["operator"])

PLAIN = r"^[A-Za-z0-9_.-]*$"

Operating = Annotated[OutsideAccess, Depends(RequireOperator())]
Cursor = Annotated[str | None, Query(max_length=cursors.MAX_CURSOR)]
EventId = Annotated[str, Path(max_length=255, pattern="^[A-Za-z0-9_]+$")]
GrantId = Annotated[str, Path(max_length=64, pattern="^[A-Za-z0-9_.-]+$")]
Cents = Annotated[int | None, Query(ge=1, le=MAX_QUANTITY), TYPED]


@router.get("/stripe-events", response_model=Items[EventAnswer], responses=guarded(422))
def list_events(
    access: Operating,
    state: Annotated[str, Query(max_length=20, pattern=PLAIN)] = "",
    type: Annotated[str, Query(max_length=100, pattern=PLAIN)] = "",
    organization: Annotated[str, Query(max_length=64, pattern=PLAIN)] = "",
    limit: Limit = DEFAULT_LIST,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """What Stripe has sent, the newest first. `state` is new, handled, failed, given_up or ignored."""
    with access.reading() as context:
        filters = EventFilters(state, type, organization)
        found = operations.events(context.session, filters, cursor or "", context.now, limit=limit)
    return {"items": found.events, "next_cursor": found.next_cursor or None}


@router.get("/stripe-events/{event_id}", response_model=EventWithPayloadAnswer, responses=guarded(422))
def one_event(access: Operating, event_id: EventId) -> EventWithPayloadAnswer:
    """An event with what was received."""
    with access.reading() as context:
        return operations.event(context.session, event_id)


@router.post("/stripe-events/{event_id}/replay", response_model=EventAnswer, responses=guarded(422, 503))
def replay_event(access: Operating, event_id: EventId) -> EventAnswer:
    """Processes an event again, whatever became of it. One that never arrived is fetched from Stripe, for 30 days."""
    access.check()
    application = access.application
    inbox.replay(application.database.writing, payments_of(application.settings), event_id, application.clock)
    with access.reading() as context:
        return operations.event(context.session, event_id)


@router.get("/reconciliation", response_model=Items[RunAnswer], responses=guarded(422))
def list_runs(access: Operating, limit: Limit = DEFAULT_LIST, cursor: Cursor = None) -> dict[str, Any]:
    """Comparisons with Stripe, the newest first."""
    with access.reading() as context:
        found = operations.reconciliations(context.session, 0, cursor or "", context.now, selling=True, limit=limit)
    return {"items": found.runs, "next_cursor": found.next_cursor or None}


@router.get("/reconciliation/latest", response_model=ReportAnswer, responses=guarded())
def latest_report(access: Operating) -> ReportAnswer:
    """The newest comparison with everything that it found, running ones too."""
    with access.reading() as context:
        found = operations.reconciliations(context.session, 0, "", context.now, selling=True, limit=1)
    if found.report is None:
        raise NotFoundError("Nothing was compared yet.", code="run_not_found")
    return found.report


@router.get("/reconciliation/{run}", response_model=ReportAnswer, responses=guarded(422))
def one_report(access: Operating, run: Number) -> ReportAnswer:
    """One comparison with everything that it found."""
    with access.reading() as context:
        return operations.report(context.session, run, context.now)


@router.post(
    "/reconciliation",
    status_code=202,
    response_model=StartedAnswer,
    responses=guarded(*READING_A_BODY, 409, 503),
)
def compare(access: Operating, request: RunRequest) -> StartedAnswer:
    """Starts a comparison of everything, or continues one that was stopped. `latest` shows how far it is."""
    payments_of(access.application.settings)
    with access.writing() as context:
        run = reconciliation.ask_for(context.session, context.now, dry=request.dry_run, days=request.days)
    return StartedAnswer(run=run)


@router.get("/recounts", response_model=Items[RecountAnswer], responses=guarded(422))
def list_recounts(access: Operating, limit: Limit = DEFAULT_LIST, cursor: Cursor = None) -> dict[str, Any]:
    """Recounts of all organizations, the newest first."""
    with access.reading() as context:
        found = operations.recount_runs(context.session, cursor or "", context.now, limit=limit)
    return {"items": found.runs, "next_cursor": found.next_cursor or None}


@router.post("/recounts", response_model=RecountedAnswer, responses=guarded(409))
def recount(access: Operating) -> recounts.Outcome:
    """Brings every ledger that is behind up to date now; answers when that is done."""
    access.check()
    application = access.application
    return recounts.demand(application.database.writing, application.clock)


@router.get("/grants/{grant}/refund", response_model=RefundPreviewAnswer, responses=guarded(422))
def preview_refund(access: Operating, grant: GrantId, amount_cents: Cents = None) -> RefundPreviewAnswer:
    """What refunding `amount_cents` (by default all that is left) would take back, and what would become debt."""
    with access.reading() as context:
        return refundable.preview(context.session, grant, amount_cents, context.now)


@router.post(
    "/grants/{grant}/refund",
    status_code=201,
    response_model=RefundAnswer,
    responses=guarded(*READING_A_BODY, 409, 503),
)
def refund(access: Operating, grant: GrantId, request: RefundRequest, key: IdempotencyKey) -> RefundAnswer:
    """Refunds a grant, through Stripe. Unused credits are taken back; used ones become debt."""
    access.check()
    payments = payments_of(access.application.settings)
    return refunds.make(access.writing, payments, grant, request.amount_cents, request.reason, f"api {key}")
