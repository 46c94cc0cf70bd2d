"""A voting process as it is prepared: what it asks, whom, and what sending its reminders uses.

Running the vote is the SaaS product's own work. Here a process is a draft that is filled in, a published process that
counts against the plan, and one that has ended.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from billing_app.domain.catalogue import VotingType
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.processes.voting import EMAIL_REMINDER, EMAILS, SMS, SMS_NOTIFICATION

MAX_TITLE = 200
MAX_DESCRIPTION = 5_000
MAX_QUESTIONS = 50
MAX_ANSWERS = 50
"""More than this on one ballot is not answered by anybody, and a draft stays small enough to be saved at each pause."""

MAX_CENSUS = 10**9
"""Voters: more than any electorate."""

MAX_REMINDERS = 10
"""Times that each voter is written to."""

MAX_FEATURES = 50


class ProcessState(StrEnum):
    """Where a process is. Only published ones count against the plan."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CLOSED = "closed"
    CANCELLED = "cancelled"


def outcome_in(text: str) -> ProcessState:
    """How a process ends. Raises InvalidError `invalid_process` for a word that is neither."""
    if text not in (ProcessState.CLOSED, ProcessState.CANCELLED):
        raise InvalidError("A process is closed or cancelled.", code="invalid_process")
    return ProcessState(text)


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its possible answers."""

    title: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that somebody fills in. A draft may be incomplete; a published process is not.

    `census` is the number of voters. `email_reminders` and `sms_reminders` are how often each of them is written to.
    """

    title: str = ""
    description: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    questions: tuple[Question, ...] = ()
    census: int = 0
    voting_type: str = VotingType.SINGLE.value
    features: tuple[str, ...] = ()
    email_reminders: int = 0
    sms_reminders: int = 0

    @property
    def used(self) -> dict[str, int]:
        """What publishing uses, per metric: one message to each voter for each reminder."""
        found = {EMAILS: self.census * self.email_reminders, SMS: self.census * self.sms_reminders}
        return {metric: quantity for metric, quantity in found.items() if quantity}

    @property
    def needed_features(self) -> tuple[str, ...]:
        """The features that it uses: those chosen, and those that its reminders are."""
        needed = dict.fromkeys(self.features)
        if self.email_reminders:
            needed[EMAIL_REMINDER] = None
        if self.sms_reminders:
            needed[SMS_NOTIFICATION] = None
        return tuple(needed)


@dataclass(frozen=True, slots=True)
class Missing:
    """Something without which a process can't be published: the step of the wizard, and a sentence."""

    step: str
    detail: str


def checked(content: Content) -> Content:
    """Content within its bounds, tidied. Raises InvalidError `invalid_process` with the `field`."""
    texts = [("title", content.title, MAX_TITLE), ("description", content.description, MAX_DESCRIPTION)]
    texts += [(f"questions.{i}.title", each.title, MAX_TITLE) for i, each in enumerate(content.questions)]
    texts += [
        (f"questions.{i}.answers.{j}", answer, MAX_TITLE)
        for i, each in enumerate(content.questions)
        for j, answer in enumerate(each.answers)
    ]
    for name, text, longest in texts:
        if len(text) > longest:
            raise _wrong(name, f"It has at most {longest} characters.")
        if any(ord(character) < 32 and character not in "\n\t" for character in text) or "\x7f" in text:
            raise _wrong(name, "It has a control character in it.")
    counts = [("questions", len(content.questions), MAX_QUESTIONS), ("features", len(content.features), MAX_FEATURES)]
    counts += [(f"questions.{i}.answers", len(each.answers), MAX_ANSWERS) for i, each in enumerate(content.questions)]
    for name, count, most in counts:
        if count > most:
            raise _wrong(name, f"There are at most {most}.")
    numbers = [
        ("census", content.census, MAX_CENSUS),
        ("email_reminders", content.email_reminders, MAX_REMINDERS),
        ("sms_reminders", content.sms_reminders, MAX_REMINDERS),
    ]
    for name, number, most in numbers:
        if not 0 <= number <= most:
            raise _wrong(name, f"It is a whole number from 0 to {most}.")
    if content.voting_type not in set(VotingType):
        raise _wrong("voting_type", f"It is one of {', '.join(VotingType)}.")
    return replace(content, title=content.title.strip(), features=tuple(dict.fromkeys(content.features)))


def missing(content: Content, now: datetime) -> list[Missing]:
    """What has to be filled in before it can be published, in the order of the wizard's steps."""
    found = []
    if not content.title:
        found.append(Missing("information", "Give the process a title."))
    if content.starts_at and content.ends_at and content.ends_at <= content.starts_at:
        found.append(Missing("information", "The end comes after the start."))
    elif content.ends_at and content.ends_at <= now:
        found.append(Missing("information", "The end has passed already."))
    if not content.questions:
        found.append(Missing("questions", "Ask at least one question."))
    for number, question in enumerate(content.questions, start=1):
        answers = [answer.strip() for answer in question.answers]
        if not question.title.strip():
            found.append(Missing("questions", f"Question {number} has no text."))
        if len([answer for answer in answers if answer]) < 2:
            found.append(Missing("questions", f"Question {number} needs two answers to choose from."))
        elif len(set(filter(None, answers))) < len(list(filter(None, answers))):
            found.append(Missing("questions", f"Question {number} has the same answer twice."))
    if content.census < 1:
        found.append(Missing("census", "Say how many voters there are."))
    return found


def encode(content: Content) -> str:
    """The content as it is stored."""
    return json.dumps(
        {
            "title": content.title,
            "description": content.description,
            "starts_at": content.starts_at.isoformat() if content.starts_at else None,
            "ends_at": content.ends_at.isoformat() if content.ends_at else None,
            "questions": [{"title": each.title, "answers": list(each.answers)} for each in content.questions],
            "census": content.census,
            "voting_type": content.voting_type,
            "features": list(content.features),
            "email_reminders": content.email_reminders,
            "sms_reminders": content.sms_reminders,
        },
        ensure_ascii=False,
    )


def decode(text: str) -> Content:
    """Stored content."""
    found: Mapping[str, Any] = json.loads(text)
    return Content(
        title=found["title"],
        description=found["description"],
        starts_at=_moment(found["starts_at"]),
        ends_at=_moment(found["ends_at"]),
        questions=tuple(Question(each["title"], tuple(each["answers"])) for each in found["questions"]),
        census=found["census"],
        voting_type=found["voting_type"],
        features=tuple(found["features"]),
        email_reminders=found["email_reminders"],
        sms_reminders=found["sms_reminders"],
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _wrong(field: str, sentence: str) -> InvalidError:
    return InvalidError(f"{field}: {sentence}", code="invalid_process", field=field)
