"""Auto top-up as it is set: reading it, changing it with a person's consent, and what a paid or failed attempt does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog, Metric, Pack
from billing_app.domain.catalogue.quantities import cents_in, format_pack, format_size, quantity_in
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.common.money import MAX_AMOUNT_CENTS, format_money
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.domain.purchases import top_ups as domain
from billing_app.domain.purchases.baskets import MAX_COUNT, on_offer
from billing_app.domain.purchases.top_ups import Figures, Standing, TopUpState
from billing_app.services.catalogue import versions
from billing_app.services.common import audit, organizations, payers
from billing_app.services.common.answers import SAID_WHOLE
from billing_app.services.common.context import Context
from billing_app.services.purchases import endings
from billing_app.services.usage import accounts, meters
from billing_app.store.common import locks
from billing_app.store.purchases import top_ups as store
from billing_app.store.tables.purchases import AutoTopUp, SavedCard


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for. `consent` says that they agreed to being charged without being asked again."""

    enabled: bool
    threshold: int
    pack: str
    count: int
    cap_cents: int
    consent: bool = False


OFF = Wanted(enabled=False, threshold=0, pack="", count=1, cap_cents=1)


@dataclass(frozen=True, slots=True)
class TopUpEntries:
    """What was typed into a form: texts, as a browser sends them. None of it is checked yet."""

    threshold: str = ""
    pack: str = ""
    count: str = "1"
    cap: str = ""
    consent: bool = False


@dataclass(frozen=True, slots=True)
class AtOnceAnswer:
    """What a setting buys right away, because credits are at its threshold or below; 0 packs for nothing.

    All of it is one charge, before tax. `refusal` says why it is not made: the month's cap has no room for it.
    """

    __pydantic_config__ = SAID_WHOLE

    packs: int = 0
    quantity: int = 0
    price_cents: int = 0
    refusal: str = ""


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
    at_once: AtOnceAnswer
    """What it buys as soon as it can."""


def top_up(context: Context, metric_id: str) -> TopUp:
    """How it stands. Raises NotFoundError `metric_not_found`."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    current = versions.current(session, now)
    metric = current.metric(metric_id)
    row, card = store.setting(session, owner, metric_id), store.card(session, owner)
    paid = _paid(session, owner, metric_id, now) if row is not None else 0
    at_once = AtOnceAnswer()
    if row is not None and row.enabled and any(pack.id == row.pack for pack in current.packs):
        figures = accounts.account(session, organization, metric_id, now)
        at_once = bought_at_once(figures, current.pack(row.pack), row, paid, current.currency)
    return TopUp(metric, state_of(row, card, now), row, card, paid, current.currency, at_once)


def bought_at_once(
    figures: Figures, pack: Pack, amounts: Wanted | AutoTopUp, paid_cents: int, currency: str
) -> AtOnceAnswer:
    """What these amounts buy now, in one charge; `paid_cents` were paid in the running month."""
    if not domain.armed(figures, amounts.threshold):
        return AtOnceAnswer()
    packs = domain.packs_needed(figures, amounts.threshold, pack.quantity, amounts.count)
    price, room = pack.price_cents * packs, amounts.cap_cents - paid_cents
    refusal = "" if price <= room else no_room(packs, price, room, amounts.cap_cents, currency)
    return AtOnceAnswer(packs, pack.quantity * packs, price, refusal)


def no_room(packs: int, price_cents: int, room_cents: int, cap_cents: int, currency: str) -> str:
    """Why the month's cap keeps it from buying, for whoever set it."""
    needed = f"It takes {packs} pack{'s' if packs > 1 else ''} for {format_money(price_cents, currency)}"
    left, cap = format_money(max(0, room_cents), currency), format_money(cap_cents, currency)
    return (
        f"{needed}, and {left} of the month's {cap} are left. Raise the cap, choose a larger pack, or buy on the page."
    )


def preview(context: Context, metric_id: str, wanted: Wanted) -> AtOnceAnswer:
    """What turning it on with these amounts would buy right away. Changes nothing; raises what `put` raises of them."""
    session, organization, now = context.session, context.organization, context.now
    current = versions.current(session, now)
    metric = current.metric(metric_id)
    pack = _validated(current, metric, wanted)
    figures = accounts.account(session, organization, metric_id, now)
    paid = _paid(session, organization.pk, metric_id, now)
    return bought_at_once(figures, pack, wanted, paid, current.currency)


def _paid(session: Session, owner: int, metric_id: str, now: datetime) -> int:
    start, end = domain.month_of(now)
    return store.paid_between(session, owner, metric_id, start, end)


