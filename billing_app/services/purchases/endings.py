"""Ending an organization: what it pays for, that it pays no more, and when it is over.

The decision is recorded and committed first; then Stripe is told, and it is noted that Stripe knows. Whoever decides
tries that at once, and a sweep continues with whatever a crash, or Stripe, left undone. Stripe is told the desired
state, so that telling it twice does it once. Child organizations end with it, also those that it does not pay for.
Nobody loses what is theirs: credits, ledger and history stay readable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from sqlmodel import Session

from billing_app.domain.common.errors import ConflictError
from billing_app.domain.common.periods import period_containing
from billing_app.domain.common.texts import optional_reason
from billing_app.services.catalogue import versions
from billing_app.services.common import audit
from billing_app.services.common import organizations as orgs
from billing_app.services.common.answers import filled
from billing_app.services.common.context import Context
from billing_app.services.purchases import fulfilment
from billing_app.services.subscriptions import notices
from billing_app.services.subscriptions.views_endings import EndingAnswer, EndingPartAnswer, PaidThingAnswer
from billing_app.store.common import locks
from billing_app.store.notifications import outbox
from billing_app.store.organizations import endings as store
from billing_app.store.organizations import tree
from billing_app.store.tables.organizations import Ending, Organization

ORGANIZATION, PAYMENTS = "organization", "payments"
"""What ends: all of it, or only that it pays."""


def look(context: Context) -> EndingAnswer:
    """What it pays for, what would end with it and when; and what was decided."""
    session, organization, now = context.session, context.organization, context.now
    row = store.ending(session, organization.pk)
    below = [each for each in tree.descendants(session, organization.pk) if each.active]
    pays = _pays(context)
    parts = tuple(
        EndingPartAnswer(each.address, each.name, _pays(replace(context, organization=each))) for each in below
    )
    if row is None or row.withdrawn:
        paid_until = _paid_until(session, [organization, *below], now)
        return EndingAnswer(
            organization.address, organization.name, pays, parts, paid_until, scope="", at_period_end=True,
            decided_at=None, actor="", reason="", told=False, done=False, error="",
        )  # fmt: skip
    return filled(
        EndingAnswer,
        row,
        address=organization.address,
        name=organization.name,
        pays=pays,
        parts=parts,
        told=row.stripe_notified_at is not None,
        done=row.done_at is not None,
    )


def decide(context: Context, *, at_period_end: bool, reason: str = "") -> None:
    """The organization, with all its parts, ends now or when everything that is paid has run out.

    From now on nothing new is bought, and auto top-ups are off. Raises ConflictError `organization_ended`, InvalidError
    `reason_required`.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    reason = optional_reason(reason)
    below = tree.descendants(session, organization.pk)
    everybody = sorted([organization, *below], key=attrgetter("pk"))
    for each in everybody:
        now = locks.hold(session, each.pk, now)
    row = store.ending(session, organization.pk)
    if row is not None and row.done_at is not None and row.scope == ORGANIZATION and not row.withdrawn:
        raise ConflictError(f"{organization.name} has ended already.", code="organization_ended")
    ends_at = _paid_until(session, everybody, now) if at_period_end else now
    for each in everybody:
        if each.active or each is organization:
            _write(replace(context, organization=each, now=now), ORGANIZATION, at_period_end, ends_at, reason)
            if not at_period_end:
                _close(replace(context, organization=each, now=now))
    decision = {"when": "period_end" if at_period_end else "now", "ends_at": ends_at.isoformat(), "reason": reason}
    owner = organization.pk
    audit.record(session, owner, now, actor, "organization.ending", organization.address, after=decision)


def follow_activity(context: Context) -> None:
    """An organization was deactivated: what it pays for ends when it has run out; or it was let work again.

    It must be locked.
    """
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    if organization.active:
        row = store.ending(session, owner)
        if row is not None and not row.withdrawn:
            withdraw(context, reopen=True)
        return
    if not (store.subscriptions(session, owner) or store.packs(session, owner) or store.open_orders(session, owner)):
        return
    row = store.ending(session, owner)
    if row is None or row.withdrawn or row.done_at is not None:
        ends_at = _paid_until(session, [organization], now)
        _write(context, PAYMENTS, True, ends_at, "It was deactivated")


