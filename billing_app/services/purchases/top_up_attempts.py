"""Beginning an auto top-up: whether it is time, how many packs it takes, and whether the month has room for them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.domain.purchases import top_ups as domain
from billing_app.domain.purchases.baskets import on_offer
from billing_app.domain.purchases.top_ups import TopUpState
from billing_app.services.catalogue import versions
from billing_app.services.common.context import Context
from billing_app.services.purchases import top_up_outcomes, top_ups
from billing_app.services.usage import meters
from billing_app.store.common import locks
from billing_app.store.credits import grants as credit_store
from billing_app.store.purchases import top_ups as store
from billing_app.store.tables.base import new_id
from billing_app.store.tables.purchases import TopUpAttempt

OWN = timedelta(minutes=2)
"""How long an attempt belongs to who works on it: more than all its calls take, less than anybody would wait."""


def begin(session: Session, owner: int, metric: str, now: datetime) -> str | None:
    """Writes an attempt down if it is time for one; its id. Whoever else tries at the same moment gets None."""
    organization, now = locks.hold_row(session, owner, now)
    meter = meters.fresh(Context(session, organization, now), metric)
    now = locks.moment(session, now)
    setting, card = store.setting(session, owner, metric), store.card(session, owner)
    if setting is None or card is None or not organization.active:
        return None
    if top_ups.state_of(setting, card, now) is TopUpState.ON:
        setting.resting_until = setting.capped_until = None
        session.add(setting)
    if not domain.armed(meter, setting.threshold) or top_ups.state_of(setting, card, now) is not TopUpState.ON:
        return None
    try:
        pack = on_offer(versions.current(session, now), setting.pack)
    except NotFoundError as error:
        top_up_outcomes.turn_off(session, setting, error.detail, now)
        return None
    packs = domain.packs_needed(meter, setting.threshold, pack.quantity, setting.count)
    cost = pack.price_cents * packs
    if credit_store.granted_total(session, owner, metric) + pack.quantity * packs > MAX_QUANTITY:
        top_up_outcomes.turn_off(session, setting, f"All grants together would exceed {MAX_QUANTITY}.", now)
        return None
    start, end = domain.month_of(now)
    paid = store.paid_between(session, owner, metric, start, end)
    if not domain.fits(paid, cost, setting.cap_cents):
        reason = top_ups.no_room(packs, cost, setting.cap_cents - paid, setting.cap_cents, setting.currency)
        top_up_outcomes.cap_reached(session, setting, end, reason, now)
        return None
    attempt = TopUpAttempt(
        organization_id=owner, id=f"tu_{new_id().hex}", metric=metric, pack=pack.id, quantity=pack.quantity,
        count=packs, amount_cents=cost, currency=setting.currency,
        payment_method_id=card.payment_method_id, customer_id=card.customer_id, started_at=now,
        worked_until=now + OWN,
    )  # fmt: skip
    return attempt.id if store.insert_attempt(session, attempt) else None
