"""Balances, grants, ledger and months as plain figures for programs, in the metric's base unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from billing_app.domain.credits.entitlements import MeterState
from billing_app.services.common.answers import AS_TEXT, Internal


@dataclass(frozen=True, slots=True)
class NextExpiryAnswer:
    """The next credits to end."""

    at: datetime
    quantity: int


@dataclass(frozen=True, slots=True)
class BalanceAnswer:
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
    state: Annotated[MeterState, AS_TEXT]
    next_expiry: NextExpiryAnswer | None
    runs_out_on: datetime | None
    """Also since when nothing is; None, too, if asked `as_of`."""


@dataclass(frozen=True, slots=True)
class GrantAnswer:
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
    payment_id: Internal[str]
    """The payment that paid for it; empty where nobody did."""


@dataclass(frozen=True, slots=True)
class LedgerAnswer:
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


@dataclass(frozen=True, slots=True)
class BurnedFromAnswer:
    """What a month burned of one grant."""

    grant: str
    quantity: int


@dataclass(frozen=True, slots=True)
class MonthAnswer:
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
    burned_from: tuple[BurnedFromAnswer, ...]
    uncovered: int
    deficit: int
    granted: int
    expired: int
    balance: int
