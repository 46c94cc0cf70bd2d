"""One way of reading for one account and for many at once.

Whoever computes something of one account asks for what it needs as it goes: it is a generator that yields questions and
is sent their answers. `one` runs such a generator by itself. `many` runs any number side by side: in each round the
questions of one kind are answered together, so that the number of statements does not grow with the number of accounts.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Protocol, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Dialect,
    Text,
    TextClause,
    any_,
    bindparam,
    func,
    select,
    text,
)  # fmt: skip
from sqlmodel import Session

from billing_app.store.tables.base import Moment

Result = TypeVar("Result")


class Question(Protocol):
    """Something that the store can be asked. Those of one class whose `alike` is equal are answered together."""

    @property
    def alike(self) -> Hashable:
        """What questions must share to be answered by the same statements."""
        ...

    @classmethod
    def answer(cls, session: Session, asked: Sequence[Any]) -> list[Any]:
        """The answers to `asked`, in their order, in a number of statements that does not grow with them."""
        ...


@dataclass(frozen=True, slots=True)
class OfOrganization:
    """A question about one organization."""

    organization_id: int

    @property
    def alike(self) -> Hashable:
        """All of a class are answered together."""
        return None


@dataclass(frozen=True, slots=True)
class OfMetric(OfOrganization):
    """A question about one metric of an organization."""

    metric: str

    @property
    def key(self) -> tuple[int, str]:
        """What rows that answer it begin with."""
        return self.organization_id, self.metric


Asking = Generator[Any, Any, Result]
"""A computation that asks questions while it runs."""


def one(session: Session, asking: Asking[Result]) -> Result:
    """Runs a computation; what it asks is answered at once."""
    (result,) = many(session, [asking])
    return result


def many(session: Session, asking: Iterable[Asking[Result]]) -> list[Result]:
    """Runs computations side by side and answers what they ask together; their results in the order given."""
    running = list(asking)
    results: list[Any] = [None] * len(running)
    waiting: list[tuple[int, Any]] = []
    for place, each in enumerate(running):
        _go_on(each, None, place, waiting, results)
    while waiting:
        groups: dict[Hashable, list[tuple[int, Any]]] = {}
        for place, question in waiting:
            groups.setdefault((type(question), question.alike), []).append((place, question))
        waiting = []
        session.flush()
        for group in groups.values():
            answers = type(group[0][1]).answer(session, [question for _, question in group])
            for (place, _), answer in zip(group, answers, strict=True):
                _go_on(running[place], answer, place, waiting, results)
    return results


def _go_on(asking: Asking[Any], answer: Any, place: int, waiting: list[tuple[int, Any]], results: list[Any]) -> None:
    try:
        waiting.append((place, asking.send(answer)))
    except StopIteration as done:
        results[place] = done.value


def among(dialect: str, column: Any, name: str) -> ColumnElement[bool]:
    """Whether a column holds one of the values bound as `name` (see `listed`): one parameter, however many they are."""
    if dialect == "postgresql":
        kind = BigInteger if column.type.python_type is int else Text
        return column == any_(bindparam(name, type_=ARRAY(kind)))
    return column.in_(select(func.json_each(bindparam(name)).table_valued("value").c.value))


def listed(dialect: str, values: Iterable[Any]) -> Any:
    """Whole numbers or texts as the value of a parameter of `among`."""
    return list(values) if dialect == "postgresql" else json.dumps(list(values))


def of_metrics(dialect: str, row: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The rows of the organizations and metrics of `metric_values`; the few too many that it finds are passed over."""
    return among(dialect, row.organization_id, "owners"), among(dialect, row.metric, "metrics")


def metric_values(dialect: str, asked: Iterable[OfMetric]) -> dict[str, Any]:
    """The parameters of `of_metrics`."""
    keys = [each.key for each in asked]
    owners, metrics = ({key[place] for key in keys} for place in (0, 1))
    return {"owners": listed(dialect, owners), "metrics": listed(dialect, metrics)}


def grouped(rows: Iterable[Any], keys: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """The rows that begin with each of `keys`, in the order in which they come."""
    key_of = itemgetter(*range(len(keys[0]))) if len(keys[0]) > 1 else lambda row: (row[0],)
    found: dict[tuple[Any, ...], list[Any]] = {key: [] for key in keys}
    for row in rows:
        group = found.get(key_of(row))
        if group is not None:
            group.append(row)
    return [found[key] for key in keys]


Span = tuple[int, str, datetime, datetime]
"""What happened to a metric of an organization in `[start, end)`."""


def in_spans(dialect: str, columns: Sequence[str], table: str, moment: str, *conditions: str) -> TextClause:
    """SELECT of organization, metric and `columns` of the rows whose `moment` lies in a span of `span_values`."""
    if dialect == "postgresql":
        asked = (
            "unnest(CAST(:owners AS BIGINT[]), CAST(:metrics AS TEXT[]), CAST(:starts AS TIMESTAMPTZ[]), "
            "CAST(:ends AS TIMESTAMPTZ[])) AS asked (owner, metric, start, finish) JOIN"
        )
        owner, metric, start, finish = "asked.owner", "asked.metric", "asked.start", "asked.finish"
    else:
        asked = "json_each(:spans) AS asked CROSS JOIN"  # CROSS: SQLite keeps this order, so that the index is used
        owner, metric, start, finish = (f"json_extract(asked.value, '$[{place}]')" for place in range(4))
    where = (
        f"r.organization_id = {owner} AND r.metric = {metric} AND r.{moment} >= {start} AND r.{moment} < {finish}",
        *conditions,
    )
    chosen = ", ".join(("r.organization_id", "r.metric", *(f"r.{column}" for column in columns)))
    # names of ours, never of a caller
    return text(f"SELECT {chosen} FROM {asked} {table} AS r ON {' AND '.join(where)} ORDER BY r.{moment}")  # noqa: S608


def span_values(dialect: Dialect, asked: Sequence[Span]) -> dict[str, Any]:
    """The parameters of `in_spans`."""
    if dialect.name == "postgresql":
        owners, metrics, starts, ends = (list(column) for column in zip(*asked, strict=True)) if asked else ([],) * 4
        return {"owners": owners, "metrics": metrics, "starts": starts, "ends": ends}
    stored = Moment().dialect_impl(dialect).bind_processor(dialect) or (lambda moment: moment)
    return {"spans": json.dumps([(owner, metric, stored(start), stored(end)) for owner, metric, start, end in asked])}
