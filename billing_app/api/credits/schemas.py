"""What is asked about credits: filters and pages of lists, and the explanation of a balance."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from billing_app.api.common.schemas import DEFAULT_LIST, Answer, Limit, Moment, Name, Text
from billing_app.services.credits.views import ExplainStep, ExplainView, LaterAnswer

LedgerKind = Literal[
    "grant", "burn", "release", "expire", "void", "refund", "hold", "unhold", "debt", "settle", "convert"
]


class Filters(BaseModel):
    """Query parameters of the lists. `from` is inclusive, `to` exclusive."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    metric: Name | None = None
    start: Moment | None = Field(default=None, alias="from")
    end: Moment | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.start is not None and self.end is not None and self.start > self.end:
            raise PydanticCustomError("order", "`from` is after `to`: nothing can lie between")
        return self


class Paging(BaseModel):
    """Which part of a list."""

    limit: Limit = DEFAULT_LIST
    cursor: Annotated[str, Field(max_length=500)] | None = None


class GrantFilters(Filters):
    """Narrows the grants; `as_of` shows them as they were (or will be) at that moment."""

    as_of: Moment | None = None


class GrantQuery(GrantFilters, Paging):
    """The query of /grants."""


class LedgerFilters(Filters):
    """Narrows the ledger."""

    kind: LedgerKind | None = None
    grant: Text | None = None


class LedgerQuery(LedgerFilters, Paging):
    """The query of /ledger."""


class BalancesQuery(BaseModel):
    """The query of /balances."""

    model_config = ConfigDict(extra="forbid")

    as_of: Moment | None = None


class HistoryQuery(BaseModel):
    """The query of /history. `to` is an earlier end, exclusive; without it the running period is the last one."""

    model_config = ConfigDict(extra="forbid")

    metric: Name | None = None
    to: Moment | None = None


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
            later=view.later,
        )
