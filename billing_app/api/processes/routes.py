"""Processes: drafts, publishing against the plan, and the end."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from billing_app.api.common.access import OrganizationAccess, RequireOrganization
from billing_app.api.common.responses import READING_A_BODY, guarded
from billing_app.api.common.schemas import DEFAULT_LIST, Items, Limit
from billing_app.api.processes.schemas import EndRequest, ProcessAnswer, ProcessChange, ProcessCreation
from billing_app.domain.common.access import ADMIN_ROLES, ALL_ROLES, READ_SCOPES, Scope
from billing_app.domain.processes.processes import ProcessState
from billing_app.services.common import cursors
from billing_app.services.processes import processes

router = APIRouter(prefix="/organizations/{address}/processes", tags=["processes"])

Reading = Annotated[OrganizationAccess, Depends(RequireOrganization(ALL_ROLES, READ_SCOPES))]
Changing = Annotated[OrganizationAccess, Depends(RequireOrganization(ADMIN_ROLES, frozenset({Scope.ADMIN})))]
ProcessId = Annotated[UUID, Path(description="the id from the answer that made the process")]


@router.get("", response_model=Items[ProcessAnswer], responses=guarded(422, 503))
def list_processes(
    access: Reading,
    state: Literal["draft", "published", "closed", "cancelled"] | None = None,
    limit: Limit = DEFAULT_LIST,
    cursor: str = "",
) -> Items[ProcessAnswer]:
    """Processes, the newest first."""
    before = cursors.decode(cursor, UUID)
    with access.reading() as context:
        found = processes.listed(
            context.session, context.organization, limit + 1, state=state or "", before=before[0] if before else None
        )
        shown = [ProcessAnswer.of_process(each) for each in found[:limit]]
    more = len(found) > limit
    return Items(items=shown, next_cursor=cursors.encode(found[limit - 1].row.id) if more else None)


@router.post("", status_code=201, response_model=ProcessAnswer, responses=guarded(*READING_A_BODY, 402, 409, 503))
def create_process(access: Changing, request: ProcessCreation) -> ProcessAnswer:
    """Creates a draft, or with `publish` publishes at once."""
    content = request.content()
    with access.writing() as context:
        made = processes.publish_new(context, content) if request.publish else processes.create(context, content)
        return ProcessAnswer.of_process(made)


@router.get("/{process_id}", response_model=ProcessAnswer, responses=guarded(422, 503))
def read_process(access: Reading, process_id: ProcessId) -> ProcessAnswer:
    """One process."""
    with access.reading() as context:
        return ProcessAnswer.of_process(processes.get(context.session, context.organization, process_id))


@router.patch("/{process_id}", response_model=ProcessAnswer, responses=guarded(*READING_A_BODY, 409, 503))
def change_process(access: Changing, process_id: ProcessId, request: ProcessChange) -> ProcessAnswer:
    """Changes a draft; only what is named."""
    with access.writing() as context:
        before = processes.get(context.session, context.organization, process_id)
        content = request.applied_to(before.content)
        return ProcessAnswer.of_process(processes.save(context, process_id, content, revision=request.revision))


@router.delete("/{process_id}", status_code=204, responses=guarded(422, 409, 503))
def discard_process(access: Changing, process_id: ProcessId) -> None:
    """Deletes a draft. What was published is kept."""
    with access.writing() as context:
        processes.discard(context, process_id)


@router.post("/{process_id}/publish", response_model=ProcessAnswer, responses=guarded(422, 402, 409, 503))
def publish_process(access: Changing, process_id: ProcessId) -> ProcessAnswer:
    """Publishes a draft, all or nothing. Publishing twice is once."""
    with access.writing() as context:
        return ProcessAnswer.of_process(processes.publish(context, process_id))


@router.post("/{process_id}/close", response_model=ProcessAnswer, responses=guarded(*READING_A_BODY, 409, 503))
def close_process(access: Changing, process_id: ProcessId, request: EndRequest) -> ProcessAnswer:
    """Ends a process that has run; messages that were not sent are given back."""
    return _end(access, process_id, ProcessState.CLOSED, request)


@router.post("/{process_id}/cancel", response_model=ProcessAnswer, responses=guarded(*READING_A_BODY, 409, 503))
def cancel_process(access: Changing, process_id: ProcessId, request: EndRequest) -> ProcessAnswer:
    """Ends a process that does not run; messages are given back, but for those that are said to have been sent."""
    return _end(access, process_id, ProcessState.CANCELLED, request)


def _end(access: OrganizationAccess, process_id: UUID, outcome: ProcessState, request: EndRequest) -> ProcessAnswer:
    with access.writing() as context:
        ended = processes.end(context, process_id, outcome, sent=request.sent())
        return ProcessAnswer.of_process(ended)
