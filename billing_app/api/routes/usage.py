"""Reporting usage, and asking whether an action may happen."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import Response

from billing_app import monitoring
from billing_app.api.bodies import raw_body
from billing_app.api.documented import READING_A_BODY, behind_a_door
from billing_app.api.doors import Door, OrganizationDoor, Visit
from billing_app.api.schemas.shared import written
from billing_app.api.schemas.usage import (
    AboutAction,
    AboutFeature,
    AboutLimit,
    AboutMetric,
    AboutVotingType,
    CheckAnswer,
    CheckRequest,
    CloudEvent,
    CloudEventBatch,
    UsageAnswer,
    UsageBatch,
)
from billing_app.domain.access import NO_ROLES, Scope
from billing_app.domain.errors import BillingError
from billing_app.services import entitlements, permissions, usage
from billing_app.services.usage import ReportedEvent

router = APIRouter(prefix="/organizations/{address}", tags=["usage"])

BODIES = {
    "application/json": UsageBatch,
    "application/cloudevents-batch+json": CloudEventBatch,
    "application/cloudevents+json": CloudEvent,
}

DOCUMENTED_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            media: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}} for media, model in BODIES.items()
        },
    }
}

Reporting = Annotated[Door, Depends(OrganizationDoor(NO_ROLES, frozenset({Scope.USAGE_WRITE})))]
ASKING = OrganizationDoor(NO_ROLES, frozenset({Scope.CHECK}))
Asking = Annotated[Door, Depends(ASKING)]


@router.post(
    "/usage",
    status_code=202,
    response_model=UsageAnswer,
    responses=behind_a_door(*READING_A_BODY, 415, 503),
    openapi_extra=DOCUMENTED_BODY,
)
def report_usage(
    door: Reporting,
    body: Annotated[bytes, Depends(raw_body)],
    content_type: Annotated[str, Header(include_in_schema=False)] = "application/json",
) -> usage.Report:
    """Records what was used. Good events are kept even if others of the batch are rejected."""
    events = read_events(body, content_type)
    with door.writing() as visit:
        report = usage.report(visit.session, visit.organization, events, visit.now)
    counts = {"accepted": report.accepted, "duplicate": len(report.duplicates), "rejected": len(report.rejected)}
    for outcome, count in counts.items():
        monitoring.usage_events.labels(outcome).inc(count)
    return report


@router.post(
    "/check",
    response_model=CheckAnswer,
    responses=behind_a_door(*READING_A_BODY, 503),
)
def check(door: Asking, question: CheckRequest) -> Response:
    """Whether an action, a quantity of a metric, or something that the plan limits would be allowed now.

    Changes nothing.
    """
    try:
        with door.single(writing=False) as visit:
            answer = _ask(visit, question, door.context.origin, writing=False)
    except entitlements.OutOfDateError:
        with door.writing() as visit:  # the meter is brought up to date and kept
            answer = _ask(visit, question, door.context.origin, writing=True)
    monitoring.decisions.labels("check", "allowed" if answer.allowed else "refused").inc()
    return written(answer)


def _ask(visit: Visit, question: CheckRequest, origin: str, *, writing: bool) -> CheckAnswer:
    here, now = (visit.session, visit.organization), visit.now
    match question:
        case AboutAction():
            told = {"quantities": question.quantities, "subject": question.subject, "writing": writing}
            return CheckAnswer.model_validate(entitlements.check_action(*here, question.action, now, **told))
        case AboutMetric():
            told = {"quantity": question.quantity, "subject": question.subject, "writing": writing}
            return CheckAnswer.model_validate(entitlements.check_metric(*here, question.metric, now, **told))
        case AboutLimit():
            return CheckAnswer.of(permissions.of_limit(*here, question.limit, now, question.quantity), origin)
        case AboutFeature():
            return CheckAnswer.of(permissions.of_feature(*here, question.feature, now), origin)
        case AboutVotingType():
            return CheckAnswer.of(permissions.of_voting_type(*here, question.voting_type, now), origin)


def read_events(body: bytes, content_type: str) -> list[ReportedEvent]:
    """The events of a body in one of the forms.

    Raises RequestValidationError for a body that is not of its form, BillingError `unsupported_media_type` for others.
    """
    media = content_type.partition(";")[0].strip().lower()
    model: Any = BODIES.get(media)
    if model is None:
        raise BillingError(f"Send {' or '.join(BODIES)}, not {media}.", code="unsupported_media_type", status=415)
    try:
        read = model.model_validate_json(body).reported()
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in wrong]) from None
    return read if isinstance(read, list) else [read]
