"""Use by month, by day and by source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.common.periods import Period


@dataclass(frozen=True, slots=True)
class MonthView:
    """One period of one metric: used = covered + burned + uncovered + deficit (fine point 10)."""

    period: Period
    used: int
    allowance: int | None
    """None is unlimited."""
    plan_name: str
    """Of the plan whose allowance held; labels the line where it steps."""
    covered: int
    burned: int
    uncovered: int
    """What nobody paid of an ended period; 0 of the running one."""
    deficit: int = 0
    """What nobody has paid of the running period so far; 0 of ended ones."""
    running: bool = False
    projected: int | None = None
    """The running period's use at its end, at this pace; None without a pace."""
    used_up_at: datetime | None = None
    """When plan and credits were used up in it, if they were."""
    own: int | None = None
    """Of a sub-organization that another pays for: what it used of `used`. None: all of it is its own."""

    @property
    def unpaid(self) -> int:
        """What nobody paid, for good or so far."""
        return self.uncovered + self.deficit


@dataclass(frozen=True, slots=True)
class DayAnswer:
    """One UTC day: quantity = covered + burned + uncovered + deficit (credits.md, fine point 10)."""

    start: datetime
    quantity: int
    """Of `sum` and `unique` what the day added; of `max` and `level` the highest level of the day."""
    covered: int
    burned: int
    uncovered: Annotated[int, Field(description="of a period that has ended: what nobody paid")]
    deficit: Annotated[int, Field(description="of the running period: what nobody has paid yet")]

    @property
    def unpaid(self) -> int:
        """What nobody paid, for good or so far."""
        return self.uncovered + self.deficit


@dataclass(frozen=True, slots=True)
class DaysView:
    """The days of one period; days to come are left out."""

    metric: Metric
    period: Period
    allowance: int | None
    days: tuple[DayAnswer, ...]
    running: bool
    """The last day is not over."""
    reached_at: datetime | None
    """When the allowance was used up in this period."""
    has_earlier: bool
    has_later: bool


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """Whose use it was; without an address: others that the same plan pays for."""

    address: str
    name: str
    used: int
