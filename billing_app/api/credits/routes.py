"""Reading where credits are and where they went, as JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from billing_app.api.common.access import OrganizationAccess, RequestContext, RequireOrganization
from billing_app.api.common.problems import guarded
from billing_app.api.common.schemas import Items, as_json, kept_json, page_of
from billing_app.api.credits.schemas import (
    BalancesQuery,
    ExplainAnswer,
    ExplainQuery,
    GrantQuery,
    HistoryQuery,
    LedgerFilters,
    LedgerQuery,
)
from billing_app.domain.common.access import ALL_ROLES, MONEY_ROLES, READ_SCOPES
from billing_app.services.common import cursors, kept
from billing_app.services.credits import explaining, read_ledger, statements, views_ledger
from billing_app.services.credits import history as histories
from billing_app.services.credits.views_statements import BalanceAnswer, GrantAnswer, LedgerAnswer, MonthAnswer

router = APIRouter(prefix="/organizations/{address}", tags=["credits"])

MembersAccess = Annotated[OrganizationAccess, Depends(RequireOrganization(ALL_ROLES, READ_SCOPES))]
MoneyAccess = Annotated[OrganizationAccess, Depends(RequireOrganization(MONEY_ROLES, READ_SCOPES))]


@router.get("/balances", response_model=Items[BalanceAnswer], responses=guarded(422, 503))
def balances(access: MembersAccess, query: Annotated[BalancesQuery, Query()]) -> Response:
    """Per metric: used of the allowance, credits, debt, and whether it is blocked."""
    with access.reading() as context:
        found = statements.balances(context, as_of=query.as_of)
    return as_json(Items[BalanceAnswer].model_validate({"items": found}))


@router.get("/grants", response_model=Items[GrantAnswer], responses=guarded(422, 503))
def grants(access: MoneyAccess, query: Annotated[GrantQuery, Query()]) -> dict[str, Any]:
    """The organization's grants, the newest first, with where the credits of each are."""
    after = cursors.decode(query.cursor, datetime, str)
    with access.reading() as context:
        found = statements.grants(context, metric=query.metric, as_of=query.as_of, start=query.start, end=query.end)
    return page_of([each for each in found if after is None or _place(each) < after], query.limit, _place)


@router.get("/ledger", response_model=Items[LedgerAnswer], responses=guarded(422, 503))
def ledger(access: MoneyAccess, query: Annotated[LedgerQuery, Query()]) -> Response:
    """Every movement of credits, the newest first, after what is not posted yet: a computed line for each metric."""
    before, given = cursors.decode(query.cursor, int, int) or (
        0,
        0,
    )  # below a number, or (0) after so many computed lines
    with access.reading() as context:

        def read() -> kept.Fresh[Items[LedgerAnswer]]:
            page = _ledger(context, query, before, given)
            return kept.Fresh(page, weight=len(page.items))

        asked = ("ledger", query.model_dump_json())
        found = kept.get(context.session, (context.organization,), context.now, asked, read)
    # A computed line that still stands, as one of this moment.
    page = [replace(line, occurred_at=access.now) if line.number is None else line for line in found.items]
    return as_json(Items[LedgerAnswer](items=page, next_cursor=found.next_cursor))


def _ledger(context: RequestContext, query: LedgerQuery, before: int, given: int) -> Items[LedgerAnswer]:
    lines = [] if before else unposted(context, query)[given:]
    room = max(0, query.limit - len(lines))
    found = statements.ledger(
        context,
        room + 1,
        metric=query.metric,
        kind=query.kind,
        grant=query.grant,
        start=query.start,
        end=query.end,
        before=before or None,
    )
    page = [*lines[: query.limit], *found[:room]]
    more = len(lines) > query.limit or len(found) > room
    number = page[-1].number if page else None
    last = (0, given + len(page)) if number is None else (number, 0)
    return Items[LedgerAnswer](items=page, next_cursor=cursors.encode(*last) if more else None)


@router.get("/history", response_model=Items[MonthAnswer], responses=guarded(422, 503))
def history(access: MoneyAccess, query: Annotated[HistoryQuery, Query()]) -> Response:
    """Month by month and metric by metric: what was used, what the plan covered, what credits paid."""
    with access.reading() as context:

        def read() -> Items[MonthAnswer]:
            found = histories.as_items(histories.history(context, to=query.to, metric=query.metric))
            return Items[MonthAnswer].model_validate({"items": found})

        return kept_json(context, ("history", query.to, query.metric), read)


@router.get("/explain", response_model=ExplainAnswer, responses=guarded(422, 503))
def explain(access: MoneyAccess, query: Annotated[ExplainQuery, Query()]) -> Response:
    """The balance of a metric at a moment, as the list of entries that add up to it."""
    with access.reading() as context:
        metric, at = query.metric or "", query.at or context.now
        found = explaining.explain(context, metric, at)
    return as_json(ExplainAnswer.of(found))


def unposted(context: RequestContext, query: LedgerFilters) -> list[LedgerAnswer]:
    """The computed lines that the filters let through."""
    wanted = views_ledger.LedgerFilters(
        metric=query.metric or "", kind=query.kind or "", grant=query.grant or "", starting=query.start,
        ending=query.end,
    )  # fmt: skip
    return read_ledger.waiting(context, wanted)


def _place(grant: GrantAnswer) -> tuple[datetime, str]:
    """Where a grant is in the list."""
    return grant.effective_at, grant.id
