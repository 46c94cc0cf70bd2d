"""What the pages show beside plain lists: days, the forecast and what would cover it, the trace of an entry, tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from billing_app.api.common.access import Door, OrganizationDoor
from billing_app.api.common.responses import behind_a_door
from billing_app.api.common.schemas import Number
from billing_app.api.overview.schemas import (
    DaysAnswer,
    DaysQuery,
    ForecastAnswer,
    ForecastQuery,
    TokensAnswer,
    TraceAnswer,
)
from billing_app.domain.common.access import ALL_ROLES, MONEY_ROLES, READ_SCOPES
from billing_app.services.credits import read_ledger, tokens
from billing_app.services.overview import read_usage
from billing_app.services.purchases import buying

router = APIRouter(prefix="/organizations/{address}", tags=["credits"])

MembersDoor = Annotated[Door, Depends(OrganizationDoor(ALL_ROLES, READ_SCOPES))]
MoneyDoor = Annotated[Door, Depends(OrganizationDoor(MONEY_ROLES, READ_SCOPES))]


@router.get("/usage/days", response_model=DaysAnswer, responses=behind_a_door(422, 503))
def usage_days(door: MembersDoor, query: Annotated[DaysQuery, Query()]) -> DaysAnswer:
    """The days of a metric's period up to now, and which sub-organizations its use came from."""
    with door.reading() as visit:
        here = (visit.session, visit.organization)
        return DaysAnswer.of(read_usage.usage(*here, query.metric or "", visit.now, within=query.within))


@router.get("/forecast", response_model=ForecastAnswer, responses=behind_a_door(409, 422, 503))
def forecast(door: MoneyDoor, query: Annotated[ForecastQuery, Query()]) -> ForecastAnswer:
    """When a metric runs out at its pace, what is missing until a date, and the cheapest packs that cover it."""
    with door.reading() as visit:
        here = (visit.session, visit.organization, visit.now)
        return ForecastAnswer.of(*buying.forecast(*here, metric=query.metric or "", until=query.until))


@router.get("/ledger/{number}", response_model=TraceAnswer, responses=behind_a_door(422))
def ledger_entry(door: MoneyDoor, number: Number) -> TraceAnswer:
    """One entry of the ledger, and what else its grant has seen."""
    with door.reading() as visit:
        return TraceAnswer.of(read_ledger.trace(visit.session, visit.organization, number, visit.now))


@router.get("/tokens", response_model=TokensAnswer, responses=behind_a_door(503))
def tokens_of(door: MoneyDoor) -> TokensAnswer:
    """Tokens that are left, and at which rates they become credits."""
    with door.reading() as visit:
        return TokensAnswer.of(tokens.look(visit.session, visit.organization, visit.now))
