"""Reporting usage, and asking whether an action may happen."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, TypeAdapter, ValidationError
from starlette.responses import Response

from billing_app import monitoring
from billing_app.api.common.access import OrganizationAccess, RequestContext, RequireOrganization
from billing_app.api.common.body_limits import raw_body
from billing_app.api.common.framing import media_type
from billing_app.api.common.responses import READING_A_BODY, guarded
from billing_app.api.common.schemas import written
from billing_app.api.usage.schemas import (
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
    UsageAnswer,
    UsageBatch,
)
from billing_app.domain.common.access import NO_ROLES, Scope
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.common.json_objects import Members
from billing_app.domain.usage.reported import Read, parsed, read, read_cloud_event
from billing_app.services.limits import permissions
from billing_app.services.usage import entitlements, reporting
from billing_app.services.usage.reporting import MAX_BATCH

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
        },
    }
}

Reporting = Annotated[OrganizationAccess, Depends(RequireOrganization(NO_ROLES, frozenset({Scope.USAGE_WRITE})))]
ASKING = RequireOrganization(NO_ROLES, frozenset({Scope.CHECK}))
Asking = Annotated[OrganizationAccess, Depends(ASKING)]


@router.post(
    "/usage",
    status_code=202,
    response_model=UsageAnswer,
    responses=guarded(*READING_A_BODY, 503),
    openapi_extra=DOCUMENTED_BODY,
)
def report_usage(
    request: Request,
    access: Reporting,
    body: Annotated[bytes, Depends(raw_body)],
) -> reporting.Report:
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
        return [read(each) for each in events.events]
    return [read_cloud_event(each) for each in (events if isinstance(events, list) else [events])]
