"""Consume and reservations: what asks before it uses (credits.md, The fast path; fine points 12 and 15)."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from billing_app.domain.catalogue import Catalog, Metric
from billing_app.domain.common.errors import CreditsExhaustedError, FactRefusedError, NotFoundError
from billing_app.domain.credits.facts import MAX_QUANTITY, Aggregation
from billing_app.services.catalogue import versions
from billing_app.services.common import payers
from billing_app.services.common.context import Context
from billing_app.services.usage import debits, meters
from billing_app.services.usage.debits import ConsumeAnswer, Mode
from billing_app.services.usage.totals import PeriodTotals
from billing_app.store.common import idempotency
from billing_app.store.organizations import organizations as orgs
from billing_app.store.organizations import tree
from billing_app.store.tables.base import new_id
from billing_app.store.tables.meters import MeterRow, Reservation
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import meters as meter_store
from billing_app.store.usage import new_events, rollups
from billing_app.store.usage.new_events import Counted, NewEvent

MAX_TIMEOUT_S = 24 * 3600
"""A reservation holds for at most a day (credits.md)."""

DEFAULT_TIMEOUT_S = MAX_TIMEOUT_S
"""Without a word of its own a reservation holds as long as one may."""


class ReservationState(StrEnum):
    """What a reservation is at a moment."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    EXPIRED = "expired"


def consume(
    context: Context,
    metric_id: str,
    quantity: int,
    *,
    mode: Mode = Mode.REJECT,
    key: str | None = None,
    strict: bool = True,
) -> ConsumeAnswer:
    """Takes `quantity`, all or nothing (reject) or what fits (clamp), never past allowance and credits.

    A repeated `key` answers what it answered first, refusals too (fine point 15); where `strict`, as over HTTP, only to
    the same request. Raises NotFoundError `metric_not_found`, FactRefusedError `not_consumable`, `invalid_quantity`,
    `quantity_too_large`, InvalidError `idempotency_mismatch`.
    """
    session, organization, now = context.session, context.organization, context.now
    debited = debits.take(context, metric_id, quantity, mode=mode, key=key)
    if debited is not None:
        return debited
    metric = _consumable(versions.current(session, now), metric_id)
    _validate(quantity)
    payer, source = payers.route(session, organization, now)
    owner = organization.pk
    row, now = meters.prepare(
        replace(context, organization=payer, now=now), metric_id
    )  # before the key, as a debit does: nobody waits in a circle
    if key is not None:
        digest = debits.digest(metric_id, quantity, mode)
        answer = idempotency.take(session, owner, debits.SPACE, key, digest, now, strict=strict)
        if answer is not None:
            return debits.answered_before(answer)
    payers.same_payer(context.at(now), payer)
    consumed = _take(replace(context, organization=payer, now=now), metric, row, quantity, mode, source)
    if key is not None:
        idempotency.answer(session, owner, debits.SPACE, key, json.dumps(asdict(consumed)))
    if consumed.accepted:
        _refresh_pages(session, organization, payer)
    return consumed


def exhausted(metric_id: str, quantity: int, consumed: ConsumeAnswer) -> CreditsExhaustedError:
    """The refusal of a consume of which nothing was accepted, with the same figures."""
    return CreditsExhaustedError(
        f"{quantity} of {metric_id} do not fit: neither allowance nor credits are left for it.",
        metric=metric_id, requested=quantity, accepted=0,
        used=consumed.used, allowance=consumed.allowance, credits=consumed.credits,
    )  # fmt: skip


def status(held: Reservation, now: datetime) -> ReservationState:
    """What became of a reservation."""
    if held.confirmed_quantity is not None:
        return ReservationState.CONFIRMED
    if held.closed_at is not None:
        return ReservationState.RELEASED
    return ReservationState.OPEN if now < held.holds_until else ReservationState.EXPIRED


def _take(context: Context, metric: Metric, row: MeterRow, quantity: int, mode: Mode, source: str) -> ConsumeAnswer:
    """From the locked meter, through the engine."""
    fits = meters.reading(row, metric.aggregation).fits(quantity)
    accepted = fits if mode is Mode.CLAMP or fits == quantity else 0
    if accepted:
        use(context, metric, row, accepted, source)
    return ConsumeAnswer(accepted, row.used, row.allowance, row.left)


def use(context: Context, metric: Metric, row: MeterRow, quantity: int, source: str = "") -> None:
    """Counts accepted use at `now` and brings the locked meter along through the engine.

    `organization` is the one that pays, `source` the sub-organization that used it, if one did. Raises FactRefusedError
    `quantity_too_large` where no total could hold it, which is no lack of credits (fine point 16).
    """
    session, organization, now = context.session, context.organization, context.now
    if metric.aggregation is Aggregation.SUM:
        PeriodTotals(session, [(organization, metric.id, [now])]).add(organization, metric.id, now, quantity)
    _add_event(context, metric, quantity, source)
    row.changed = True
    session.add(row)
    session.flush()
    meters.recompute(context, row)


