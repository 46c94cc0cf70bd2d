"""Reporting usage, asking whether an action may happen, and using what is asked for first: consume, reservations."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, TypeAdapter, ValidationError
from starlette.responses import Response

from billing_app import monitoring
from billing_app.api.common.access import OrganizationAccess, RequestContext, RequireOrganization
from billing_app.api.common.body_limits import raw_body
from billing_app.api.common.framing import media_type
from billing_app.api.common.idempotency import REPEATABLE, REPEATED, FromRepeatable, IdempotencyKey
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.common.schemas import Name, written
from billing_app.api.usage.schemas import (
    LINES,
    AboutAction,
    AboutFeature,
    AboutLimit,
    AboutMetric,
    AboutVotingType,
    Batch,
    CheckAnswer,
    CheckRequest,
    CloudEvent,
    CloudEventBatch,
    ConfirmRequest,
    ConsumeBatch,
    ConsumeBatchAnswer,
    ConsumeBody,
    ConsumeOne,
    ConsumeRequest,
    ConsumeResult,
    ReservationAnswer,
    ReservationRequest,
    UsageBatch,
)
from billing_app.domain.common.access import NO_ROLES, Scope
from billing_app.domain.common.errors import BillingError, FactRefusedError, InvalidError
from billing_app.domain.common.json_objects import Members
from billing_app.domain.usage.reported import Read, parsed, read, read_all, read_cloud_event
from billing_app.services.limits import permissions
from billing_app.services.usage import batches, consumption, debits, entitlements, reporting
from billing_app.services.usage.consumption import Reservation
from billing_app.services.usage.debits import ConsumeAnswer
from billing_app.services.usage.reporting import MAX_BATCH, UsageAnswer

router = APIRouter(prefix="/organizations/{address}", tags=["usage"])

DOCUMENTED = {
    "application/json": UsageBatch,
    "application/cloudevents-batch+json": CloudEventBatch,
    "application/cloudevents+json": CloudEvent,
}

BODIES: dict[str, TypeAdapter[Any]] = {
    "application/json": TypeAdapter(Batch),
    "application/cloudevents-batch+json": TypeAdapter(Annotated[list[Any], Field(min_length=1, max_length=MAX_BATCH)]),
    "application/cloudevents+json": TypeAdapter(dict[str, Any]),
}
"""What must hold of a body as a whole. Each event is read by itself, so that one cannot refuse the others."""

DOCUMENTED_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            media: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}} for media, model in DOCUMENTED.items()
        }
        | {LINES: {"schema": {"type": "string", "description": "events as they are in a batch, one a line"}}},
    }
}

SOME_LINES = TypeAdapter(Annotated[list[bytes], Field(min_length=1, max_length=MAX_BATCH)])
"""What `api.usage.lines` sends at once."""

Reporting = Annotated[OrganizationAccess, Depends(RequireOrganization(NO_ROLES, frozenset({Scope.USAGE_WRITE})))]
ASKING = RequireOrganization(NO_ROLES, frozenset({Scope.CHECK}))
Asking = Annotated[OrganizationAccess, Depends(ASKING)]
USING = RequireOrganization(NO_ROLES, frozenset({Scope.USAGE_WRITE}))
Using = Annotated[OrganizationAccess, Depends(USING)]
ReservationId = Annotated[Name, Path(description="the id from the answer that made the reservation")]


ANSWERED_BY_LINE = {
    202: {"content": {LINES: {"schema": {"type": "string", "description": "what became of each block"}}}}
}


@router.post(
    "/usage",
    status_code=202,
    response_model=UsageAnswer,
    responses=guarded(*READING_A_BODY, 503) | ANSWERED_BY_LINE,
    openapi_extra=DOCUMENTED_BODY,
)
def report_usage(
    request: Request,
    access: Reporting,
    body: Annotated[bytes, Depends(raw_body)],
) -> UsageAnswer:
    """Records what was used. Each event stands or is rejected by itself, whatever is wrong with it.

    An `id` that says something else than the first time is rejected with `idempotency_mismatch`; where there is nothing
    else in the request, that is its answer.
    """
    events = read_events(body, media_type(request))
    with access.writing() as context:
        report = reporting.report(context, events)
    report.reject_what_differs()
    counts = {"accepted": report.accepted, "duplicate": len(report.duplicates), "rejected": len(report.rejected)}
    for outcome, count in counts.items():
        monitoring.usage_events.labels(outcome).inc(count)
    if media_type(request) == LINES:
        return report
    if report.duplicates and all(each.differs for each in report.duplicates) and len(report.duplicates) == len(events):
        raise InvalidError(
            f"{report.duplicates[0].id!r} was reported before with different content, which is kept. Another "
            "event takes another id.",
            code="idempotency_mismatch",
            status=422,
        )
    return report


@router.post(
    "/check",
    response_model=CheckAnswer,
    responses=guarded(*READING_A_BODY, 503),
)
def check(access: Asking, question: CheckRequest) -> Response:
    """Whether an action, a quantity of a metric, or something that the plan limits would be allowed now.

    Changes nothing.
    """
    try:
        with access.single(writing=False) as context:
            answer = _ask(context, question, access.application.origin, writing=False)
    except entitlements.OutOfDateError:
        with access.writing() as context:  # the meter is brought up to date and kept
            answer = _ask(context, question, access.application.origin, writing=True)
    return told_of_check(answer)


def told_of_check(answer: CheckAnswer) -> Response:
    """The answer as it is sent."""
    monitoring.decisions.labels("check", "allowed" if answer.allowed else "refused").inc()
    return written(answer)


def _ask(context: RequestContext, question: CheckRequest, origin: str, *, writing: bool) -> CheckAnswer:
    match question:
        case AboutAction():
            told = {"quantities": question.quantities, "subject": question.subject, "writing": writing}
            return CheckAnswer.model_validate(entitlements.check_action(context, question.action, **told))
        case AboutMetric():
            told = {"quantity": question.quantity, "subject": question.subject, "writing": writing}
            return CheckAnswer.model_validate(entitlements.check_metric(context, question.metric, **told))
        case AboutLimit():
            return CheckAnswer.of(permissions.of_limit(context, question.limit, question.quantity), origin)
        case AboutFeature():
            return CheckAnswer.of(permissions.of_feature(context, question.feature), origin)
        case AboutVotingType():
            return CheckAnswer.of(permissions.of_voting_type(context, question.voting_type), origin)


def read_events(body: bytes, media: str) -> list[Read]:
    """The events of a body in one of the forms; each stands or is refused by itself.

    Raises RequestValidationError for a body that holds no list of them.
    """
    if not body:
        raise RequestValidationError([{"type": "missing", "loc": ("body",), "msg": "Field required"}])
    if media == LINES:
        return _of_lines(body)
    try:
        sent = parsed(body)
    except ValueError as error:
        raise RequestValidationError([{"type": "json_invalid", "loc": ("body",), "msg": str(error)}]) from None
    if isinstance(sent, Members) and sent.repeated and media == "application/json":
        loc = ("body", sent.repeated[0][:100])
        raise RequestValidationError([{"type": "repeated", "loc": loc, "msg": "appears twice: send it once"}])
    try:
        events = BODIES[media].validate_python(sent)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in wrong]) from None
    if isinstance(events, Batch):
        return read_all(events.events)
    return [read_cloud_event(each) for each in (events if isinstance(events, list) else [events])]


def _of_lines(body: bytes) -> list[Read]:
    """The same of lines, of which none is empty: what is no JSON is that line's mistake."""
    try:
        lines = SOME_LINES.validate_python(body.split(b"\n"))
    except ValidationError:
        raise RequestValidationError([{"type": "too_long", "loc": ("body",), "msg": "Too many lines"}]) from None
    try:
        return read_all([parsed(line) for line in lines])
    except ValueError:
        return [_of_line(line) for line in lines]


