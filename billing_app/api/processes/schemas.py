"""Features, ways of voting, and processes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from billing_app.api.common.schemas import WHOLE, Answer, Flag, Moment, Name, Request
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.domain.processes.processes import (
    MAX_ANSWERS,
    MAX_CENSUS,
    MAX_DESCRIPTION,
    MAX_FEATURES,
    MAX_QUESTIONS,
    MAX_REMINDERS,
    MAX_TITLE,
    Content,
    Question,
)
from billing_app.domain.processes.voting import Option, OptionKind
from billing_app.services.processes.processes import Shown

WRITTEN = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
"""Text of one or more lines, without other control characters."""

Title = Annotated[str, StringConstraints(max_length=MAX_TITLE, pattern=r"^[^\x00-\x1f\x7f]*$")]
Description = Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION, pattern=WRITTEN)]
Census = Annotated[int, Field(strict=True, ge=0, le=MAX_CENSUS, description="number of voters"), WHOLE]
Reminders = Annotated[
    int, Field(strict=True, ge=0, le=MAX_REMINDERS, description="times each voter is written to"), WHOLE
]
VotingTypeName = Literal["single", "multiple", "approval", "cumulative", "ranked", "weighted"]


class OptionAnswer(Answer):
    """A feature or way of voting. `plans` are those on offer that have it; `until` is when an override ends."""

    id: str
    name: str
    description: str
    state: Literal["on", "off", "locked"]
    plans: list[str]
    overridden: bool
    until: datetime | None


class FeaturesAnswer(Answer):
    """What the organization may use: `on`, `off` (an admin has switched it off) or `locked` (not in the plan)."""

    features: list[OptionAnswer]
    voting_types: list[OptionAnswer]

    @classmethod
    def of(cls, found: tuple[Option, ...]) -> FeaturesAnswer:
        """Options by kind."""
        return cls(
            features=[OptionAnswer.model_validate(each) for each in found if each.kind is OptionKind.FEATURE],
            voting_types=[OptionAnswer.model_validate(each) for each in found if each.kind is OptionKind.VOTING_TYPE],
        )


class FeaturesRequest(Request):
    """What to switch, by id; what is not named stays as it is."""

    features: dict[Name, Flag] = Field(default_factory=dict, max_length=MAX_FEATURES)
    voting_types: dict[VotingTypeName, Flag] = Field(default_factory=dict)


class QuestionBody(Request):
    """A question and the answers to choose from."""

    title: Title = ""
    answers: list[Title] = Field(default_factory=list, max_length=MAX_ANSWERS)


class ProcessRequest(Request):
    """A draft as a whole. It may be incomplete until it is published."""

    title: Title = ""
    description: Description = ""
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    questions: list[QuestionBody] = Field(default_factory=list, max_length=MAX_QUESTIONS)
    census: Census = 0
    voting_type: VotingTypeName = "single"
    features: list[Name] = Field(default_factory=list, max_length=MAX_FEATURES)
    email_reminders: Reminders = 0
    sms_reminders: Reminders = 0

    def content(self) -> Content:
        """As the services take it."""
        return Content(
            title=self.title,
            description=self.description,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            questions=tuple(Question(each.title, tuple(each.answers)) for each in self.questions),
            census=self.census,
            voting_type=self.voting_type,
            features=tuple(self.features),
            email_reminders=self.email_reminders,
            sms_reminders=self.sms_reminders,
        )


class ProcessCreation(ProcessRequest):
    """A new process: a draft, or with `publish` published at once, which takes no place among the drafts."""

    publish: Flag = False


class ProcessChange(Request):
    """What to change of a draft. With `revision` only if it still is the one that was read."""

    revision: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY), WHOLE] | None = None
    title: Title | None = None
    description: Description | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    questions: list[QuestionBody] | None = Field(default=None, max_length=MAX_QUESTIONS)
    census: Census | None = None
    voting_type: VotingTypeName | None = None
    features: list[Name] | None = Field(default=None, max_length=MAX_FEATURES)
    email_reminders: Reminders | None = None
    sms_reminders: Reminders | None = None

    def applied_to(self, content: Content) -> Content:
        """The content with what was sent; a date that was sent as null is taken away."""
        sent = self.model_dump(exclude={"revision"}, exclude_unset=True)
        dates = {name: sent[name] for name in ("starts_at", "ends_at") if name in sent}
        before = ProcessRequest.model_validate(ProcessBody.of(content).model_dump())
        others = {name: value for name, value in sent.items() if value is not None}
        return ProcessRequest.model_validate(before.model_dump() | others | dates).content()


class EndRequest(Request):
    """How many messages went out; without a word a closed process has sent all of them, a cancelled one none."""

    emails_sent: Census | None = None
    sms_sent: Census | None = None

    def sent(self) -> dict[str, int]:
        """By metric."""
        given = {"emails": self.emails_sent, "sms": self.sms_sent}
        return {metric: count for metric, count in given.items() if count is not None}


class QuestionAnswer(Answer):
    """A question and the answers to choose from."""

    title: str
    answers: list[str]


class ProcessBody(Answer):
    """What was filled in."""

    title: str
    description: str
    starts_at: datetime | None
    ends_at: datetime | None
    questions: list[QuestionAnswer]
    census: int
    voting_type: str
    features: list[str]
    email_reminders: int
    sms_reminders: int

    @classmethod
    def of(cls, content: Content) -> ProcessBody:
        """Content as JSON has it."""
        return cls.model_validate(content)


class ProcessAnswer(ProcessBody):
    """A process. `used` is what publishing takes, or took, per metric; `revision` grows with each change."""

    id: UUID
    state: Literal["draft", "published", "closed", "cancelled"]
    revision: int
    used: dict[str, int]
    created_at: datetime
    changed_at: datetime
    published_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of_process(cls, shown: Shown) -> ProcessAnswer:
        """A stored process."""
        row = shown.row
        return cls(
            **ProcessBody.of(shown.content).model_dump(),
            id=row.id,
            state=row.state,  # ty: ignore[invalid-argument-type]  the database holds it to these
            revision=row.revision,
            used=shown.content.used,
            created_at=row.created_at,
            changed_at=row.changed_at,
            published_at=row.published_at,
            ended_at=row.ended_at,
        )
