"""The same figures as CSV, whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from billing_app.api.common.access import Access, RequestContext
from billing_app.api.common.csv_answers import MEDIA_TYPE, Cell, csv_answer
from billing_app.api.common.problems import Responses, guarded
from billing_app.api.credits.routes import MembersAccess, MoneyAccess, unposted
from billing_app.api.credits.schemas import (
    BalancesQuery,
    GrantFilters,
    HistoryQuery,
    LedgerFilters,
)
from billing_app.domain.catalogue import TOKEN
from billing_app.services.catalogue import versions
from billing_app.services.common.answers import answered
from billing_app.services.credits import history as histories
from billing_app.services.credits import statements
from billing_app.services.credits.views_statements import BalanceAnswer, GrantAnswer, LedgerAnswer, MonthAnswer

router = APIRouter(prefix="/organizations/{address}", tags=["downloads"])

LEDGER_PAGE = 1_000
"""Entries read in one short transaction: a slow reader must not hold one open for the whole ledger."""

BALANCE_COLUMNS = answered(BalanceAnswer, without="next_expiry")
GRANT_COLUMNS = answered(GrantAnswer)
LEDGER_COLUMNS = answered(LedgerAnswer)
MONTH_COLUMNS = answered(MonthAnswer, without="burned_from")


def _csv_or(*statuses: int) -> Responses:
    text = {"schema": {"type": "string"}}
    return {200: {"description": "CSV", "content": {MEDIA_TYPE.partition(";")[0]: text}}, **guarded(*statuses)}


@router.get("/balances.csv", response_class=Response, responses=_csv_or(422, 503))
def balances_csv(access: MembersAccess, query: Annotated[BalancesQuery, Query()]) -> Response:
    """/balances as CSV."""
    with access.reading() as context:
        found = statements.balances(context, as_of=query.as_of)
        units = _units(context)
    header = (*BALANCE_COLUMNS, "next_expiry_at", "next_expiry_quantity")
    return csv_answer(f"{access.address}-balances.csv", *_told(header, map(_balance_row, found), units))


@router.get("/grants.csv", response_class=Response, responses=_csv_or(422, 503))
def grants_csv(access: MoneyAccess, query: Annotated[GrantFilters, Query()]) -> Response:
    """/grants as CSV."""
    with access.reading() as context:
        found = statements.grants(context, metric=query.metric, as_of=query.as_of, start=query.start, end=query.end)
        rows = [[getattr(each, name) for name in GRANT_COLUMNS] for each in found]
        units = _units(context)
    return csv_answer(f"{access.address}-grants.csv", *_told(GRANT_COLUMNS, rows, units))


@router.get("/ledger.csv", response_class=Response, responses=_csv_or(422, 503))
def ledger_csv(access: MoneyAccess, query: Annotated[LedgerFilters, Query()]) -> Response:
    """/ledger as CSV, the newest first. It may be long: it is read and sent page by page."""
    with access.reading() as context:  # what is not posted, and the newest that is, of one moment
        waiting, first, units = unposted(context, query), _entries(context, query, None), _units(context)
    rows = _ledger_rows(access, query, waiting, first)
    return csv_answer(f"{access.address}-ledger.csv", *_told(LEDGER_COLUMNS, rows, units))


@router.get("/history.csv", response_class=Response, responses=_csv_or(422, 503))
def history_csv(access: MoneyAccess, query: Annotated[HistoryQuery, Query()]) -> Response:
    """/history as CSV."""
    with access.reading() as context:
        found = histories.history(context, to=query.to, metric=query.metric)
        units = _units(context)
    rows = ([getattr(item, name) for name in MONTH_COLUMNS] for item in histories.as_items(found))
    return csv_answer(f"{access.address}-history.csv", *_told(MONTH_COLUMNS, rows, units))


def _units(context: RequestContext) -> dict[str, str]:
    return {each.id: each.unit for each in (*versions.current(context.session, context.now).metrics, TOKEN)}


def _told(
    columns: tuple[str, ...], rows: Iterable[list[Cell]], units: dict[str, str]
) -> tuple[tuple[str, ...], Iterator[list[Cell]]]:
    """Columns and rows with the unit that a row's figures are in: pages show others, minutes for seconds."""
    place = columns.index("metric")
    return (*columns, "unit"), ([*row, units.get(str(row[place]), "")] for row in rows)


def _balance_row(balance: BalanceAnswer) -> list[Cell]:
    expiry = balance.next_expiry
    ending: list[Cell] = [None, None] if expiry is None else [expiry.at, expiry.quantity]
    return [*(getattr(balance, name) for name in BALANCE_COLUMNS), *ending]


def _ledger_rows(
    access: Access, query: LedgerFilters, waiting: list[LedgerAnswer], page: list[LedgerAnswer]
) -> Iterator[list[Cell]]:
    """All rows. Each page is a transaction of its own; the ledger only grows, so pages fit together."""
    for line in waiting:
        yield [getattr(line, name) for name in LEDGER_COLUMNS]
    while page:
        for entry in page:
            yield [getattr(entry, name) for name in LEDGER_COLUMNS]
        page = _ledger_page(access, query, page[-1].number) if len(page) == LEDGER_PAGE else []


def _ledger_page(access: Access, query: LedgerFilters, before: int | None) -> list[LedgerAnswer]:
    with access.reading() as context:
        return _entries(context, query, before)


def _entries(context: RequestContext, query: LedgerFilters, before: int | None) -> list[LedgerAnswer]:
    return statements.ledger(
        context,
        LEDGER_PAGE,
        metric=query.metric,
        kind=query.kind,
        grant=query.grant,
        start=query.start,
        end=query.end,
        before=before,
    )