def _of_line(line: bytes) -> Read:
    try:
        return read(parsed(line))
    except ValueError:
        return FactRefusedError("The line is not a JSON object.", code="invalid_row")


@router.post(
    "/consume",
    response_model=ConsumeAnswer | ConsumeBatchAnswer,
    responses=guarded(*READING_A_BODY, *REPEATABLE, 402, 503),
)
def consume(access: Using, request: ConsumeBody, key: IdempotencyKey) -> Response:
    """Takes a quantity only if the allowance and the credits still have it.

    With `consumes` up to 1 000 at once: each is decided in order and has its own result, and a refused one leaves the
    others alone.
    """
    if isinstance(request, ConsumeBatch):
        return consume_many(access, request, key)
    wanted: dict[str, Any] = {"mode": request.mode, "key": key}
    with access.single() as context:
        consumed = debits.take(context, request.metric, request.quantity, **wanted)
    if consumed is None:
        with access.writing() as context:
            consumed = consumption.consume(context, request.metric, request.quantity, **wanted)
    return told_of_consume(request, consumed)


one_of_many = TypeAdapter(ConsumeOne)


def consume_many(access: OrganizationAccess, request: ConsumeBatch, key: str) -> Response:
    """Up to 1 000 consumes, each with a result. Raises InvalidError `idempotency_mismatch` for another body's key."""
    results: dict[int, ConsumeResult] = {}
    wanted: dict[int, debits.Wanted] = {}
    for place, sent in enumerate(request.consumes):
        try:
            one = one_of_many.validate_python(sent)
        except ValidationError as error:
            results[place] = _refused("invalid_fields", _mistakes(error))
        else:
            own = one.key or f"{key}{OF_MANY}{place}"
            wanted[place] = debits.Wanted(one.metric, one.quantity, one.mode, own)
    whole = batches.Whole(key, request.consumes)
    decided = batches.consume_many(access.writing, list(wanted.values()), whole)
    outcomes = Counter(_outcome(each.quantity, found) for each, found in zip(wanted.values(), decided, strict=True))
    for outcome, count in outcomes.items():
        monitoring.decisions.labels("consume", outcome).inc(count)
    results |= {place: _result(each, found) for (place, each), found in zip(wanted.items(), decided, strict=True)}
    return written(ConsumeBatchAnswer(results=[results[place] for place in range(len(request.consumes))]))


