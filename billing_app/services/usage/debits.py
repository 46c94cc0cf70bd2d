"""What nearly every consume is: a quantity that fits whole, taken by arithmetic alone (credits.md, The fast path)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Connection

from billing_app.domain.catalogue import Catalog
from billing_app.domain.common.periods import period_containing
from billing_app.domain.credits.facts import MAX_QUANTITY, Aggregation
from billing_app.services.catalogue import versions
from billing_app.services.common import payers
from billing_app.services.common.answers import Internal
from billing_app.services.common.context import Context
from billing_app.store.common import locks
from billing_app.store.tables.base import new_id
from billing_app.store.usage import debits as store
from billing_app.store.usage import rollups
from billing_app.store.usage.debits import Debit

DEBIT = "debit"
"""The lock of the statement itself. SQLite's was waited for when the transaction began; PostgreSQL's, the meter's, will
be, and the statement adds that by itself."""


class Mode(StrEnum):
    """What consume does with a quantity that does not fit whole."""

    REJECT = "reject"
    CLAMP = "clamp"


@dataclass(frozen=True, slots=True)
class ConsumeAnswer:
    """How much was taken, and where the metric stands after it. `allowance` null is unlimited."""

    accepted: int
    """0 is a refusal."""
    used: int
    allowance: int | None
    credits: int
    repeated: Internal[bool] = False
    """This is the answer to an earlier request with the same key."""


def take(
    context: Context, metric_id: str, quantity: int, *, mode: Mode = Mode.REJECT, key: str | None = None
) -> ConsumeAnswer | None:
    """Takes the whole quantity in one statement; None, with nothing written, where `consumption.consume` must decide.

    It must where the meter is out of date, the catalogue is another than this process knows, the quantity does not fit
    whole, something is to be told, or the key was taken. Raises ForbiddenError `organization_inactive`.
    """
    session, organization, now = context.session, context.organization, context.now
    seen, known = versions.assumed(session, now) or ("", None)
    if known is None or not 1 <= quantity <= MAX_QUANTITY or not is_consumable(known, metric_id):
        return None
    payer, source = payers.route(session, organization, now)
    now = locks.moment_of(session, DEBIT, now)
    figures = store.take(
        session.connection(),
        Debit(
            organization_id=payer.pk,
            metric=metric_id,
            quantity=quantity,
            now=now,
            hour=rollups.hour_of(now),
            catalogue=seen,
            event_id=new_id(),
            source=source,
            period=period_containing(payer.anchor, now).number if source else 0,
            reporter=organization.pk,
            key=key,
            digest=digest(metric_id, quantity, mode),
        ),
    )
    return None if figures is None else ConsumeAnswer(quantity, figures.used, figures.allowance, figures.left)


def take_own(
    connection: Connection, owner: int, metric_id: str, quantity: int, mode: Mode, key: str, now: datetime
) -> ConsumeAnswer | None:
    """The same of an organization that is known to be active and to pay for itself, at a moment read under the lock."""
    seen, known = versions.assumed_in(connection.engine, now) or ("", None)
    if known is None or not 1 <= quantity <= MAX_QUANTITY or not is_consumable(known, metric_id):
        return None
    asked = digest(metric_id, quantity, mode)
    figures = store.take(
        connection,
        Debit(owner, metric_id, quantity, now, rollups.hour_of(now), seen, new_id(), "", 0, owner, key, asked),
    )
    return None if figures is None else ConsumeAnswer(quantity, figures.used, figures.allowance, figures.left)


class Wanted(NamedTuple):
    """A quantity that is to be taken once per key."""

    metric: str
    quantity: int
    mode: Mode
    key: str


def take_first(context: Context, wanted: Sequence[Wanted]) -> list[ConsumeAnswer]:
    """Takes the first of what is wanted of one metric, by `take`'s rules, with statements that do not grow with them.

    It stops before the first that `consumption.consume` must decide. Raises ForbiddenError `organization_inactive`.
    """
    session, organization, now = context.session, context.organization, context.now
    payer, source = payers.route(session, organization, now)
    metric = wanted[0].metric
    if source:  # its share and its pages are counted one by one
        each = wanted[0]
        found = take(context, each.metric, each.quantity, mode=each.mode, key=each.key)
        return [] if found is None else [found]
    connection = session.connection()
    if not store.lock(connection, payer.pk, metric):  # whoever makes the meter has locks of its own to wait for
        return []
    moment = locks.moment_of(session, ("meter", payer.pk, metric), now)
    return take_own_first(connection, payer.pk, wanted, moment)


lock = store.lock
"""Waits for a meter, before `take_own_first`."""


def take_own_first(connection: Connection, owner: int, wanted: Sequence[Wanted], now: datetime) -> list[ConsumeAnswer]:
    """The same of an organization that is known to be active and to pay for itself, whose meter is locked."""
    metric = wanted[0].metric
    seen, known = versions.assumed_in(connection.engine, now) or ("", None)
    if known is None or not is_consumable(known, metric):
        return []
    hour = rollups.hour_of(now)
    debits: list[Debit] = []
    for each in wanted:
        if not 1 <= each.quantity <= MAX_QUANTITY:
            break
        asked = digest(metric, each.quantity, each.mode)
        debits.append(Debit(owner, metric, each.quantity, now, hour, seen, new_id(), "", 0, owner, each.key, asked))
    figures = store.take_many(connection, debits) if debits else []
    return [
        ConsumeAnswer(debit.quantity, after.used, after.allowance, after.left)
        for debit, after in zip(debits, figures, strict=False)
    ]


SPACE = "consume"
"""Keys of consumes, apart from those of other requests (fine point 15)."""


def answered_before(answer: str) -> ConsumeAnswer:
    """The answer that a key has kept."""
    return replace(ConsumeAnswer(**json.loads(answer)), repeated=True)


def is_consumable(current: Catalog, metric_id: str) -> bool:
    """Only a `sum` of the catalogue is (fine point 12)."""
    return metric_id in current.metric_ids and current.metric(metric_id).aggregation is Aggregation.SUM


@lru_cache(maxsize=1_024)
def digest(metric_id: str, quantity: int, mode: Mode) -> str:
    """Names what a request asks, so that a repeated key with another one can be told."""
    return hashlib.sha256(json.dumps(["consume", metric_id, quantity, mode.value]).encode()).hexdigest()[:32]
