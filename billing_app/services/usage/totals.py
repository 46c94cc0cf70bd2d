"""The sums of periods while usage is taken in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.common.errors import FactRefusedError
from billing_app.domain.common.periods import Period, period_at, period_containing
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import events as store
from billing_app.store.usage.new_events import MeterKey


class PeriodTotals:
    """Keeps the totals of `sum` metrics between 0 and 2**63-1 in each period (fine points 4 and 16).

    What is stored of all periods that may be asked about is read at once, however far apart they are.
    """

    def __init__(self, session: Session, used: Iterable[tuple[Organization, str, Collection[datetime]]]) -> None:
        """Of each organization, whose meters count, and metric: the moments of new use."""
        wanted: list[tuple[int, str, Period]] = []
        for organization, metric, moments in used:
            wanted += [(organization.pk, metric, period) for period in _periods(organization.anchor, moments)]
        self._totals: dict[MeterKey, dict[int, int]] = {}
        for (owner, metric, period), total in zip(wanted, store.period_totals(session, wanted), strict=True):
            self._totals.setdefault((owner, metric), {})[period.number] = total
        self._period: Period | None = None  # of the last event: nearly always the next one's too

    def have_room(self, organization: Organization, metric: str, quantity: int) -> bool:
        """Whether use of `quantity` together, however it is spread over the periods, would be too large in none."""
        return max(self._totals[organization.pk, metric].values()) + quantity <= MAX_QUANTITY

    def add(self, organization: Organization, metric: str, at: datetime, quantity: int) -> None:
        """Counts one more event. Raises FactRefusedError `usage_below_zero` or `quantity_too_large`."""
        period = self._period
        if period is None or not period.contains(at) or period != period_at(organization.anchor, period.number):
            period = self._period = period_containing(organization.anchor, at)
        totals = self._totals[organization.pk, metric]
        total = totals[period.number] + quantity
        if total < 0:
            raise FactRefusedError(
                f"The period has used {totals[period.number]}; a correction of {quantity} would make it negative.",
                code="usage_below_zero",
            )
        if total > MAX_QUANTITY:
            raise FactRefusedError(f"The period's usage would exceed {MAX_QUANTITY}.", code="quantity_too_large")
        totals[period.number] = total


def _periods(anchor: datetime, moments: Collection[datetime]) -> Iterator[Period]:
    """Those in which any of the moments lies."""
    period: Period | None = None
    for moment in sorted(moments):
        if period is None or not period.contains(moment):
            period = period_containing(anchor, moment)
            yield period
