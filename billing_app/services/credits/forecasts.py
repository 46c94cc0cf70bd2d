"""Outlooks: the engine's facts and state of a metric once per page, and what they say of days to come."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from billing_app.domain.catalogue import Catalog, Interval, Metric, Pack
from billing_app.domain.common.periods import period_at, period_containing
from billing_app.domain.credits import engine
from billing_app.domain.credits.facts import Aggregation, Grant
from billing_app.domain.credits.forecast import TICK, AheadPoint, Outcome, Outlook
from billing_app.domain.credits.timeline import follow
from billing_app.domain.purchases.offers import Offer, cheapest
from billing_app.services.common.context import Context
from billing_app.services.credits import renewals
from billing_app.services.credits.renewals import MONTHS
from billing_app.services.credits.views import BalancePoint
from billing_app.services.credits.views_shared import Forecast, ForecastKind, OfferItem, OfferView
from billing_app.services.usage import accounts, plans_in_force
from billing_app.store.organizations import organizations


def outlook(context: Context, metric: str, held: plans_in_force.Plans | None = None) -> Outlook:
    """What is known of a metric, run up to `now` with its trace; to be made once per metric and page."""
    session, organization, now = context.session, context.organization, context.now
    facts = accounts.history(session, organization, metric, now, held=held)
    return Outlook(facts, follow(facts, now), now, renewals.coming(context, metric))


KEPT = 64
"""Organizations whose outlooks a process remembers: those in which somebody puts a basket together, or whose product
asks for balances, right now."""

KEPT_FOR = timedelta(seconds=30)
"""How far an outlook's own moment may lie back: no pace and no date that a page shows moves in that time."""

_kept: WeakKeyDictionary[Engine, dict[int, tuple[int, dict[str, Outlook]]]] = WeakKeyDictionary()
_keeping = threading.Lock()


def shared(context: Context, metrics: Iterable[str]) -> Mapping[str, Outlook]:
    """The outlooks of `metrics`, read once for all that is asked until something changes.

    They are read anew when the organization's revision is another (whatever its pages show has changed), when anything
    changed by itself since, and after KEPT_FOR.
    """
    session, organization, now = context.session, context.organization, context.now
    owner, wanted = organization.pk, set(metrics)
    revision = organizations.revisions(session, [owner])[owner]
    kept = _kept.setdefault(session.get_bind().engine, {})
    seen, looks = kept.get(owner, (-1, {}))
    looks = {metric: view for metric, view in looks.items() if seen == revision and _stands(view, now)}
    missing = sorted(wanted - looks.keys())
    if not missing:
        return looks
    held = plans_in_force.plans(session, owner)
    looks |= {metric: outlook(context, metric, held) for metric in missing}
    with _keeping:
        kept.pop(owner, None)
        while len(kept) >= KEPT:
            kept.pop(next(iter(kept)), None)
        kept[owner] = (revision, looks)
    return looks


def _stands(view: Outlook, now: datetime) -> bool:
    return view.now <= now < min(view.now + KEPT_FOR, engine.next_instant(view.facts, view.now))


def cut_off(view: Outlook) -> datetime | None:
    """When it stops: now where it is blocked; None where it lasts, or nothing is known of its pace.

    What was never used nor bought is not missed by anybody.
    """
    if view.blocked:
        return view.now if view.account.used or view.account.grants else None
    found = forecast(view)
    return found.runs_out_at if found.kind is ForecastKind.RUNS_OUT else None


def forecast(view: Outlook) -> Forecast:
    """ "Runs out on": one figure for API, card and page."""
    found = view.run_out()
    return _as_forecast(view, found.outcome, found.at)


def _as_forecast(view: Outlook, outcome: Outcome, at: datetime | None) -> Forecast:
    overage = None
    if view.facts.aggregation is Aggregation.LEVEL and view.account.allowance is not None:
        overage = max(0, view.account.level - view.account.allowance)
    return Forecast(
        kind=ForecastKind(outcome.value),
        runs_out_at=at,
        pace=0 if view.pace is None else view.pace.quantity if view.pace_is_level else view.pace.per_day,
        pace_days=0 if view.pace is None else view.pace.days,
        period_end_use=view.projected_use(),
        burn_per_period=overage,
    )


def bought(packs: Sequence[tuple[Pack, int]], metric: str, now: datetime) -> tuple[Grant, ...]:
    """Packs as the grants that they would become if they were paid now; a monthly one brings one every month."""
    starts = now + TICK
    return tuple(
        grant
        for pack, count in packs
        if pack.metric == metric and count > 0
        for grant in renewals.monthly(pack.id, pack.quantity * count, starts, now, MONTHS if pack.recurring else 1)
    )


def lasts_until(view: Outlook, extra: Iterable[Grant]) -> tuple[datetime | None, bool]:
    """When the metric runs out with further grants, and whether that is only the end of what is looked at."""
    found = view.run_out(extra)
    if found.outcome in (Outcome.UNKNOWN, Outcome.UNLIMITED):
        return None, False
    return found.at, found.outcome is not Outcome.RUNS_OUT


def offer(current: Catalog, metric: Metric, view: Outlook, shortfall: int) -> OfferView | None:
    """The cheapest one-time packs that cover `shortfall`, and until when they last."""
    found = cheapest(current.offered_packs(metric.id, Interval.ONCE), shortfall)
    return None if found is None else as_offer(current, metric, view, found)


def as_offer(current: Catalog, metric: Metric, view: Outlook, found: Offer) -> OfferView:
    """An offer with what a page says of it."""
    until, _ = lasts_until(view, bought(found.items, metric.id, view.now))
    return OfferView(
        items=tuple(OfferItem(pack.id, metric, pack.quantity, count) for pack, count in found.items),
        quantity=found.quantity,
        price_cents=found.price_cents,
        currency=current.currency.upper(),
        lasts_until=until,
    )


def suggested_end(view: Outlook) -> datetime:
    """Until when an offer should last unless a reader says otherwise: the end of the period after the running one."""
    return period_at(view.facts.anchor, view.period.number + 1).end


def suggestion(current: Catalog, metric: Metric, view: Outlook) -> OfferView | None:
    """What to buy so that the metric lasts to the end of the next period; at least something if it is cut off."""
    if not current.offered_packs(metric.id, Interval.ONCE):
        return None
    missing = view.shortfall(suggested_end(view))
    if not view.blocked:
        return offer(current, metric, view, missing)
    return offer(current, metric, view, max(missing, view.owed() + 1))


def ends_of_periods(view: Outlook, count: int) -> tuple[datetime, ...]:
    """The ends of the running period and of those after it."""
    number = period_containing(view.facts.anchor, view.now).number
    return tuple(period_at(view.facts.anchor, number + index).end for index in range(count))


def balance_points(points: Iterable[AheadPoint]) -> tuple[BalancePoint, ...]:
    """Forecast points as a page draws them: what a renewal brings is an upright step."""
    found: list[BalancePoint] = []
    for point in points:
        if point.granted and found and point.left > found[-1].left:
            found.append(BalancePoint(point.at, found[-1].left))
        found.append(BalancePoint(point.at, point.left, point.granted))
    return tuple(found)
