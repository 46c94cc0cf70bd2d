"""What subscriptions mean for plans: which status holds one, what a late payment costs, when a change counts.

Everything is derived from dated facts, so it is right whether or not a job has run: nobody flips anything when grace
ends or a period turns. Money is whole cents; moments are aware and in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from billing_app.domain.catalogue import Plan
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.common.periods import period_containing

MONTHS_PER_YEAR = 12


class BillingInterval(StrEnum):
    """How often a plan is paid."""

    MONTH = "month"
    YEAR = "year"


def interval_in(text: str) -> BillingInterval:
    """Raises InvalidError `invalid_interval` for a word that is none."""
    try:
        return BillingInterval(text)
    except ValueError:
        raise InvalidError("A plan is paid per month or per year.", code="invalid_interval") from None


class PlanDeed(StrEnum):
    """What can be done to a running subscription with one click and a yes."""

    CANCEL = "cancel"
    KEEP = "keep"
    PAUSE = "pause"
    RESUME = "resume"


class When(StrEnum):
    """When a change of plan counts."""

    NOW = "now"
    PERIOD_END = "period_end"


HOLDING = frozenset({"trialing", "active", "past_due"})
"""Statuses of a subscription that gives its plan."""

WITHOUT = frozenset({"canceled", "unpaid", "incomplete_expired", "paused"})
"""Statuses that leave the default plan: a paused one is credited for what it does not use, so it gives nothing."""

PAST_DUE = frozenset({"past_due", "unpaid"})
"""Statuses in which the running period is not paid."""

ENDED = frozenset({"canceled", "incomplete_expired"})
"""Nothing brings these back: another subscription may take their place."""


@dataclass(frozen=True, slots=True)
class PastDue:
    """A past-due period of a plan: `[since, until)`, without end while it is not paid.

    From `grace_ends_at` on the default plan's limits hold. Its allowance holds from `allowance_ends_at` on: that is
    already the case in a period that starts within the grace.
    """

    since: datetime
    until: datetime | None
    grace_ends_at: datetime
    allowance_ends_at: datetime

    def limits_fell(self, at: datetime) -> bool:
        """Whether the default plan's limits hold at `at`."""
        return self.grace_ends_at <= at and self._lasts(at)

    def allowance_fell(self, at: datetime) -> bool:
        """Whether the default plan's allowance holds at `at`."""
        return self.allowance_ends_at <= at and self._lasts(at)

    @property
    def moments(self) -> set[datetime]:
        """When allowances change because of it."""
        if self.until is None:
            return {self.allowance_ends_at}
        return {self.allowance_ends_at, self.until} if self.allowance_ends_at < self.until else set()

    def _lasts(self, at: datetime) -> bool:
        return self.until is None or at < self.until


def past_due(
    changes: Iterable[tuple[datetime, bool]], anchor: datetime, grace_days: Callable[[datetime], int]
) -> tuple[PastDue, ...]:
    """The past-due periods, oldest first, that (moment, unpaid?) facts make; of several at one instant the last counts.

    `grace_days` tells the catalogue's grace at a moment: that of the first failure counts for the whole period.
    """

    def period(since: datetime, until: datetime | None) -> PastDue:
        grace_ends = since + timedelta(days=grace_days(since))
        # A metering period that begins at the very instant of the failure is the one that the invoice was for.
        return PastDue(since, until, grace_ends, min(grace_ends, period_containing(anchor, since).end))

    by_instant = dict(sorted(changes, key=lambda change: change[0]))
    found: list[PastDue] = []
    since: datetime | None = None
    for at, unpaid in by_instant.items():
        if unpaid and since is None:
            since = at
        elif not unpaid and since is not None:
            found.append(period(since, at))
            since = None
    if since is not None:
        found.append(period(since, None))
    return tuple(found)


def price_cents(plan: Plan, interval: BillingInterval) -> int | None:
    """What a plan costs per interval; None where it is not sold so. 0 is free."""
    return plan.prices.month_cents if interval is BillingInterval.MONTH else plan.prices.year_cents


def sellable(plan: Plan, interval: BillingInterval) -> int:
    """The price of a plan that can be subscribed to. Raises InvalidError `plan_not_for_sale`."""
    cents = price_cents(plan, interval)
    if not plan.offered or not cents:
        raise InvalidError(f"{plan.name} cannot be bought per {interval.value}.", code="plan_not_for_sale")
    return cents


def worth(plan: Plan) -> int:
    """How much plan it is, to tell up from down: cents per year at its monthly price, else at its yearly one."""
    if plan.prices.month_cents is not None:
        return plan.prices.month_cents * MONTHS_PER_YEAR
    return plan.prices.year_cents or 0


def when(current: Plan, interval: BillingInterval, wanted: Plan, wanted_interval: BillingInterval) -> When:
    """When a change counts: more plan, or a longer interval, at once; less of either when what is paid has run out."""
    shorter = (interval, wanted_interval) == (BillingInterval.YEAR, BillingInterval.MONTH)
    return When.PERIOD_END if shorter or worth(wanted) < worth(current) else When.NOW


def given_up(invoice_status: str) -> str:
    """The status of an invoice that nobody is asked for any more, "void" or "uncollectible"; empty for any other."""
    return invoice_status if invoice_status in ("void", "uncollectible") else ""
