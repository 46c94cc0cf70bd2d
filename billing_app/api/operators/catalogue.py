"""The catalogue as operators edit it: looked at first, and never on top of somebody else's edit."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from billing_app.api.common.access import OutsideAccess, RequireOperator
from billing_app.api.common.problems import READING_A_BODY, guarded
from billing_app.api.common.schemas import DEFAULT_LIST, Items, Limit, Number, page_of
from billing_app.api.operators.catalogue_schemas import (
    CatalogueEditRequest,
    CatalogueFileAnswer,
    CatalogueRequest,
    MistakeAnswer,
    PreviewAnswer,
    PushedAnswer,
    RebasedAnswer,
    RebaseRequest,
    SavedAnswer,
    ValidationAnswer,
    VersionAnswer,
)
from billing_app.domain.catalogue import parse_catalog, to_document, to_json
from billing_app.gateways.stripe.payments import payments_of
from billing_app.services.common import cursors
from billing_app.services.operators import catalogue_editor, catalogue_edits, catalogue_effects
from billing_app.services.operators.views_catalogue import CatalogueAnswer, FileState
from billing_app.services.payments import stripe_names

router = APIRouter(prefix="/admin/catalogue", tags=["operator"])

Operating = Annotated[OutsideAccess, Depends(RequireOperator())]


@router.get("", response_model=CatalogueAnswer, responses=guarded(503))
def catalogue_in_force(access: Operating) -> CatalogueAnswer:
    """The catalogue in force, with everything that customers do not see of it. Edits are based on its `version`."""
    with access.reading() as context:
        head, current = catalogue_edits.editing(context.session, context.now)
        document = to_document(stripe_names.named(context.session, current))
        return CatalogueAnswer(
            version=head.version, effective_at=head.effective_at, source=head.source, document=document, now=context.now
        )


@router.put("", response_model=SavedAnswer, responses=guarded(*READING_A_BODY, 409, 503))
def save_catalogue(access: Operating, request: CatalogueEditRequest) -> SavedAnswer:
    """Saves an edit as a version from now on, or as a correction of the one in force.

    409 `catalogue_changed` if it is not based on the version in force, `catalogue_refused` if it contradicts what has
    happened; 422 `catalogue_invalid` with every mistake. Saving the same again changes nothing.
    """
    with access.writing() as context:
        result = catalogue_edits.save(
            context.session,
            request.document,
            context.now,
            based_on=request.based_on,
            correcting=request.correcting,
            actor=context.actor,
        )
        return SavedAnswer.model_validate(result)


@router.get(
    "/plans.json",
    response_class=Response,
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}, **guarded(503)},
)
def export_catalogue(access: Operating) -> Response:
    """The catalogue in force as the file that it is loaded from."""
    with access.reading() as context:
        current = stripe_names.named(context.session, catalogue_edits.editing(context.session, context.now)[1])
    headers = {"Content-Disposition": 'attachment; filename="plans.json"'}
    return Response(to_json(current), media_type="application/json", headers=headers)


@router.get("/file", response_model=CatalogueFileAnswer, responses=guarded(422, 503))
def catalogue_file(access: Operating) -> CatalogueFileAnswer:
    """What plans.json on the server says now, and what the next start would do with it."""
    file = access.application.settings.catalogue_file
    with access.reading() as context:
        found = catalogue_editor.catalogue(context.session, context.now, file).file
    document = None if found.state is FileState.BROKEN else dict(catalogue_editor.from_file(file))
    return CatalogueFileAnswer(state=found.state.value, says=list(found.says), document=document)


@router.post("/rebase", response_model=RebasedAnswer, responses=guarded(*READING_A_BODY, 503))
def rebase_catalogue(access: Operating, request: RebaseRequest) -> RebasedAnswer:
    """Rebases an edit that another one overtook onto the version in force. Saves nothing.

    `both` are the places that both had changed: there the edit wins. 422 `catalogue_invalid` with every mistake.
    """
    with access.reading() as context:
        edit = to_document(parse_catalog(request.document, "the edit"))
        head, document, both = catalogue_edits.rebased(context.session, edit, context.now, based_on=request.based_on)
    return RebasedAnswer(version=head.version, document=document, both=list(both))


@router.post("/push", response_model=Items[PushedAnswer], responses=guarded(409, 422, 503))
def push_catalogue(access: Operating) -> dict[str, Any]:
    """Creates at Stripe the products and prices of the catalogue. Answers what was done; repeating it does nothing."""
    settings = access.application.settings
    done = stripe_names.push(access.reading, access.writing, lambda: payments_of(settings))
    return {"items": [PushedAnswer.of(step) for step in done]}


@router.post("/validate", response_model=ValidationAnswer, responses=guarded(*READING_A_BODY))
def validate_catalogue(access: Operating, request: CatalogueRequest) -> ValidationAnswer:
    """Every mistake of a catalogue, with its place. Mistakes are the answer here, not a refusal."""
    access.check()
    found = catalogue_edits.mistakes(request.document)
    return ValidationAnswer(
        sound=not found, mistakes=[MistakeAnswer(path=each.path, message=each.message) for each in found]
    )


@router.post("/preview", response_model=PreviewAnswer, responses=guarded(*READING_A_BODY, 409, 503))
def preview_catalogue(access: Operating, request: CatalogueEditRequest) -> PreviewAnswer:
    """What saving an edit would change, and which organizations it would affect. Refused if saving it would be."""
    with access.reading() as context:
        return PreviewAnswer.of(
            catalogue_effects.preview(
                context.session,
                request.document,
                context.now,
                based_on=request.based_on,
                correcting=request.correcting,
            )
        )


@router.get("/versions", response_model=Items[VersionAnswer], responses=guarded(422, 503))
def catalogue_versions(
    access: Operating,
    limit: Limit = DEFAULT_LIST,
    cursor: Annotated[str | None, Query(max_length=cursors.MAX_CURSOR)] = None,
) -> dict[str, Any]:
    """Everything that was ever saved or loaded, the newest first, with what each changed."""
    before = cursors.decode(cursor, int)
    with access.reading() as context:
        found = catalogue_edits.versions(context.session, context.now, limit + 1, before[0] if before else None)
    return page_of([VersionAnswer.model_validate(each) for each in found], limit, lambda version: (version.version,))


@router.get("/versions/{version}", response_model=CatalogueAnswer, responses=guarded(422, 503))
def catalogue_version(access: Operating, version: Number) -> CatalogueAnswer:
    """An earlier version, whole: saving its document again restores it."""
    with access.reading() as context:
        head = catalogue_edits.head_of(context.session, version)
        document = to_document(catalogue_edits.of_number(context.session, version))
        return CatalogueAnswer(
            version=head.version, effective_at=head.effective_at, source=head.source, document=document, now=context.now
        )
