"""Parts that several pages show: what a grant is called, when ledgers come up to date, months as views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from billing_app.domain import engine
from billing_app.domain.accounts import Month
from billing_app.domain.catalog import Metric
from billing_app.domain.credits import History
from billing_app.domain.entitlements import Reading
from billing_app.domain.forecast import Outlook
from billing_app.services import accounts, recounts
from billing_app.services.history import months
from billing_app.services.views import GrantLabel, GrantSource, MonthView, RecountView, UnpostedView
from billing_app.store import runs
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.orgs import Organization

SOURCES = {
    "purchase": GrantSource.PACK,
    "recurring": GrantSource.RECURRING,
    "top_up": GrantSource.TOP_UP,
    "gift_card": GrantSource.GIFT_CARD,
    "operator": GrantSource.OPERATOR,
    "conversion": GrantSource.CONVERTED,
}
"""How pages name the sources of grants."""


def grant_label(row: GrantRow) -> GrantLabel:
    """Enough to name a grant; the reason is shown only where a person wrote it."""
    source = SOURCES.get(row.source, GrantSource.IMPORTED)
    written = source in (GrantSource.OPERATOR, GrantSource.GIFT_CARD)
    return GrantLabel(source, row.quantity, row.reason if written else "", row.paid_cents, row.currency.upper())


def recount_view(session: Session, organization: Organization, now: datetime) -> RecountView:
    """When this organization's ledger was brought up to date, and when it will be."""
    last_run = runs.recent(session, 1)
    failed = bool(last_run and last_run[0].error)
    return RecountView(_last_recount(session, organization), recounts.next_scheduled(now), failed)


def _last_recount(session: Session, organization: Organization) -> datetime | None:
    """The last run that looked at every organization, or a later one of this organization alone."""
    finished = runs.last_finished(session)
    moments = [organization.recounted_at, finished.as_of if finished else None]
    return max((moment for moment in moments if moment is not None), default=None)


def unposted(
    session: Session,
    organization: Organization,
    metrics: Iterable[Metric],
    now: datetime,
    looks: Mapping[str, Outlook] | None = None,
) -> list[UnpostedView]:
    """The computed line that ends every view of the ledger, for each metric where something waits to be posted.

    `looks` saves running the engine again for metrics that a page has looked at already.
    """
    since = _last_recount(session, organization)
    found = []
    for metric in metrics:
        if looks is not None and metric.id in looks:
            look = looks[metric.id]
            _, pending = recounts.balance_of(session, organization, metric.id, look.facts, look.state)
        else:
            _, pending = recounts.balance(session, organization, metric.id, now)
        if pending:
            found.append(UnpostedView(metric, pending, since, recounts.next_scheduled(now)))
    return found


def month_views(
    facts: History, held: accounts.Plans, now: datetime, past: int = 12, pace: Outlook | None = None
) -> tuple[MonthView, ...]:
    """The months of a metric as pages draw them, oldest first, the last one running."""
    shown = months(facts, now, past=past)
    cut_off = used_up(facts, now)
    return tuple(_month(month, held, now, cut_off, pace, running=month is shown[-1]) for month in shown)


def _month(
    month: Month,
    held: accounts.Plans,
    now: datetime,
    cut_off: Sequence[datetime],
    pace: Outlook | None,
    *,
    running: bool,
) -> MonthView:
    catalog = held.catalog_at(min(now, month.period.end))
    plan_id = held.plan_at(min(now, month.period.end) if running else month.period.start)
    used_up_at = next((moment for moment in cut_off if month.period.contains(moment)), None)
    return MonthView(
        period=month.period,
        used=month.used,
        allowance=month.allowance,
        plan_name=catalog.plan(plan_id).name,
        covered=month.covered if month.used else 0,
        burned=month.burned,
        uncovered=month.uncovered + month.deficit,
        running=running,
        projected=pace.projected_use() if pace is not None and running else None,
        used_up_at=used_up_at,
    )


def used_up(facts: History, now: datetime) -> list[datetime]:
    """The moments at which the metric was cut off."""
    found: list[datetime] = []
    state, cut = engine.start(facts), False
    for instant in engine.steps(state, facts, now):
        reading = Reading(facts.aggregation, state.month.allowance, state.used, state.left, 0, state.level)
        blocked = not reading.allows(1)
        if blocked and not cut:
            found.append(instant)
        cut = blocked
    return found
