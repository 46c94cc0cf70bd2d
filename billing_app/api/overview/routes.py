"""What the pages show beside plain lists: days, the forecast and what would cover it, the trace of an entry, tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from billing_app.api.common.access import OrganizationAccess, RequireOrganization
from billing_app.api.common.problems import guarded
from billing_app.api.common.schemas import Number, kept_json
from billing_app.api.overview.schemas import (
    DaysAnswer,
    DaysQuery,
    ForecastAnswer,
    ForecastQuery,
    TraceAnswer,
)
from billing_app.domain.common.access import ALL_ROLES, MONEY_ROLES, READ_SCOPES
from billing_app.services.credits import read_ledger, tokens
from billing_app.services.credits.views_cards import TokensAnswer
from billing_app.services.overview import read_usage
from billing_app.services.purchases import buying

router = APIRouter(prefix="/organizations/{address}", tags=["credits"])

MembersAccess = Annotated[OrganizationAccess, Depends(RequireOrganization(ALL_ROLES, READ_SCOPES))]
MoneyAccess = Annotated[OrganizationAccess, Depends(RequireOrganization(MONEY_ROLES, READ_SCOPES))]


@router.get("/usage/days", response_model=DaysAnswer, responses=guarded(422, 503))
def usage_days(access: MembersAccess, query: Annotated[DaysQuery, Query()]) -> Response:
    """The days of a metric's period up to now, and which sub-organizations its usage came from."""
    with access.reading() as context:

        def read() -> DaysAnswer:
            return DaysAnswer.of(read_usage.usage(context, query.metric or "", within=query.within))

        return kept_json(context, ("days", query.metric, query.within), read)


@router.get("/forecast", response_model=ForecastAnswer, responses=guarded(409, 422, 503))
def forecast(access: MoneyAccess, query: Annotated[ForecastQuery, Query()]) -> Response:
    """When a metric runs out at its pace, what is missing until a date, and the cheapest packs that cover it."""
    with access.reading() as context:

        def read() -> ForecastAnswer:
            return ForecastAnswer.of(*buying.forecast(context, metric=query.metric or "", until=query.until))

        return kept_json(context, ("forecast", query.metric, query.until), read)


@router.get("/ledger/{number}", response_model=TraceAnswer, responses=guarded(422))
def ledger_entry(access: MoneyAccess, number: Number) -> TraceAnswer:
    """One entry of the ledger, and what else its grant has seen."""
    with access.reading() as context:
        return TraceAnswer.of(read_ledger.trace(context, number))


@router.get("/tokens", response_model=TokensAnswer, responses=guarded(503))
def tokens_of(access: MoneyAccess) -> TokensAnswer:
    """Tokens that are left, and the rates at which they convert into credits."""
    with access.reading() as context:
        return tokens.look(context)
