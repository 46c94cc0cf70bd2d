"""The catalogue as operators edit it: edits, versions, mistakes, and whom an edit affects."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from billing_app.api.common.schemas import WHOLE, Answer, Flag, Request
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.services.operators.views_catalogue import Affected, MetricEffect, Preview
from billing_app.services.payments.stripe_catalogue import Step


def _writable(document: dict[str, Any]) -> dict[str, Any]:
    """Python reads JSON that is none: NaN and halves of characters. What cannot be written again is not a document."""
    try:
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("this is not JSON that can be stored") from None
    return document


class CatalogueRequest(Request):
    """A whole catalogue, as plans.json has it."""

    document: Annotated[dict[str, Any], AfterValidator(_writable)]


class CatalogueEditRequest(CatalogueRequest):
    """An edit: `based_on` is the version that it began with. `correcting` replaces it as if it had never held."""

    based_on: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY), WHOLE]
    correcting: Flag = False


class RebaseRequest(CatalogueRequest):
    """An edit that began with version `based_on`."""

    based_on: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY), WHOLE]


class RebasedAnswer(Answer):
    """The edit on top of `version`, and the places that both had changed."""

    version: int
    document: dict[str, Any]
    both: list[str]


class CatalogueFileAnswer(Answer):
    """plans.json on the server beside the catalogue in force.

    `state` is known (it says nothing new), waiting (the next start loads it), conflict (it would undo what was edited
    since, so it is left) or broken (no `document`); `says` are the places or the mistakes.
    """

    state: str
    says: list[str]
    document: dict[str, Any] | None


class PushedAnswer(Answer):
    """What was done at Stripe about one price."""

    deed: str
    lookup_key: str
    name: str
    price_cents: int
    currency: str
    interval: str

    @classmethod
    def of(cls, step: Step) -> PushedAnswer:
        """The answer for one step."""
        offer = step.offer
        return cls(
            deed=step.deed.value,
            lookup_key=offer.lookup_key,
            name=offer.product.name,
            price_cents=offer.price_cents,
            currency=offer.currency,
            interval=offer.interval,
        )


class ChangeAnswer(Answer):
    """One difference. `path` names items by their id: `plans.pro.prices.month`."""

    kind: str
    path: str
    before: Any = None
    after: Any = None


class VersionAnswer(Answer):
    """A version, and what it changed of the one before."""

    version: int
    effective_at: datetime
    recorded_at: datetime
    source: str
    corrects: int | None
    corrected_by: int | None
    in_force: bool
    changes: list[ChangeAnswer]


class MistakeAnswer(Answer):
    """One thing to put right, and where."""

    path: str
    message: str


class ValidationAnswer(Answer):
    """Whether a catalogue is sound by itself."""

    sound: bool
    mistakes: list[MistakeAnswer]


class MetricEffectAnswer(Answer):
    """A metric of an organization before and after, as the engine computes it. `allowance` null is unlimited."""

    metric: str
    allowance_before: int | None
    allowance_after: int | None
    left_before: int
    left_after: int
    deficit_before: int
    deficit_after: int
    state_before: str
    state_after: str

    @classmethod
    def of(cls, effect: MetricEffect) -> MetricEffectAnswer:
        """The answer for one effect."""
        return cls(
            metric=effect.metric.id,
            allowance_before=effect.allowance[0], allowance_after=effect.allowance[1],
            left_before=effect.left[0], left_after=effect.left[1],
            deficit_before=effect.deficit[0], deficit_after=effect.deficit[1],
            state_before=effect.state[0].value, state_after=effect.state[1].value,
        )  # fmt: skip


class AffectedAnswer(Answer):
    """An organization that feels an edit."""

    address: str
    name: str
    plan: str
    changes: list[ChangeAnswer]
    metrics: list[MetricEffectAnswer]

    @classmethod
    def of(cls, affected: Affected) -> AffectedAnswer:
        """The answer for one organization."""
        return cls(
            address=affected.address,
            name=affected.name,
            plan=affected.plan,
            changes=[ChangeAnswer.model_validate(change) for change in affected.changes],
            metrics=[MetricEffectAnswer.of(effect) for effect in affected.metrics],
        )


class SavedAnswer(Answer):
    """What saving did or would do. `kept` are plans and packs in use that the document dropped: they stay, retired."""

    version: int | None
    written: bool
    changes: list[ChangeAnswer]
    kept: list[str]


class PreviewAnswer(SavedAnswer):
    """The same, with whom it affects: `affected_count` is all of them, `affected` at most 100, blocked ones first."""

    affected_count: int
    affected: list[AffectedAnswer]

    @classmethod
    def of(cls, preview: Preview) -> PreviewAnswer:
        """The answer for a preview."""
        return cls(
            **SavedAnswer.model_validate(preview.result).model_dump(),
            affected_count=preview.count,
            affected=[AffectedAnswer.of(each) for each in preview.affected],
        )
