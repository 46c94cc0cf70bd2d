"""The sums of periods while a batch of usage is taken in."""

from __future__ import annotations

from sqlmodel import Session

from billing_app.domain.common.errors import FactRefusedError
from billing_app.domain.common.periods import Period, period_containing
from billing_app.domain.credits.facts import MAX_QUANTITY, Aggregation
from billing_app.domain.usage.aggregation import UsageEvent
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import events as store


class PeriodTotals:
    """Keeps a period's total between 0 and 2**63-1 (fine points 4 and 16) while a batch is taken in."""

    def __init__(self, session: Session, organization: Organization) -> None:
        """`organization` is the one whose meters count."""
        self.session = session
        self.organization = organization
        self.by_period: dict[tuple[str, int], int] = {}
        self._period: Period | None = None  # of the last event: nearly always the next one's too

    def add(self, metric: str, aggregation: Aggregation, event: UsageEvent) -> None:
        """Counts one more event. Raises FactRefusedError `usage_below_zero` or `quantity_too_large`."""
        if aggregation is not Aggregation.SUM:
            return
        period = self._period
        if period is None or not period.contains(event.at):
            period = self._period = period_containing(self.organization.anchor, event.at)
        key = (metric, period.number)
        if key not in self.by_period:
            self.by_period[key] = self._stored(metric, period)
        total = self.by_period[key] + event.quantity
        if total < 0:
            raise FactRefusedError(
                f"The period has used {self.by_period[key]}; a correction of {event.quantity} would make it negative.",
                code="usage_below_zero",
            )
        if total > MAX_QUANTITY:
            raise FactRefusedError(f"The period's usage would exceed {MAX_QUANTITY}.", code="quantity_too_large")
        self.by_period[key] = total

    def _stored(self, metric: str, period: Period) -> int:
        return store.period_total(self.session, self.organization.pk, metric, period)
