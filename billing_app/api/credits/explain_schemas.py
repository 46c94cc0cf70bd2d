"""A balance as the sum of everything that made it. Quantities in the metric's base unit."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from billing_app.api.common.schemas import Answer, Moment, Name
from billing_app.services.credits.views import ExplainStep, ExplainView

StepKind = Literal[
    "grant", "burn", "release", "expire", "void", "refund", "hold", "unhold", "debt", "settle", "convert", "unposted",
    "earlier",
]  # fmt: skip


class ExplainQuery(BaseModel):
    """The query of /explain. Without `metric` what is blocked or runs out first, without `at` now."""

    model_config = ConfigDict(extra="forbid")

    metric: Name | None = None
    at: Moment | None = None


class StepAnswer(Answer):
    """A grant, or everything of one kind that a period did; `balance` is what it was after it.

    `unposted` is what the next recount will add to the ledger; `earlier` sums up what is too old to be listed. Of a
    burn `late_quantity` was reported after its period had ended. `entry` is the number of the last ledger entry.
    """

    kind: StepKind
    at: datetime
    period_start: datetime | None
    period_end: datetime | None
    quantity: int
    balance: int
    source: str | None
    note: str
    entry: int | None
    late_quantity: int

    @classmethod
    def of(cls, step: ExplainStep) -> StepAnswer:
        """The answer for one step."""
        period, label = step.period, step.label
        return cls.model_validate(
            {
                "kind": step.kind,
                "at": step.at,
                "period_start": None if period is None else period.start,
                "period_end": None if period is None else period.end,
                "quantity": step.quantity,
                "balance": step.balance,
                "source": None if label is None else label.source.value,
                "note": "" if label is None else label.note,
                "entry": step.entry,
                "late_quantity": step.late_quantity,
            }
        )


class LaterLineAnswer(Answer):
    """A fact that was learnt later, by the kind of entry that it changed."""

    kind: str
    recorded_at: datetime
    quantity: int


class LaterAnswer(Answer):
    """A balance that was shown otherwise at `at`, and what was learnt since."""

    at: datetime
    shown_then: int
    known_now: int
    lines: list[LaterLineAnswer]


class ExplainAnswer(Answer):
    """The steps sum to `left` minus `debt`."""

    metric: str
    at: datetime
    left: int
    debt: int
    steps: list[StepAnswer]
    later: LaterAnswer | None

    @classmethod
    def of(cls, view: ExplainView) -> ExplainAnswer:
        """The answer for a view."""
        return cls(
            metric=view.metric.id,
            at=view.at,
            left=view.left,
            debt=view.debt,
            steps=[StepAnswer.of(step) for step in view.steps],
            later=None if view.later is None else LaterAnswer.model_validate(view.later),
        )