def state_of(row: AutoTopUp | None, card: SavedCard | None, now: datetime) -> TopUpState:
    """What it does at `now`."""
    if row is None:
        return TopUpState.OFF
    standing = Standing(row.enabled, card is not None, row.failures, row.resting_until, row.capped_until)
    return standing.state(now)


def put_typed(context: Context, metric_id: str, typed: TopUpEntries) -> TopUp:
    """Turns it on with what was typed into a form; raises as `put` does, and for what is not an amount."""
    session, now = context.session, context.now
    current = versions.current(session, now)
    wanted = Wanted(
        enabled=True,
        threshold=quantity_in(typed.threshold, current.metric(metric_id)),
        pack=typed.pack,
        count=int(typed.count) if typed.count.isascii() and typed.count.isdigit() else 0,
        cap_cents=cents_in(typed.cap, current.currency),
        consent=typed.consent,
    )
    return put(context, metric_id, wanted)


def turn_off(context: Context, metric_id: str) -> TopUp:
    """Turns it off, whatever it was set to."""
    return put(context, metric_id, OFF)


def put(context: Context, metric_id: str, wanted: Wanted) -> TopUp:
    """Sets it. Turning it on, or changing what it buys, needs consent, which is kept with who gave it.

    Raises NotFoundError `metric_not_found`, `pack_not_found`; InvalidError `pack_not_for_metric`, `invalid_count`,
    `invalid_threshold`, `invalid_cap`, `cap_too_small`, `consent_required`; for turning it on ForbiddenError
    `organization_inactive`, ConflictError `organization_ending`.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    now = locks.hold(session, owner, now)
    current = versions.current(session, now)
    metric = current.metric(metric_id)
    if wanted.enabled:
        payers.require_active(organization, organization)
        endings.require_going_on(session, organization)
    # Before the setting's own row: whoever uses the metric holds the meter and then arms the setting.
    meter = meters.fresh(context.at(now), metric_id)
    now = locks.moment(session, now)
    row = store.setting(session, owner, metric_id)
    was, before = row is not None and row.enabled, {} if row is None else _figures(metric, row)
    if not wanted.enabled and row is not None:
        row.enabled, row.armed_at, row.failures, row.updated_at = False, None, 0, now
        session.add(row)
    else:
        pack = _validated(current, metric, wanted)
        at_once = bought_at_once(meter, pack, wanted, _paid(session, owner, metric_id, now), current.currency)
        if wanted.enabled:
            _agreed(wanted, at_once, current.currency)
        row = row or AutoTopUp(
            organization_id=owner, metric=metric_id, enabled=False, threshold=0, pack="", count=1, cap_cents=1,
            currency=current.currency, updated_at=now,
        )  # fmt: skip
        _set(row, wanted, consent_text(current, metric, pack, wanted), now, actor)
        session.add(row)
    session.flush()
    after = _figures(metric, row)
    if was is wanted.enabled:
        audit.record(
            session, owner, now, actor, "top_up.changed", metric.name, before=before, after=_figures(metric, row)
        )
    elif wanted.enabled:
        audit.record(session, owner, now, actor, "top_up.switched_on", metric.name, after=after)
    else:
        audit.record(session, owner, now, actor, "top_up.switched_off", metric.name)
    meters.recompute(context.at(now), meter)
    organizations.raise_revision(session, owner)
    return top_up(context.at(now), metric_id)


def _figures(metric: Metric, row: AutoTopUp) -> dict[str, Any]:
    left = format_size(row.threshold, metric)
    return {"threshold": left, "pack": row.pack, "count": row.count, "cap_cents": row.cap_cents}


def _agreed(wanted: Wanted, at_once: AtOnceAnswer, currency: str) -> None:
    """Refuses what nobody agreed to, with what it would cost, and amounts whose first purchase can never be made."""
    if at_once.price_cents > wanted.cap_cents:
        raise InvalidError(at_once.refusal, code="cap_too_small")
    if not wanted.consent:
        now = ""
        if at_once.packs and not at_once.refusal:
            now = f" With these amounts it is charged {format_money(at_once.price_cents, currency)} at once."
        raise InvalidError(
            f"To turn auto top-up on, agree that the saved card is charged.{now}",
            code="consent_required",
            charged_at_once_cents=0 if at_once.refusal else at_once.price_cents,
        )


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
        raise InvalidError(f"{pack.id!r} is not a one-time pack of {metric.name}.", code="pack_not_for_metric")
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
