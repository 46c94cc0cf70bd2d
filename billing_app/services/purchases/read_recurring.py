"""What is bought again by itself, for the credits page and the buy page. Reads only."""

from __future__ import annotations

from billing_app.domain.catalogue import Catalog, Interval, Pack
from billing_app.domain.credits.accounts import Account
from billing_app.domain.purchases.recurring import State
from billing_app.domain.purchases.subscriptions import given_up
from billing_app.domain.purchases.top_ups import TopUpState, proposed_threshold, spendable
from billing_app.services.catalogue import versions
from billing_app.services.common.context import Context
from billing_app.services.credits import labels
from billing_app.services.purchases import top_ups
from billing_app.services.purchases.top_ups import TopUp
from billing_app.services.subscriptions import recurring_packs
from billing_app.services.subscriptions.views_recurring import (
    CardView,
    RenewalsView,
    RenewingPackView,
    TopUpPack,
    TopUpView,
)
from billing_app.services.usage import accounts
from billing_app.store.purchases import recurring as store
from billing_app.store.tables.purchases import RecurringPack

PROPOSED_TIMES = 3
"""A proposed cap allows so many purchases a month."""


def renewals(context: Context, metric_id: str) -> RenewalsView:
    """All packs that renew, those of the metric first, and the metric's auto top-up.

    Without a metric it is the first one with credits. Raises NotFoundError `metric_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    current = versions.current(session, now)
    metric_id = metric_id or labels.metric_with_credits(context, current, metric_id).id
    rows = recurring_packs.listed(session, organization)
    rows.sort(key=lambda row: (row.metric != metric_id, row.renews_at, row.id))
    known = set(current.metric_ids)
    lost = store.lost(session, organization.pk) if rows else set()
    account = accounts.account(session, organization, metric_id, now)
    return RenewalsView(
        now=now,
        packs=tuple(_pack(current, row, lost) for row in rows if row.metric in known),
        top_up=_top_up(current, top_ups.top_up(context, metric_id), account),
    )


def _pack(current: Catalog, row: RecurringPack, lost: set[str]) -> RenewingPackView:
    return RenewingPackView(
        id=row.id,
        metric=current.metric(row.metric),
        quantity=row.quantity,
        count=row.count,
        next_count=row.next_count,
        price_cents=row.price_cents,
        currency=row.currency.upper(),
        past_due=row.state == State.PAST_DUE,
        renews_at=row.renews_at,
        failure=row.failure,
        pay_url=row.pay_url,
        not_collected=row.collection != "",
        collection_resumes_at=row.collection_resumes_at,
        given_up=given_up(row.latest_invoice_status),
        lost=row.id in lost,
    )


def _top_up(current: Catalog, found: TopUp, account: Account) -> TopUpView | None:
    packs = current.offered_packs(found.metric.id, Interval.ONCE)
    if not packs:
        return None
    row = found.row
    left = None if account.allowance is None else spendable(account)
    chosen = next((pack for pack in packs if row is not None and pack.id == row.pack), _proposed(packs))
    until = None
    if row is not None:
        until = {TopUpState.RESTING: row.resting_until, TopUpState.CAPPED: row.capped_until}.get(found.state)
    return TopUpView(
        metric=found.metric,
        state=found.state.value,
        was_set=row is not None,
        threshold=row.threshold if row else proposed_threshold(left, chosen.quantity, found.metric.factor),
        pack=_choice(chosen),
        count=row.count if row else 1,
        cap_cents=row.cap_cents if row else chosen.price_cents * PROPOSED_TIMES,
        currency=found.currency.upper(),
        paid_cents=found.paid_cents,
        card=CardView(found.card.brand, found.card.last4) if found.card else None,
        failure=row.failure if row else "",
        until=until,
        consent_by=row.consent_by if row else "",
        consent_at=row.consent_at if row else None,
        packs=tuple(_choice(pack) for pack in packs),
        left=left,
    )


def _proposed(packs: tuple[Pack, ...]) -> Pack:
    """The middle one."""
    return packs[len(packs) // 2]


def _choice(pack: Pack) -> TopUpPack:
    return TopUpPack(pack.id, pack.quantity, pack.price_cents)