def reserve(
    context: Context,
    metric_id: str,
    quantity: int,
    *,
    timeout_s: int = DEFAULT_TIMEOUT_S,
    reservation_id: str | None = None,
) -> Reservation:
    """Holds `quantity` for `timeout_s` seconds. Repeating a `reservation_id` answers the reservation that exists.

    Raises CreditsExhaustedError where it does not fit; FactRefusedError `invalid_timeout`, `not_consumable`,
    `invalid_quantity`, `quantity_too_large`; ConflictError `too_many_reservations`.
    """
    session, organization, now = context.session, context.organization, context.now
    metric = _consumable(versions.current(session, now), metric_id)
    _validate(quantity)
    if not 1 <= timeout_s <= MAX_TIMEOUT_S:
        raise FactRefusedError(f"`timeout_s` is 1 to {MAX_TIMEOUT_S} seconds.", code="invalid_timeout")
    payer, source = payers.route(session, organization, now)
    owner = payer.pk
    row, now = meters.prepare(replace(context, organization=payer, now=now), metric_id)
    payers.same_payer(context.at(now), payer)
    existing = meter_store.reservation(session, owner, reservation_id) if reservation_id else None
    if existing is not None:
        return existing
    reading = meters.reading(row, metric.aggregation)
    if reading.fits(quantity) < quantity:
        raise CreditsExhaustedError(
            f"{quantity} of {metric.name} do not fit: {reading.available} are available.",
            metric=metric_id, requested=quantity, used=row.used, allowance=row.allowance, credits=row.left,
        )  # fmt: skip
    if row.used + row.reserved + quantity > MAX_QUANTITY:
        raise FactRefusedError(f"The period's usage would exceed {MAX_QUANTITY}.", code="quantity_too_large")
    meters.require_room_for_one_more(session, owner, metric, now)
    reservation = Reservation(
        organization_id=owner, id=reservation_id or new_id().hex, metric=metric_id, quantity=quantity,
        opened_at=now, holds_until=now + timedelta(seconds=timeout_s), source=source,
    )  # fmt: skip
    session.add(reservation)
    session.flush()
    meters.recompute(replace(context, organization=payer, now=now), row)
    _refresh_pages(session, organization, payer)
    return reservation


def confirm(context: Context, reservation_id: str, *, quantity: int | None = None) -> Reservation:
    """What was reserved was used: counts as use now, never refused for lack of credits; the rest is given back.

    Without `quantity` all of it. Confirming twice is one confirmation. Raises NotFoundError `reservation_not_found`,
    FactRefusedError `reservation_expired`, `reservation_exceeded`, `invalid_quantity`, and `reservation_closed` for one
    that was confirmed with another quantity.
    """
    session, organization, now = context.session, context.organization, context.now
    held, row, payer, now = _held(context, reservation_id)
    real = held.quantity if quantity is None else quantity
    if held.confirmed_quantity is not None:
        _require_same(held.confirmed_quantity, real)
        return held
    if held.closed_at is not None or held.holds_until <= now:
        raise FactRefusedError("The reservation has ended: its quantity was returned.", code="reservation_expired")
    if real < 0:
        raise FactRefusedError("`quantity` is 0 or more.", code="invalid_quantity")
    if real > held.quantity:
        raise FactRefusedError(
            f"{held.quantity} were reserved; {real} can't be confirmed. Report the rest as usage.",
            code="reservation_exceeded",
        )
    held.confirmed_quantity, held.closed_at = real, now
    session.add(held)
    session.flush()
    metric = versions.current(session, now).metric(held.metric)
    if real:
        use(replace(context, organization=payer, now=now), metric, row, real, held.source)
    else:
        meters.recompute(replace(context, organization=payer, now=now), row)
    _refresh_pages(session, organization, payer)
    return held


def _require_same(confirmed: int, real: int) -> None:
    if real != confirmed:
        raise FactRefusedError(
            f"This reservation was confirmed with {confirmed} and is closed; {real} can't be confirmed any more. "
            "Report what was used beyond it as usage.",
            code="reservation_closed",
        )


def release(context: Context, reservation_id: str) -> Reservation:
    """Gives all of a reservation back; releasing twice, or what has ended, is no error.

    Raises NotFoundError `reservation_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    held, row, payer, now = _held(context, reservation_id)
    if held.closed_at is None:
        held.closed_at = now
        session.add(held)
        session.flush()
        meters.recompute(replace(context, organization=payer, now=now), row)
        _refresh_pages(session, organization, payer)
    return held


def _held(context: Context, reservation_id: str) -> tuple[Reservation, MeterRow, Organization, datetime]:
    """The reservation, read under the lock of its meter, and whose meter that is.

    A sub-organization's is held where somebody above pays for it, perhaps somebody who no longer does.
    """
    session, organization, now = context.session, context.organization, context.now
    for holder in (organization, *tree.ancestors(session, organization)):
        owner = holder.pk
        found = meter_store.reservation(session, owner, reservation_id)
        if found is not None and (holder is organization or found.source == organization.address):
            row, now = meters.prepare(replace(context, organization=holder, now=now), found.metric)
            again = meter_store.reservation(session, owner, reservation_id)
            return again or found, row, holder, now
    raise NotFoundError(f"There is no reservation {reservation_id!r}.", code="reservation_not_found")


def _refresh_pages(session: Session, *organizations: Organization) -> None:
    """The pages of the payer and of whoever uses change."""
    for owner in sorted({each.pk for each in organizations}):
        orgs.raise_revision(session, owner)


def _add_event(context: Context, metric: Metric, quantity: int, source: str) -> None:
    session, organization, now = context.session, context.organization, context.now
    meter = (organization.pk, metric.id)
    events = [NewEvent(*meter, now, quantity, source=source)]
    new_events.add(session, events, now)
    rollups.add(session, [Counted(meter, metric.aggregation, organization.anchor, events)], now)


def _consumable(current: Catalog, metric_id: str) -> Metric:
    metric = current.metric(metric_id)
    if not debits.is_consumable(current, metric_id):
        raise FactRefusedError(
            f"{metric.name} is not a sum: report it as usage, and ask with check.", code="not_consumable"
        )
    return metric


def _validate(quantity: int) -> None:
    if not 1 <= quantity <= MAX_QUANTITY:
        raise FactRefusedError(f"`quantity` is a whole number from 1 to {MAX_QUANTITY}.", code="invalid_quantity")
