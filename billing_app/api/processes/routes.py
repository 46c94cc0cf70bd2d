"""Features and ways of voting, and processes: drafts, publishing against the plan, and the end."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from billing_app.api.common.access import OrganizationAccess, RequireOrganization
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.common.schemas import DEFAULT_LIST, Items, Limit, page_of
from billing_app.api.processes.schemas import (
    EndRequest,
    FeaturesAnswer,
    FeaturesRequest,
    ProcessAnswer,
    ProcessChange,
    ProcessCreation,
)
from billing_app.domain.common.access import ADMIN_ROLES, ALL_ROLES, READ_SCOPES, Scope
from billing_app.domain.processes.processes import ProcessState
from billing_app.domain.processes.voting import OptionKind
from billing_app.services.common import cursors
from billing_app.services.limits import features as options
from billing_app.services.processes import processes

router = APIRouter(prefix="/organizations/{address}", tags=["processes"])

Reading = Annotated[OrganizationAccess, Depends(RequireOrganization(ALL_ROLES, READ_SCOPES))]
Changing = Annotated[OrganizationAccess, Depends(RequireOrganization(ADMIN_ROLES, frozenset({Scope.ADMIN})))]
ProcessId = Annotated[UUID, Path(description="the id from the answer that made the process")]


@router.get("/features", response_model=FeaturesAnswer, responses=guarded(422, 503))
def features(access: Reading) -> FeaturesAnswer:
    """Every feature and way of voting: on, off, or locked with the plans that have it."""
    with access.reading() as context:
        return FeaturesAnswer.of(options.available(context))


@router.put("/features", response_model=FeaturesAnswer, responses=guarded(*READING_A_BODY, 503))
def switch_features(access: Changing, request: FeaturesRequest) -> FeaturesAnswer:
    """Switches what the plan includes on or off: all that is named, or nothing."""
    wanted = {(OptionKind.FEATURE, name): on for name, on in request.features.items()}
    wanted |= {(OptionKind.VOTING_TYPE, name): on for name, on in request.voting_types.items()}
    with access.writing() as context:
        found = options.switch(context, wanted)
        return FeaturesAnswer.of(found)


@router.get("/processes", response_model=Items[ProcessAnswer], responses=guarded(422, 503))
def list_processes(
    access: Reading,
    state: Literal["draft", "published", "closed", "cancelled"] | None = None,
    limit: Limit = DEFAULT_LIST,
    cursor: str = "",
) -> dict[str, Any]:
    """Processes, the newest first."""
    before = cursors.decode(cursor, UUID)
    with access.reading() as context:
        found = processes.listed(
            context.session, context.organization, limit + 1, state=state or "", before=before[0] if before else None
        )
        shown = [ProcessAnswer.of_process(each) for each in found]
    return page_of(shown, limit, lambda process: (process.id,))


@router.post(
    "/processes", status_code=201, response_model=ProcessAnswer, responses=guarded(*READING_A_BODY, 402, 409, 503)
)
def create_process(access: Changing, request: ProcessCreation) -> ProcessAnswer:
    """Creates a draft, or with `publish` publishes at once."""
    content = request.content()
    with access.writing() as context:
        made = processes.publish_new(context, content) if request.publish else processes.create(context, content)
        return ProcessAnswer.of_process(made)


@router.get("/processes/{process_id}", response_model=ProcessAnswer, responses=guarded(422, 503))
def read_process(access: Reading, process_id: ProcessId) -> ProcessAnswer:
    """One process."""
    with access.reading() as context:
        return ProcessAnswer.of_process(processes.get(context.session, context.organization, process_id))


@router.patch("/processes/{process_id}", response_model=ProcessAnswer, responses=guarded(*READING_A_BODY, 409, 503))
def change_process(access: Changing, process_id: ProcessId, request: ProcessChange) -> ProcessAnswer:
    """Changes a draft; only what is named."""
    with access.writing() as context:
        before = processes.get(context.session, context.organization, process_id)
        content = request.applied_to(before.content)
        return ProcessAnswer.of_process(processes.save(context, process_id, content, revision=request.revision))


@router.delete("/processes/{process_id}", status_code=204, responses=guarded(422, 409, 503))
def discard_process(access: Changing, process_id: ProcessId) -> None:
    """Deletes a draft. What was published is kept."""
    with access.writing() as context:
        processes.discard(context, process_id)


@router.post("/processes/{process_id}/publish", response_model=ProcessAnswer, responses=guarded(422, 402, 409, 503))
def publish_process(access: Changing, process_id: ProcessId) -> ProcessAnswer:
    """Publishes a draft, all or nothing. Publishing twice is once."""
    with access.writing() as context:
        return ProcessAnswer.of_process(processes.publish(context, process_id))


@router.post(
    "/processes/{process_id}/close", response_model=ProcessAnswer, responses=guarded(*READING_A_BODY, 409, 503)
)
def close_process(access: Changing, process_id: ProcessId, request: EndRequest) -> ProcessAnswer:
    """Ends a process that has run; messages that were not sent are given back."""
    return _end(access, process_id, ProcessState.CLOSED, request)


@router.post(
    "/processes/{process_id}/cancel", response_model=ProcessAnswer, responses=guarded(*READING_A_BODY, 409, 503)
)
def cancel_process(access: Changing, process_id: ProcessId, request: EndRequest) -> ProcessAnswer:
    """Ends a process that does not run; messages are given back, but for those that are said to have been sent."""
    return _end(access, process_id, ProcessState.CANCELLED, request)


def _end(access: OrganizationAccess, process_id: UUID, outcome: ProcessState, request: EndRequest) -> ProcessAnswer:
    with access.writing() as context:
        ended = processes.end(context, process_id, outcome, sent=request.sent())
        return ProcessAnswer.of_process(ended)
