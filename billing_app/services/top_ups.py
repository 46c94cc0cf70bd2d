"""Auto top-up as it is set: reading it, changing it with a person's consent, and what a paid or failed attempt does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from billing_app.domain import top_ups as domain
from billing_app.domain.catalog import Catalog, Metric, Pack
from billing_app.domain.credits import MAX_QUANTITY
from billing_app.domain.errors import InvalidError
from billing_app.domain.money import MAX_AMOUNT_CENTS, format_money
from billing_app.domain.purchases import MAX_COUNT, on_offer
from billing_app.domain.quantities import format_pack, format_size
from billing_app.domain.top_ups import Standing, TopUpState
from billing_app.services import accounts, catalog, meters, orgs
from billing_app.store import locks
from billing_app.store import top_ups as store
from billing_app.store.tables.orgs import Organization
from billing_app.store.tables.top_ups import AutoTopUp, SavedCard


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for. `consent` says that they agreed to being charged without being asked again."""

    enabled: bool
    threshold: int
    pack: str
    count: int
    cap_cents: int
    consent: bool = False


@dataclass(frozen=True, slots=True)
class TopUp:
    """The auto top-up of a metric as it stands. `row` is None where nothing was ever set."""

    metric: Metric
    state: TopUpState
    row: AutoTopUp | None
    card: SavedCard | None
    paid_cents: int
    """Paid for it in the running calendar month (UTC)."""
    currency: str


def top_up(session: Session, organization: Organization, metric_id: str, now: datetime) -> TopUp:
    """How it stands. Raises NotFoundError `metric_not_found`."""
    owner = accounts.organization_id(organization)
    current = catalog.current(session, now)
    metric = current.metric(metric_id)
    row, card = store.setting(session, owner, metric_id), store.card(session, owner)
    start, end = domain.month_of(now)
    paid = store.paid_between(session, owner, metric_id, start, end) if row is not None else 0
    return TopUp(metric, state_of(row, card, now), row, card, paid, current.currency)


def state_of(row: AutoTopUp | None, card: SavedCard | None, now: datetime) -> TopUpState:
    """What it does at `now`."""
    if row is None:
        return TopUpState.OFF
    standing = Standing(row.enabled, card is not None, row.failures, row.resting_until, row.capped_until)
    return standing.state(now)


def put(
    session: Session, organization: Organization, metric_id: str, wanted: Wanted, now: datetime, *, actor: str = ""
) -> TopUp:
    """Sets it. Turning it on, or changing what it buys, needs consent, which is kept with who gave it.

    Raises NotFoundError `metric_not_found`, `pack_not_found`; InvalidError `pack_not_for_metric`, `invalid_count`,
    `invalid_threshold`, `invalid_cap`, `cap_too_small`, `consent_required`.
    """
    owner = accounts.organization_id(organization)
    now = locks.hold(session, owner, now)
    current = catalog.current(session, now)
    metric = current.metric(metric_id)
    # Before the setting's own row: whoever uses the metric holds the meter and then arms the setting.
    meter = meters.fresh(session, organization, metric_id, now)
    now = locks.moment(session, now)
    row = store.setting(session, owner, metric_id)
    if not wanted.enabled and row is not None:
        row.enabled, row.armed_at, row.failures, row.updated_at = False, None, 0, now
        session.add(row)
    else:
        pack = _validated(current, metric, wanted)
        if wanted.enabled and not wanted.consent:
            raise InvalidError(
                "Whoever turns auto top-up on has to agree that the saved card is charged.", code="consent_required"
            )
        row = row or AutoTopUp(
            organization_id=owner, metric=metric_id, enabled=False, threshold=0, pack="", count=1, cap_cents=1,
            currency=current.currency, updated_at=now,
        )  # fmt: skip
        _set(row, wanted, consent_text(current, metric, pack, wanted), now, actor)
        session.add(row)
    session.flush()
    meters.recompute(session, organization, meter, now)
    orgs.raise_revision(session, owner)
    return top_up(session, organization, metric_id, now)


def consent_text(current: Catalog, metric: Metric, pack: Pack, wanted: Wanted) -> str:
    """What a person agrees to, with the figures that they were shown."""
    return domain.consent(
        metric.name,
        format_size(wanted.threshold, metric),
        format_pack(replace(pack, quantity=pack.quantity * wanted.count), metric),
        format_money(pack.price_cents * wanted.count, current.currency),
        format_money(wanted.cap_cents, current.currency),
    )


def _set(row: AutoTopUp, wanted: Wanted, consent: str, now: datetime, actor: str) -> None:
    row.enabled, row.threshold, row.pack, row.count = wanted.enabled, wanted.threshold, wanted.pack, wanted.count
    row.cap_cents, row.updated_at = wanted.cap_cents, now
    row.armed_at = row.resting_until = row.capped_until = None
    row.failures, row.failure = 0, ""
    if wanted.enabled:
        row.consent_text, row.consent_by, row.consent_at = consent, actor, now


def _validated(current: Catalog, metric: Metric, wanted: Wanted) -> Pack:
    pack = on_offer(current, wanted.pack)
    if pack.metric != metric.id or pack.recurring:
        raise InvalidError(f"{pack.id!r} is no one-time pack of {metric.name}.", code="pack_not_for_metric")
    if not 1 <= wanted.count <= MAX_COUNT:
        raise InvalidError(f"Of each pack, 1 to {MAX_COUNT} can be bought at once.", code="invalid_count")
    if not 0 <= wanted.threshold <= MAX_QUANTITY:
        raise InvalidError("The threshold is 0 or more.", code="invalid_threshold")
    if not 1 <= wanted.cap_cents <= MAX_AMOUNT_CENTS:
        raise InvalidError("The monthly cap is an amount above 0.", code="invalid_cap")
    if wanted.cap_cents < pack.price_cents * wanted.count:
        raise InvalidError(
            "The monthly cap is smaller than one purchase: raise it, or choose a smaller pack.", code="cap_too_small"
        )
    return pack
