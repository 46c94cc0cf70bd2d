"""Attempts to top up: begun, and what they come to: a grant, a day's rest, or the end of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.domain.purchases import top_ups as domain
from billing_app.domain.purchases.baskets import Sold, on_offer
from billing_app.domain.purchases.top_ups import AttemptState, TopUpState
from billing_app.gateways.invoices import Invoice
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import invoice_grants
from billing_app.services.purchases import top_ups
from billing_app.services.usage import meters
from billing_app.store.common import locks
from billing_app.store.credits import grants as credit_store
from billing_app.store.notifications import outbox
from billing_app.store.purchases import top_ups as store
from billing_app.store.stripe import ownership
from billing_app.store.tables.base import new_id
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.purchases import AutoTopUp, TopUpAttempt

ORGANIZATION, KIND, TOP_UP = "organization", "kind", "top_up"
"""Names in the metadata of the invoices that we make."""


def paid(context: Context, invoice: Invoice) -> list[GrantRow]:
    """A top-up's invoice is paid: its grants, once, whoever comes with the news, and whatever became of the attempt."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    now = locks.hold(session, owner, now)
    kept = ownership.attempt_of_invoice(session, invoice.id)
    attempt = store.attempt(session, owner, kept.id if kept else invoice.metadata.get(TOP_UP, ""))
    known = {"": Sold(attempt.pack, attempt.metric, attempt.quantity)} if attempt else {}
    unattributed = context.unattributed().at(now)
    grants = invoice_grants.grant_lines(unattributed, invoice, once=invoice_grants.TOP_UP, known=known)
    if attempt is None or attempt.state == AttemptState.PAID:
        return grants
    at = invoice_grants.paid_at(invoice, now)
    attempt.state, attempt.failure, attempt.invoice_id = AttemptState.PAID.value, "", invoice.id
    attempt.amount_cents, attempt.currency = invoice.total_cents, invoice.currency
    attempt.paid_at, attempt.closed_at, attempt.worked_until = at, now, None
    session.add(attempt)
    setting = store.setting(session, owner, attempt.metric)
    if setting is not None:
        setting.failures, setting.failure, setting.resting_until = 0, "", None
        session.add(setting)
    payload = [invoice_grants.payload(grant) for grant in grants]
    _notify(session, attempt, "top_up.paid", {"invoice": invoice.id, "grants": payload}, at, now)
    session.flush()
    organizations.raise_revision(session, owner)
    return grants


def failed(session: Session, owner: int, attempt_id: str, reason: str, now: datetime) -> None:
    """Nothing was paid: it rests for a day, or is off after the third time in a row. Told once."""
    now = locks.hold(session, owner, now)
    attempt = store.attempt(session, owner, attempt_id)
    if attempt is None or attempt.state != AttemptState.OPEN:
        return
    attempt.state, attempt.failure = AttemptState.FAILED.value, reason
    attempt.closed_at, attempt.worked_until = now, None
    session.add(attempt)
    setting = store.setting(session, owner, attempt.metric)
    if setting is not None:
        setting.failures += 1
        setting.failure, setting.armed_at, setting.resting_until = reason, None, now + domain.REST
        session.add(setting)
    resting = setting.resting_until.isoformat() if setting and setting.resting_until else None
    _notify(session, attempt, "top_up.failed", {"failure": reason, "resting_until": resting}, now, now)
    if setting is not None and setting.enabled and setting.failures >= domain.MAX_FAILURES:
        turn_off(session, setting, reason, now, failures=setting.failures)
    session.flush()
    organizations.raise_revision(session, owner)


def turn_off(session: Session, setting: AutoTopUp, reason: str, now: datetime, failures: int = 0) -> None:
    """It does nothing any more until a person turns it on again."""
    setting.enabled, setting.armed_at, setting.failure = False, None, reason
    setting.failures = max(failures, domain.MAX_FAILURES)
    session.add(setting)
    payload = {"metric": setting.metric, "failure": reason}
    key = f"top_up.off:{setting.metric}:{now.isoformat()}"
    outbox.add(session, setting.organization_id, "top_up.off", key, payload, now, now, setting.metric)
    organizations.raise_revision(session, setting.organization_id)


def cap_reached(session: Session, setting: AutoTopUp, until: datetime, reason: str, now: datetime) -> None:
    """The month has no room for what is needed: it goes on with the next one, or with less. Told once a month."""
    setting.capped_until, setting.failure = until, reason
    session.add(setting)
    payload = {
        "metric": setting.metric,
        "cap_cents": setting.cap_cents,
        "currency": setting.currency,
        "until": until.isoformat(),
        "failure": reason,
    }
    key = f"top_up.capped:{setting.metric}:{until.date().isoformat()}"
    outbox.add(session, setting.organization_id, "top_up.capped", key, payload, now, now, setting.metric)
    organizations.raise_revision(session, setting.organization_id)


def _notify(
    session: Session, attempt: TopUpAttempt, kind: str, more: dict[str, object], at: datetime, now: datetime
) -> None:
    payload = {
        "attempt": attempt.id,
        "metric": attempt.metric,
        "pack": attempt.pack,
        "total_cents": attempt.amount_cents,
        "currency": attempt.currency,
        **more,
    }
    outbox.add(session, attempt.organization_id, kind, f"{kind}:{attempt.id}", payload, at, now, attempt.metric)


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
        turn_off(session, setting, error.detail, now)
        return None
    packs = domain.packs_needed(meter, setting.threshold, pack.quantity, setting.count)
    cost = pack.price_cents * packs
    if credit_store.granted_total(session, owner, metric) + pack.quantity * packs > MAX_QUANTITY:
        turn_off(session, setting, f"All grants together would exceed {MAX_QUANTITY}.", now)
        return None
    start, end = domain.month_of(now)
    paid = store.paid_between(session, owner, metric, start, end)
    if not domain.fits(paid, cost, setting.cap_cents):
        reason = top_ups.no_room(packs, cost, setting.cap_cents - paid, setting.cap_cents, setting.currency)
        cap_reached(session, setting, end, reason, now)
        return None
    attempt = TopUpAttempt(
        organization_id=owner, id=f"tu_{new_id().hex}", metric=metric, pack=pack.id, quantity=pack.quantity,
        count=packs, amount_cents=cost, currency=setting.currency,
        payment_method_id=card.payment_method_id, customer_id=card.customer_id, started_at=now,
        worked_until=now + OWN,
    )  # fmt: skip
    return attempt.id if store.insert_attempt(session, attempt) else None
