"""The facts and state of a metric once per page, what they say of days to come, and what renewals will bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from billing_app.domain.catalogue import Catalog, Interval, Metric, Pack
from billing_app.domain.common.periods import add_months, period_at, period_containing
from billing_app.domain.credits import engine
from billing_app.domain.credits.facts import Aggregation, Grant, default_expiry
from billing_app.domain.credits.forecast import DAY, TICK, WHAT_IF, AheadPoint, MetricForecast, Outcome
from billing_app.domain.credits.timeline import follow
from billing_app.domain.purchases.offers import Offer, cheapest
from billing_app.domain.purchases.recurring import State
from billing_app.services.common import kept
from billing_app.services.common.context import Context
from billing_app.services.credits.views import PointAnswer
from billing_app.services.credits.views_shared import Forecast, ForecastKind, OfferItemAnswer, OfferView
from billing_app.services.usage import accounts, plans_in_force
from billing_app.store.common.questions import many
from billing_app.store.purchases import recurring as store
from billing_app.store.tables.purchases import RecurringPack

MONTHS = 12
"""Renewals that are looked ahead: a forecast ends after a year."""


def coming(context: Context, metric: str) -> tuple[Grant, ...]:
    """Grants of the metric that recurring packs will bring within a year, if they are paid when they are due.

    What is past due is not counted on: nobody knows whether it will be paid.
    """
    return _coming(store.of_organization(context.session, context.organization.pk), metric, context.now)


def _coming(rows: Iterable[RecurringPack], metric: str, now: datetime) -> tuple[Grant, ...]:
    return tuple(
        grant
        for row in rows
        if row.metric == metric and row.state == State.ACTIVE and row.next_count and row.renews_at > now
        for grant in monthly(row.id, row.quantity * row.next_count, row.renews_at, now, MONTHS)
    )


def monthly(name: str, quantity: int, first: datetime, now: datetime, months: int) -> tuple[Grant, ...]:
    """One grant a month from `first` on, each valid for a year."""
    starts = [add_months(first, number) for number in range(months)]
    return tuple(
        Grant(f"{WHAT_IF}{name}:{number}", quantity, start, default_expiry(start), now, paid_cents=1)
        for number, start in enumerate(starts)
    )


def of_metric(context: Context, metric: str, held: plans_in_force.Plans | None = None) -> MetricForecast:
    """What is known of a metric, run up to `now` with its trace; to be made once per metric and page."""
    session, organization, now = context.session, context.organization, context.now
    facts = accounts.history(session, organization, metric, now, held=held)
    return MetricForecast(facts, follow(facts, now), now, coming(context, metric))


def shared(context: Context, metrics: Iterable[str]) -> Mapping[str, MetricForecast]:
    """The outlooks of `metrics` now, worked out once for all that is asked until something changes (`common.kept`).

    Facts of all of them are read together as soon as one is not known.
    """
    session, organization, now = context.session, context.organization, context.now
    wanted = tuple(metrics)
    read: dict[str, MetricForecast] = {}

    def look(metric: str) -> kept.Fresh[MetricForecast]:
        if not read:
            read.update(of_metrics(context, wanted, plans(context)))
        view = read[metric]
        return kept.Fresh(view, stands_until(view), len(view.facts.usage) + len(view.timeline.points))

    def one(metric: str) -> MetricForecast:
        return kept.get(session, (organization,), now, ("outlook", metric), lambda: look(metric))

    return {metric: one(metric) for metric in wanted}


def of_metrics(context: Context, metrics: Sequence[str], held: plans_in_force.Plans) -> dict[str, MetricForecast]:
    """What `of_metric` gives of each, by as many statements as of one."""
    session, organization, now = context.session, context.organization, context.now
    facts = many(session, [accounts.history_of(organization, metric, now, held) for metric in metrics])
    rows = store.of_organization(session, organization.pk)
    return {
        metric: MetricForecast(known, follow(known, now), now, _coming(rows, metric, now))
        for metric, known in zip(metrics, facts, strict=True)
    }


def plans(context: Context) -> plans_in_force.Plans:
    """The plans that the organization held, read once in the same way."""
    session, organization, now = context.session, context.organization, context.now

    def read() -> kept.Fresh[plans_in_force.Plans]:
        return kept.Fresh(plans_in_force.plans(session, organization.pk))

    return kept.get(session, (organization,), now, "plans", read)


def stands_until(view: MetricForecast) -> datetime:
    """When it would say something else although nothing was written: at a change by itself, a renewal, and midnight,
    which is where days and forecasts are cut."""
    renewals_begin = (grant.effective_at for grant in view.coming)
    midnight = (view.now + DAY).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return min(engine.next_instant(view.facts, view.now), midnight, *renewals_begin)


def cut_off(view: MetricForecast) -> datetime | None:
    """When it stops: now where it is blocked; None where it lasts, or nothing is known of its pace.

    What was never used nor bought is not missed by anybody.
    """
    if view.blocked:
        return view.now if view.account.used or view.account.grants else None
    found = forecast(view)
    return found.runs_out_at if found.kind is ForecastKind.RUNS_OUT else None


def forecast(view: MetricForecast) -> Forecast:
    """ "Runs out on": one figure for API, card and page."""
    found = view.run_out()
    return _as_forecast(view, found.outcome, found.at)


def _as_forecast(view: MetricForecast, outcome: Outcome, at: datetime | None) -> Forecast:
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
        for grant in monthly(pack.id, pack.quantity * count, starts, now, MONTHS if pack.recurring else 1)
    )


def lasts_until(view: MetricForecast, extra: Iterable[Grant]) -> tuple[datetime | None, bool]:
    """When the metric runs out with further grants, and whether that is only the end of what is looked at."""
    found = view.run_out(extra)
    if found.outcome in (Outcome.UNKNOWN, Outcome.UNLIMITED):
        return None, False
    return found.at, found.outcome is not Outcome.RUNS_OUT


def offer(current: Catalog, metric: Metric, view: MetricForecast, shortfall: int) -> OfferView | None:
    """The cheapest one-time packs that cover `shortfall`, and until when they last."""
    found = cheapest(current.offered_packs(metric.id, Interval.ONCE), shortfall)
    return None if found is None else as_offer(current, metric, view, found)


def as_offer(current: Catalog, metric: Metric, view: MetricForecast, found: Offer) -> OfferView:
    """An offer with what a page says of it."""
    until, _ = lasts_until(view, bought(found.items, metric.id, view.now))
    return OfferView(
        items=tuple(OfferItemAnswer(pack.id, metric, pack.quantity, count) for pack, count in found.items),
        quantity=found.quantity,
        price_cents=found.price_cents,
        currency=current.currency.upper(),
        lasts_until=until,
    )


def suggested_end(view: MetricForecast) -> datetime:
    """Until when an offer should last unless a reader says otherwise: the end of the period after the running one."""
    return period_at(view.facts.anchor, view.period.number + 1).end


def suggestion(current: Catalog, metric: Metric, view: MetricForecast) -> OfferView | None:
    """What to buy so that the metric lasts to the end of the next period; at least something if it is cut off."""
    if not current.offered_packs(metric.id, Interval.ONCE):
        return None
    missing = view.shortfall(suggested_end(view))
    if not view.blocked:
        return offer(current, metric, view, missing)
    return offer(current, metric, view, max(missing, view.owed() + 1))


def ends_of_periods(view: MetricForecast, count: int) -> tuple[datetime, ...]:
    """The ends of the running period and of those after it."""
    number = period_containing(view.facts.anchor, view.now).number
    return tuple(period_at(view.facts.anchor, number + index).end for index in range(count))


def balance_points(points: Iterable[AheadPoint]) -> tuple[PointAnswer, ...]:
    """Forecast points as a page draws them: what a renewal brings is an upright step."""
    found: list[PointAnswer] = []
    for point in points:
        if point.granted and found and point.left > found[-1].left:
            found.append(PointAnswer(point.at, found[-1].left))
        found.append(PointAnswer(point.at, point.left, point.granted))
    return tuple(found)
