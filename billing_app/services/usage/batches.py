"""Many consumes of one request: decided in order, metric by metric, each with its own answer and its own key.

What fits is taken by statements that do not grow with it; the rest is decided one by one. A transaction is of one
metric and short, so that nobody waits for it for long; one that is killed between two leaves what is committed, and the
same request again answers that and goes on.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from sqlalchemy.exc import DBAPIError, IntegrityError

from billing_app.domain.common.errors import BillingError
from billing_app.services.common.context import Context
from billing_app.services.usage import consumption, debits
from billing_app.services.usage.debits import ConsumeAnswer, Wanted
from billing_app.store.common import idempotency, locks

MAX_CONSUMES = 1_000
"""Of one request."""

AT_ONCE = 250
"""Of one transaction at most."""

SECONDS = 0.2
"""When a transaction takes no more."""

Outcome = ConsumeAnswer | BillingError
"""What became of one: an answer, of which 0 may be accepted, or why it could not be decided."""

Enter = Callable[[], AbstractContextManager[Context]]


class Whole(NamedTuple):
    """The request itself: its key, and what was sent with it."""

    key: str
    sent: Sequence[Any]


def consume_many(enter: Enter, wanted: Sequence[Wanted], whole: Whole | None = None) -> list[Outcome]:
    """What became of each, in the order in which they were sent. Of one metric, each finds what those before it left.

    A refused one leaves the others alone. Raises ForbiddenError `organization_inactive`, InvalidError
    `idempotency_mismatch` where the key of the `whole` was used for anything else (fine point 15), and what keeps all
    from being decided (no database): what was decided by then stands, and is answered again by its keys.
    """
    with enter() as context:
        if whole is not None:
            _begin(context, whole)
        found = _earlier(context, wanted)
    places: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(wanted):
        if place not in found:
            places[each.metric].append(place)
    for _, of_metric in sorted(places.items()):
        waiting = of_metric
        while waiting:
            decided = _decided(enter, [wanted[place] for place in waiting[:AT_ONCE]])
            found.update(zip(waiting, decided, strict=False))
            waiting = waiting[len(decided) :]
    return [found[place] for place in range(len(wanted))]


def _begin(context: Context, whole: Whole) -> None:
    """Takes the key of the request before anything is decided. The same request again goes on where it ended."""
    digest = hashlib.sha256(json.dumps(["consumes", *whole.sent], sort_keys=True).encode()).hexdigest()[:32]
    idempotency.take(context.session, context.organization.pk, debits.SPACE, whole.key, digest, context.now)


def _earlier(context: Context, wanted: Sequence[Wanted]) -> dict[int, Outcome]:
    """By place the outcomes of those that were decided before, by their keys: read at once, and before the others."""
    found: dict[int, Outcome] = {}
    known = idempotency.known(context.session, context.organization.pk, debits.SPACE, [each.key for each in wanted])
    for place, each in enumerate(wanted):
        digest, answer = known.get(each.key, ("", ""))
        if digest == debits.digest(each.metric, each.quantity, each.mode):
            found[place] = debits.answered_before(answer)
        elif digest:
            found[place] = idempotency.mismatch(each.key)
    return found


def _decided(enter: Enter, wanted: Sequence[Wanted]) -> list[Outcome]:
    """The first of them, at least one, in one transaction."""
    try:
        with enter() as context:
            return _in_order(context, wanted, time.monotonic() + SECONDS)
    except DBAPIError as error:
        if not isinstance(error, IntegrityError) and not locks.is_deadlock(error):
            raise
    with enter() as context:  # somebody used one of the keys meanwhile: nothing of that was written
        return [_alone(context, wanted[0])]


def _in_order(context: Context, wanted: Sequence[Wanted], until: float) -> list[Outcome]:
    found: list[Outcome] = []
    reach = len(wanted)
    while len(found) < len(wanted) and (not found or time.monotonic() < until):
        asked = wanted[len(found) :][:reach]
        taken = debits.take_first(context, asked)
        found += taken
        reach *= 2
        if len(taken) < len(asked):
            found.append(_alone(context, asked[len(taken)]))
            reach = 1  # who repeats a request, or is out of credits, stops at each: what lies behind is not read again
    return found


def _alone(context: Context, each: Wanted) -> Outcome:
    try:
        with context.session.begin_nested():
            return consumption.consume(context, each.metric, each.quantity, mode=each.mode, key=each.key)
    except BillingError as error:
        return error
