"""What the pages show beside plain lists: days of a month, a forecast and what would cover it, an entry's trace."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from billing_app.api.common.schemas import Answer, Moment, Name
from billing_app.services.credits.views import PointAnswer
from billing_app.services.credits.views_ledger import LedgerLine, TraceView
from billing_app.services.credits.views_shared import OfferItemAnswer
from billing_app.services.credits.views_statements import LedgerAnswer
from billing_app.services.overview.views import UsageView
from billing_app.services.purchases.views_buying import BuyView, NeedView
from billing_app.services.usage.views import DayAnswer, SourceAnswer


class DaysQuery(BaseModel):
    """The query of /usage/days. Without `metric` the catalogue's first; `within` is a moment of the period, or now."""

    model_config = ConfigDict(extra="forbid")

    metric: Name | None = None
    within: Moment | None = None


class DaysAnswer(Answer):
    """The days of one period so far, and where its use came from.

    Of a sub-organization that another pays for, `days` is empty: the plan's days are the payer's.
    """

    metric: str
    period_start: datetime
    period_end: datetime
    allowance: int | None
    reached_at: datetime | None = Field(description="when the allowance was used up")
    days: list[DayAnswer]
    sources: list[SourceAnswer]

    @classmethod
    def of(cls, view: UsageView) -> DaysAnswer:
        """The answer for a month of the usage page."""
        shown = view.days
        return cls(
            metric=view.metric.id,
            period_start=shown.period.start,
            period_end=shown.period.end,
            allowance=shown.allowance,
            reached_at=None if view.payer_name else shown.reached_at,
            days=[] if view.payer_name else list(shown.days),
            sources=list(view.sources),
        )


class ForecastQuery(BaseModel):
    """The query of /forecast. Without `metric` the one that runs out first; `until` is one of the answer's choices."""

    model_config = ConfigDict(extra="forbid")

    metric: Name | None = None
    until: Moment | None = None


class OfferAnswer(BaseModel):
    """The cheapest packs that cover what is missing."""

    items: list[OfferItemAnswer]
    quantity: int
    price_cents: int
    currency: str
    lasts_until: datetime | None


class ForecastAnswer(BaseModel):
    """What happens at the pace of the last 28 days, what is missing `until` then, and what would cover it.

    `kind` is runs_out, plan_covers, lasts, unlimited, unknown (fewer than 3 days of use) or used_up.
    """

    metric: str
    kind: str
    runs_out_at: datetime | None
    pace: int = Field(description="a day; of a level what is held")
    pace_days: int
    period_end_use: int | None
    until: datetime | None
    choices: list[datetime] = Field(description="what `until` may be")
    shortfall: int
    offer: OfferAnswer | None
    balance: list[PointAnswer] = Field(description="from now on, if nothing is bought")

    @classmethod
    def of(cls, view: BuyView, need: NeedView) -> ForecastAnswer:
        """The answer for the calculator of the buy page."""
        forecast, offer = need.forecast, need.offer
        return cls(
            metric=need.metric.id,
            kind=forecast.kind.value,
            runs_out_at=forecast.runs_out_at,
            pace=forecast.pace,
            pace_days=forecast.pace_days,
            period_end_use=forecast.period_end_use,
            until=need.until,
            choices=list(need.choices),
            shortfall=need.shortfall,
            offer=None
            if offer is None
            else OfferAnswer(
                items=list(offer.items),
                quantity=offer.quantity,
                price_cents=offer.price_cents,
                currency=view.currency.lower(),
                lasts_until=offer.lasts_until,
            ),
            balance=list(need.as_it_is),
        )


class TraceAnswer(BaseModel):
    """One entry of the ledger and the others of the same grant, oldest first; at most 50."""

    entry: LedgerAnswer
    others: list[LedgerAnswer]
    others_left_out: int

    @classmethod
    def of(cls, view: TraceView) -> TraceAnswer:
        """The answer for the ledger page's detail."""
        return cls(
            entry=_entry(view.line),
            others=[_entry(line) for line in view.others],
            others_left_out=view.others_left_out,
        )


def _entry(line: LedgerLine) -> LedgerAnswer:
    return LedgerAnswer(
        number=line.number,
        metric=line.metric.id,
        kind=line.kind,
        quantity=line.quantity,
        balance_after=line.balance,
        grant_id=line.grant_id or None,
        period=line.period.number if line.period else 0,
        occurred_at=line.occurred_at,
        recorded_at=line.recorded_at,
        reason=line.reason,
        source=line.source,
    )