OF_MANY = "\x1f"
"""Between a request's key and the place of one of its consumes: no key that is sent contains it."""


def _result(wanted: debits.Wanted, found: batches.Outcome) -> ConsumeResult:
    if isinstance(found, BillingError):
        return _refused(found.code, found.detail)
    refusal = None if found.accepted else consumption.exhausted(wanted.metric, wanted.quantity, found)
    return ConsumeResult(
        accepted=found.accepted,
        used=found.used,
        allowance=found.allowance,
        credits=found.credits,
        replayed=found.repeated,
        code=None if refusal is None else refusal.code,
        detail=None if refusal is None else refusal.detail,
    )


def _refused(code: str, detail: str) -> ConsumeResult:
    return ConsumeResult(accepted=0, used=None, allowance=None, credits=None, replayed=False, code=code, detail=detail)


def _mistakes(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'consume'}: {each['msg']}" for each in found)


def _outcome(quantity: int, consumed: batches.Outcome) -> str:
    if isinstance(consumed, BillingError):
        return "refused"
    return "refused" if not consumed.accepted else "allowed" if consumed.accepted == quantity else "partly"


def told_of_consume(request: ConsumeRequest, consumed: ConsumeAnswer) -> Response:
    """What was taken, or the refusal of one of which nothing was (CreditsExhaustedError)."""
    monitoring.decisions.labels("consume", _outcome(request.quantity, consumed)).inc()
    if consumed.accepted == 0:
        raise consumption.exhausted(request.metric, request.quantity, consumed)
    return written(consumed, {REPEATED: "true"} if consumed.repeated else None)


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
