"""Reporting usage and asking before an action."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from billing_app.api.schemas.shared import MAX_TEXT, Answer, Moment, Name, Quantity, Request, Text
from billing_app.services.usage import MAX_BATCH, ReportedEvent


class UsageEvent(Request):
    """Something that was used. `id` is yours, once per event: sending it again changes nothing.

    `quantity` is in base units and may be left out with a `subject` (1); `at` may be left out (now).
    """

    id: Text
    metric: Name
    quantity: Quantity | None = None
    subject: Text | None = None
    at: Moment | None = None

    def reported(self) -> ReportedEvent:
        """The event as the service takes it."""
        return ReportedEvent(self.metric, self.quantity, self.subject, self.at, self.id)


class UsageBatch(Request):
    """Up to 1 000 events of one organization."""

    events: Annotated[list[UsageEvent], Field(min_length=1, max_length=MAX_BATCH)]

    def reported(self) -> list[ReportedEvent]:
        """The events as the service takes them."""
        return [event.reported() for event in self.events]


class CloudEventData(Request):
    """The payload of a usage event as a CloudEvent."""

    quantity: Quantity | None = None


class CloudEvent(BaseModel):
    """A CloudEvent 1.0 that reports usage: `type` is the metric, `subject` what is counted, `time` when.

    Its identity is `source` and `id` together, as the CloudEvents specification says. Other attributes are ignored.
    """

    model_config = ConfigDict(extra="ignore")

    specversion: Literal["1.0"]
    id: Text
    source: Text
    type: Name
    subject: Text | None = None
    time: Moment | None = None
    data: CloudEventData | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.key) > MAX_TEXT:
            raise ValueError(f"source and id together have at most {MAX_TEXT - 1} characters")
        return self

    @property
    def key(self) -> str:
        """What makes it the same event when it comes again. A source has no blank in it, so the pair stays apart."""
        return f"{self.source} {self.id}"

    def reported(self) -> ReportedEvent:
        """The event as the service takes it."""
        return ReportedEvent(
            self.type, None if self.data is None else self.data.quantity, self.subject, self.time, self.key
        )


class CloudEventBatch(RootModel[Annotated[list[CloudEvent], Field(min_length=1, max_length=MAX_BATCH)]]):
    """Up to 1 000 CloudEvents of one organization."""

    def reported(self) -> list[ReportedEvent]:
        """The events as the service takes them."""
        return [event.reported() for event in self.root]


class DuplicateAnswer(Answer):
    """An event that was there already. `differs`: it said something else the first time, which stands."""

    index: int
    id: str
    differs: bool


class RejectedAnswer(Answer):
    """An event that was not recorded, with the reason; its id stays free."""

    index: int
    code: str
    detail: str


class UsageAnswer(Answer):
    """What became of a batch."""

    accepted: int
    duplicates: list[DuplicateAnswer]
    rejected: list[RejectedAnswer]


class CheckRequest(Request):
    """May the organization do this? Name either an `action`, or a `metric`.

    An action asks 1 of each of its metrics unless `quantities` says otherwise; a metric asks `quantity`, 1 by default.
    """

    action: Name | None = None
    quantities: dict[Name, Quantity] | None = None
    metric: Name | None = None
    quantity: Quantity | None = None
    subject: Text | None = None

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if (self.action is None) == (self.metric is None):
            raise ValueError("ask for either an action or a metric")
        if self.action is None and self.quantities is not None:
            raise ValueError("quantities belong to an action; a metric takes quantity")
        if self.metric is None and self.quantity is not None:
            raise ValueError("quantity belongs to a metric; an action takes quantities")
        return self


class BlockingAnswer(Answer):
    """A metric that has too little left for what was requested. `allowance` null is unlimited."""

    metric: str
    allowance: int | None
    used: int
    reserved: int
    credits: int
    requested: int


class CheckAnswer(Answer):
    """Whether it is allowed; if not, which metrics block it and which actions still work."""

    allowed: bool
    blocking: list[BlockingAnswer]
    still_works: list[str]
