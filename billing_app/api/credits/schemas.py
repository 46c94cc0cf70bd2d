"""Balances, grants, ledger and history. All quantities are whole numbers in the metric's base unit."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from billing_app.api.common.schemas import DEFAULT_LIST, Answer, Limit, Moment, Name, Text
from billing_app.services.credits.statements import GrantStatement

LedgerKind = Literal[
    "grant", "burn", "release", "expire", "void", "refund", "hold", "unhold", "debt", "settle", "convert"
]


class Filters(BaseModel):
    """Query parameters of the lists. `from` is inclusive, `to` exclusive."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    metric: Name | None = None
    start: Moment | None = Field(default=None, alias="from")
    end: Moment | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.start is not None and self.end is not None and self.start > self.end:
            raise PydanticCustomError("order", "`from` is after `to`: nothing can lie between")
        return self


class Paging(BaseModel):
    """Which part of a list."""

    limit: Limit = DEFAULT_LIST
    cursor: Annotated[str, Field(max_length=500)] | None = None


class GrantFilters(Filters):
    """Narrows the grants; `as_of` shows them as they were (or will be) at that moment."""

    as_of: Moment | None = None


class GrantQuery(GrantFilters, Paging):
    """The query of /grants."""


class LedgerFilters(Filters):
    """Narrows the ledger."""

    kind: LedgerKind | None = None
    grant: Text | None = None


class LedgerQuery(LedgerFilters, Paging):
    """The query of /ledger."""


class BalancesQuery(BaseModel):
    """The query of /balances."""

    model_config = ConfigDict(extra="forbid")

    as_of: Moment | None = None


class HistoryQuery(BaseModel):
    """The query of /history. `to` is an earlier end, exclusive; without it the running period is the last one."""

    model_config = ConfigDict(extra="forbid")

    metric: Name | None = None
    to: Moment | None = None


class NextExpiryAnswer(Answer):
    """The next credits to end."""

    at: datetime
    quantity: int


class BalanceAnswer(Answer):
    """Where one metric stands. `allowance` null is unlimited; state is ok, using_credits or blocked.

    Of a sub-organization without a plan these are the figures of its payer, and `own_used` is its part.
    `runs_out_on` is when nothing will be left at the pace of the last 28 days; null if never, or not known yet.
    """

    metric: str
    as_of: datetime
    period_start: datetime
    period_end: datetime
    used: int
    own_used: int
    allowance: int | None
    reserved: int
    credits: int
    debt: int
    deficit: int
    state: str
    next_expiry: NextExpiryAnswer | None
    runs_out_on: datetime | None


class GrantAnswer(Answer):
    """A lot of credits. quantity = pending + left + burned + held + expired + voided + clawed_back."""

    id: str
    metric: str
    source: str
    reason: str
    pack: str | None
    paid_cents: int
    currency: str
    priority: int
    effective_at: datetime
    expires_at: datetime | None
    created_at: datetime
    quantity: int
    pending: int
    left: int
    burned: int
    held: int
    expired: int
    voided: int
    clawed_back: int
    debt: int

    @classmethod
    def of(cls, statement: GrantStatement) -> GrantAnswer:
        """The answer for one grant."""
        row, account = statement.row, statement.account
        return cls(
            id=row.id,
            metric=row.metric,
            source=row.source,
            reason=row.reason,
            pack=row.pack,
            paid_cents=row.paid_cents,
            currency=row.currency,
            priority=row.priority,
            effective_at=row.effective_at,
            expires_at=row.expires_at,
            created_at=row.created_at,
            quantity=account.quantity,
            pending=account.pending,
            left=account.left,
            burned=account.burned,
            held=account.held,
            expired=account.expired,
            voided=account.voided,
            clawed_back=account.clawed_back,
            debt=account.debt,
        )


class LedgerAnswer(Answer):
    """One movement of credits. `number` counts the organization's entries; `period` is a period's id.

    The computed line of what is not posted yet has kind `unposted` and neither `number` nor `recorded_at`: with it the
    entries of a metric sum to its balance.
    """

    number: int | None
    metric: str
    kind: str
    quantity: int
    balance_after: int
    grant_id: str | None
    period: int
    occurred_at: datetime
    recorded_at: datetime | None
    reason: str
    source: str


class BurnedFromAnswer(Answer):
    """What a month burned of one grant."""

    grant: str
    quantity: int


class MonthAnswer(Answer):
    """One metric's period: used = covered + burned + uncovered + deficit. `balance` is what was left at its end.

    Of a sub-organization without a plan these are the months of its payer, `own_used` is its part, and which
    grants were burned is not told.
    """

    metric: str
    period: int
    start: datetime
    end: datetime
    allowance: int | None
    used: int
    own_used: int
    covered: int
    burned: int
    burned_from: list[BurnedFromAnswer]
    uncovered: int
    deficit: int
    granted: int
    expired: int
    balance: int