def withdraw(context: Context, *, reopen: bool = False) -> None:
    """It does not end after all: its subscriptions go on, and its parts with it.

    What has ended at Stripe stays ended. Raises ConflictError `not_ending`, or `organization_ended` for one that is
    over, unless it is to be reopened.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    everybody = [organization, *tree.descendants(session, organization.pk)]
    everybody.sort(key=attrgetter("pk"))
    for each in everybody:
        now = locks.hold(session, each.pk, now)
    rows = store.of(session, [each.pk for each in everybody])
    row = rows.get(organization.pk)
    if row is None or row.withdrawn:
        raise ConflictError(f"{organization.name} is not ending.", code="not_ending")
    if row.done_at is not None and not reopen:
        raise ConflictError(f"{organization.name} is over. An operator can reactivate it.", code="organization_ended")
    for each in everybody:
        found = rows.get(each.pk)
        if found is not None and not found.withdrawn and found.decided_at == row.decided_at:
            found.withdrawn, found.revision = True, found.revision + 1
            found.stripe_notified_at, found.next_try_at, found.error = None, now, ""
            session.add(found)
            if found.done_at is not None and found.scope == ORGANIZATION:
                each.active = True
                session.add(each)
            orgs.raise_revision(session, each.pk)
    session.flush()
    audit.record(session, organization.pk, now, actor, "organization.ending_withdrawn", organization.address)


def close_if_due(context: Context) -> None:
    """At its moment the organization is over. It must be locked."""
    session, organization, now = context.session, context.organization, context.now
    row = store.ending(session, organization.pk)
    if row is not None and not row.withdrawn and row.done_at is None and row.ends_at <= now:
        _close(context)


def require_going_on(session: Session, organization: Organization) -> None:
    """Nothing new is bought by an organization that ends. Raises ConflictError `organization_ending`."""
    row = store.ending(session, organization.pk)
    if row is not None and not row.withdrawn:
        raise ConflictError(
            f"{organization.name} ends on {row.ends_at:%d %b %Y}. Take that back first: page Organization.",
            code="organization_ending",
        )


def _write(context: Context, scope: str, at_period_end: bool, ends_at: datetime, reason: str) -> None:
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    row = store.ending(session, owner)
    revision = row.revision + 1 if row else 1
    row = row or Ending(
        organization_id=owner, scope=scope, at_period_end=at_period_end, decided_at=now, ends_at=ends_at
    )
    if row.withdrawn:
        row.subscriptions = "[]"
    row.scope, row.at_period_end, row.decided_at, row.ends_at = scope, at_period_end, now, ends_at
    row.reason, row.actor, row.revision, row.withdrawn = reason, actor, revision, False
    row.stripe_notified_at = row.done_at = None
    row.next_try_at, row.tries, row.error = now, 0, ""
    session.add(row)
    for setting in store.top_ups(session, owner):
        setting.enabled, setting.armed_at = False, None
        session.add(setting)
    for order in store.open_orders(session, owner):
        if order.session_id is None:
            fulfilment.give_up(context, order)
    session.flush()
    kind = "organization.ending" if scope == ORGANIZATION else "organization.payments_ending"
    payload = {"ends_at": ends_at.isoformat(), "reason": reason}
    if scope == ORGANIZATION:
        outbox.add(session, owner, kind, f"{kind}:{revision}", payload, now, now)
    orgs.raise_revision(session, owner)


def _close(context: Context) -> None:
    session, organization, now = context.session, context.organization, context.now
    row = store.ending(session, organization.pk)
    if row is None:
        return
    row.done_at = now
    session.add(row)
    if row.scope == ORGANIZATION and organization.active:
        organization.active = False
        session.add(organization)
        audit.record(session, organization.pk, now, row.actor, "organization.ended", organization.address)
    session.flush()
    orgs.raise_revision(session, organization.pk)


def _paid_until(session: Session, organizations: Iterable[Organization], now: datetime) -> datetime:
    """When all that is paid has run out; where nothing is, the end of the running period."""
    found = list(organizations)
    moments = [
        each.until
        for organization in found
        for each in _pays(Context(session, organization, now))
        if each.until is not None
    ]
    return max((each for each in moments if each > now), default=period_containing(found[0].anchor, now).end)


def _pays(context: Context) -> tuple[PaidThingAnswer, ...]:
    session, organization, now = context.session, context.organization, context.now
    owner, known = organization.pk, versions.current(session, now)
    names = {plan.id: plan.name for plan in known.plans}
    metrics = {metric.id: metric.name for metric in known.metrics}
    plans = [
        PaidThingAnswer("plan", names.get(row.plan, row.plan) or "A subscription", row.price_cents, row.currency,
                  row.interval, row.cancel_at or row.period_end, _standing(row.status))
        for row in store.subscriptions(session, owner)
    ]  # fmt: skip
    packs = [
        PaidThingAnswer("pack", notices.pack_name(known, row), row.price_cents * row.count,
                  row.currency, "month", row.renews_at, _standing(row.state))
        for row in store.packs(session, owner)
    ]  # fmt: skip
    top_ups = [
        PaidThingAnswer("top_up", metrics.get(row.metric, row.metric), row.cap_cents, row.currency, "", None, "paid")
        for row in store.top_ups(session, owner)
    ]
    orders = [
        PaidThingAnswer("order", names.get(row.plan, "Packs") if row.kind == "plan" else "Packs", row.total_cents,
                  row.currency, "", None, "paid")
        for row in store.open_orders(session, owner)
    ]  # fmt: skip
    return (*plans, *packs, *top_ups, *orders)


def _standing(status: str) -> str:
    """What its period is, of a plan or of packs."""
    return {"trialing": "trial", "past_due": "owed", "unpaid": "owed"}.get(status, "paid")
