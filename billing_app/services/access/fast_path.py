"""The short way of `check` and `consume` of a program: its key, its organization and the meters by few statements.

Only what is usual goes this way: a key that was noted just now, an organization that is active and pays for itself,
meters that may be used as they are. All else is answered by None, with nothing written: the usual services then decide,
and say what is wrong (docs/decisions/0015).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from billing_app.db import Database
from billing_app.domain.catalogue import Catalog
from billing_app.domain.common.access import Scope
from billing_app.domain.common.errors import BillingError
from billing_app.domain.common.moments import AHEAD
from billing_app.domain.credits.facts import NEVER
from billing_app.log import get_logger
from billing_app.services.access.api_keys import KEY, USE_NOTED_EVERY
from billing_app.services.catalogue import versions
from billing_app.services.common.secrets import digest
from billing_app.services.common.together import Together
from billing_app.services.usage import debits, entitlements
from billing_app.services.usage.debits import ConsumeAnswer, Wanted
from billing_app.services.usage.entitlements import Answer
from billing_app.store.access import callers
from billing_app.store.access.callers import Caller
from billing_app.store.common import locks

log = get_logger("billing.requests")


LASTING = (OperationalError, InterfaceError, PoolTimeout)
"""Each of those who wait together would wait for the same once more."""


class Asker(NamedTuple):
    """Who asks about which organization, and when."""

    secret: str
    address: str
    now: datetime


class Question(NamedTuple):
    """How much of which metrics; of an action 1 of each that is not named."""

    asker: Asker
    quantities: Mapping[str, int]
    action: str = ""


class Consume(NamedTuple):
    """A quantity that somebody wants to take."""

    asker: Asker
    wanted: Wanted


class Checked(NamedTuple):
    """An answer, and how the log names who asked."""

    answer: Answer
    actor: str


class Taken(NamedTuple):
    """What was taken, and how the log names who took it."""

    consumed: ConsumeAnswer
    actor: str


class FastPath:
    """Of one database."""

    def __init__(self, database: Database, *, leaders: int) -> None:
        """Serves as many meters at once as there are `leaders`; SQLite has one writer."""
        self._database = database
        self._consumes: Together[Consume, Taken | None] = Together(
            self._take, leaders=1 if database.sqlite else leaders, name="consume"
        )
        self._checks: Together[Question, Checked | None] = Together(
            self._answer, leaders=1 if database.sqlite else leaders, name="check"
        )

    def check(self, question: Question) -> Future[Checked | None]:
        """The answer to come. What one organization asks waits for no other's, save on SQLite, a file."""
        return self._checks.ask(None if self._database.sqlite else question.asker.address, question)

    def consume(self, consume: Consume) -> Future[Taken | None]:
        """The same; on PostgreSQL a meter waits for no other."""
        line = None if self._database.sqlite else (consume.asker.address, consume.wanted.metric)
        return self._consumes.ask(line, consume)

    def _answer(self, asked: Sequence[Question]) -> list[Checked | None]:
        with self._database.glance() as connection:
            return [self._checked(connection, each) for each in asked]

    def _checked(self, connection: Connection, question: Question) -> Checked | None:
        now = question.asker.now
        key_hash = _hash(question.asker)
        if key_hash is None:
            return None
        found = callers.with_meters(
            connection, key_hash, question.asker.address, now - USE_NOTED_EVERY, now, now + AHEAD
        )
        seen, current = versions.assumed_in(connection.engine, now) or ("", None)
        if found is None or current is None or found[1] != seen or Scope.CHECK not in found[0].scopes:
            return None
        caller, _, figures = found
        asked = _needs(current, question)
        answer = None if asked is None else entitlements.by_figures(current, figures, asked, question.action)
        return None if answer is None else Checked(answer, _name(caller))

    def _take(self, asked: Sequence[Consume]) -> list[Taken | None]:
        """All in one transaction, each decided by what those before it left.

        What breaks it leaves nothing behind: then each is decided by itself, where its key tells whether it was. A
        database that can't be reached, or a lock that is not to be had, is told to all of them.
        """
        try:
            with self._begun(len(asked)) as connection:
                return list(self._all_taken(connection, asked))
        except (SQLAlchemyError, BillingError) as error:
            if isinstance(error, LASTING) and not locks.is_deadlock(error):
                raise
            log.warning("consumed_one_by_one", waiting=len(asked), cause=type(error).__name__)
            return [None] * len(asked)

    @contextmanager
    def _begun(self, several: int) -> Generator[Connection]:
        """One transaction; on PostgreSQL what comes alone is one statement, and that is its own."""
        with self._database.single() if several == 1 else self._database.writing() as session:
            yield session.connection()

    def _all_taken(self, connection: Connection, asked: Sequence[Consume]) -> Iterator[Taken | None]:
        held: dict[Asker, Caller | None] = {}
        for (who, metric), group in groupby(asked, key=_together):
            together = list(group)
            if who not in held:
                held[who] = _found(connection, together[0].asker)
            caller = held[who]
            if caller is None or Scope.USAGE_WRITE not in caller.scopes:
                yield from [None] * len(together)
                continue
            wanted = [each.wanted for each in together]
            taken = self._of_one_meter(connection, caller.organization_id, metric, wanted, together[-1].asker.now)
            yield from (None if each is None else Taken(each, _name(caller)) for each in taken)

    def _of_one_meter(
        self, connection: Connection, owner: int, metric: str, wanted: Sequence[Wanted], now: datetime
    ) -> Iterator[ConsumeAnswer | None]:
        """Several with statements that do not grow with them; who does not fit leaves those behind it their turn."""
        clock = self._database.clock
        if len(wanted) > 1:
            debits.lock(connection, owner, metric)
        moment = now if clock is None else max(now, clock())
        while wanted:
            if len(wanted) > 1:
                found: list[ConsumeAnswer] = debits.take_own_first(connection, owner, wanted, moment)
                yield from found
                wanted = wanted[len(found) :]
                if wanted:
                    yield None
                    wanted = wanted[1:]
            else:
                (each,) = wanted
                yield debits.take_own(connection, owner, metric, each.quantity, each.mode, each.key, moment)
                wanted = ()


def _together(consume: Consume) -> tuple[Asker, str]:
    """Those of one caller about one meter are decided by the same statements."""
    return consume.asker._replace(now=NEVER), consume.wanted.metric


def _found(connection: Connection, asker: Asker) -> Caller | None:
    key_hash = _hash(asker)
    return None if key_hash is None else callers.find(connection, key_hash, asker.address, asker.now - USE_NOTED_EVERY)


def _hash(asker: Asker) -> str | None:
    return digest(asker.secret) if KEY.fullmatch(asker.secret) else None


def _name(caller: Caller) -> str:
    return f"key:{caller.key_id}"


def _needs(current: Catalog, question: Question) -> Mapping[str, int] | None:
    """What is asked of each metric; None where something about it is wrong."""
    if not question.action:
        return question.quantities if question.quantities.keys() <= set(current.metric_ids) else None
    rule = next((each for each in current.actions if each.id == question.action), None)
    if rule is None or not question.quantities.keys() <= set(rule.metrics):
        return None
    return {metric: question.quantities.get(metric, 1) for metric in rule.metrics}
