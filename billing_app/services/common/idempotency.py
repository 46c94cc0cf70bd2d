"""Requests that may be repeated: the first answer is kept with the work, and given again (api.md, Idempotency).

One transaction takes the key, does the work and keeps the answer, so that there is never one without the others. Work
that talks to the outside takes two transactions and keeps the id of what it began instead (services.purchases.orders).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from sqlmodel import Session

from billing_app.domain.common.errors import BillingError, ConflictError
from billing_app.store.common import idempotency as store

OPERATORS = 0
"""The owner of keys that belong to no organization: all operators share them."""


@dataclass(frozen=True, slots=True)
class Repeatable:
    """What makes two requests the same one. `space` keeps kinds of request apart; `digest` names what they say."""

    owner: int
    space: str
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request came to, now or when its key was first used: `content` as JSON has it, or a refusal."""

    content: Any = None
    refusal: BillingError | None = None
    repeated: bool = False


def once(
    session: Session, request: Repeatable, now: datetime, work: Callable[[], Any], *, private: bool = False
) -> Outcome:
    """Does `work` unless the key was used before, and gives the first outcome.

    `work` gives what JSON can say. A refusal undoes what it wrote and is kept like an answer: a new attempt takes a new
    key (fine point 15). What could not be done now (status 500 and above) is raised, and leaves the key free.
    `private` outcomes hold secrets that are shown once: they are not kept, and repeating is ConflictError
    `answer_not_kept`. Raises InvalidError `idempotency_mismatch`. Two at once: the second waits for the first.
    """
    earlier = store.take(session, request.owner, request.space, request.key, request.digest, now)
    if earlier is not None:
        return _again(earlier)
    try:
        with session.begin_nested():
            outcome = Outcome(work())
    except BillingError as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        outcome = Outcome(refusal=error)
    store.answer(session, request.owner, request.space, request.key, _kept(outcome, private))
    return outcome


def _kept(outcome: Outcome, private: bool) -> str:
    if outcome.refusal is not None:
        error = outcome.refusal
        said = {"detail": error.detail, "code": error.code, "status": error.status, "fields": error.fields}
        return json.dumps({"refusal": said})
    return json.dumps({"private": True} if private else {"content": outcome.content})


def _again(earlier: str) -> Outcome:
    kept = json.loads(earlier)
    if "private" in kept:
        raise ConflictError(
            "This was done by an earlier request with the same key. Its answer contained secrets, "
            "which are shown only once.",
            code="answer_not_kept",
        )
    if "refusal" in kept:
        said = kept["refusal"]
        error = BillingError(said["detail"], code=said["code"], status=said["status"], **said["fields"])
        return Outcome(refusal=error, repeated=True)
    return Outcome(kept["content"], repeated=True)
