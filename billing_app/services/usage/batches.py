"""Many consumes of one request: decided in order, metric by metric, each with its own answer and its own key.

What fits is taken by statements that do not grow with it; the rest is decided one by one. A transaction is of one
metric and short, so that nobody waits for it for long; one that is killed between two leaves what is committed, and the
same request again answers that and goes on.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from sqlalchemy.exc import IntegrityError

from billing_app.domain.common.errors import BillingError
from billing_app.services.common.context import Context
from billing_app.services.usage import consumption, debits
from billing_app.services.usage.debits import ConsumeAnswer, Wanted

MAX_CONSUMES = 1_000
"""Of one request."""

AT_ONCE = 250
"""Of one transaction at most."""

SECONDS = 0.2
"""When a transaction takes no more."""

Outcome = ConsumeAnswer | BillingError
"""What became of one: an answer, of which 0 may be accepted, or why it could not be decided."""

Enter = Callable[[], AbstractContextManager[Context]]


def consume_many(enter: Enter, wanted: Sequence[Wanted]) -> list[Outcome]:
    """What became of each, in the order in which they were sent. Of one metric, each finds what those before it left.

    A refused one leaves the others alone. Raises ForbiddenError `organization_inactive`, and what keeps all from being
    decided (no database): what was decided by then stands, and is answered again by its keys.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(wanted):
        places[each.metric].append(place)
    found: dict[int, Outcome] = {}
    for _, of_metric in sorted(places.items()):
        waiting = of_metric
        while waiting:
            decided = _decided(enter, [wanted[place] for place in waiting[:AT_ONCE]])
            found.update(zip(waiting, decided, strict=False))
            waiting = waiting[len(decided) :]
    return [found[place] for place in range(len(wanted))]


def _decided(enter: Enter, wanted: Sequence[Wanted]) -> list[Outcome]:
    """The first of them, at least one, in one transaction."""
    try:
        with enter() as context:
            return _in_order(context, wanted, time.monotonic() + SECONDS)
    except IntegrityError:  # somebody used one of the keys meanwhile: nothing of this is written
        with enter() as context:
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
