"""Queries on what is wrong with organizations: blocked metrics, money that is owed, disputed or not collected, debt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, and_, case, exists, func, or_
from sqlmodel import Session, col, select

from billing_app.domain.purchases.reversals import DisputeStage, DisputeStatus
from billing_app.store.purchases.recurring import RENEWS
from billing_app.store.tables.credits import GrantRow
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.notifications import ThresholdMark
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.purchases import RecurringPack
from billing_app.store.tables.reversals import PaymentDispute
from billing_app.store.tables.subscriptions import Subscription

INQUIRIES = (DisputeStage.WARNING_NEEDS_RESPONSE, DisputeStage.WARNING_UNDER_REVIEW)
OPEN = (*INQUIRIES, *(stage for stage in DisputeStage if stage.status is DisputeStatus.OPENED))
"""Disputes that still need somebody."""

BLOCKED = (col(ThresholdMark.name) == "blocked", col(ThresholdMark.percent) == 1)
PAST_DUE = (col(Subscription.current).is_(True), col(Subscription.past_due_at).is_not(None))
DISPUTED = (col(PaymentDispute.status).in_([stage.value for stage in OPEN]),)
BILLING = col(Subscription.status).in_(("trialing", "active", "past_due", "unpaid", "paused"))
PRICE = (col(Subscription.current).is_(True), col(Subscription.price_known).is_(False), BILLING)
SECOND = (col(Subscription.kind) == "plan", col(Subscription.current).is_(False), BILLING)
COLLECTION = (col(Subscription.current).is_(True), col(Subscription.collection) != "", BILLING)
GIVEN_UP = (
    col(Subscription.current).is_(True),
    col(Subscription.latest_invoice_status).in_(("void", "uncollectible")),
    col(Subscription.collection) == "",
    BILLING,
)
LOST = (
    col(PaymentDispute.status) == DisputeStage.LOST.value,
    col(PaymentDispute.plan) != "",
    exists().where(
        col(Subscription.organization_id) == col(PaymentDispute.organization_id),
        col(Subscription.current).is_(True),
        col(Subscription.plan) == col(PaymentDispute.plan),
        BILLING,
    ),
)
LIVE = col(RecurringPack.state) != "ended"
PACK_COLLECTION = (LIVE, col(RecurringPack.collection) != "")
PACK_GIVEN_UP = (
    LIVE,
    col(RecurringPack.latest_invoice_status).in_(("void", "uncollectible")),
    col(RecurringPack.collection) == "",
)
PACK_LOST = (
    col(PaymentDispute.status) == DisputeStage.LOST.value,
    exists().where(
        col(GrantRow.organization_id) == col(PaymentDispute.organization_id),
        col(GrantRow.payment_id) == col(PaymentDispute.payment_id),
        *RENEWS,
    ),
)
IN_DEBT = (col(MeterRow.debt) > 0,)


def rank() -> ColumnElement[int]:
    """How bad it is, as a column of a query on organizations: 0 is worst, 7 is well."""
    ours = col(Organization.id)
    return case(
        (exists().where(col(ThresholdMark.organization_id) == ours, *BLOCKED), 0),
        (exists().where(col(Subscription.organization_id) == ours, *PAST_DUE), 1),
        (exists().where(col(PaymentDispute.organization_id) == ours, *DISPUTED), 2),
        (exists().where(col(Subscription.organization_id) == ours, or_(and_(*PRICE), and_(*SECOND))), 3),
        (exists().where(col(PaymentDispute.organization_id) == ours, or_(and_(*LOST), and_(*PACK_LOST))), 4),
        (exists().where(col(Subscription.organization_id) == ours, or_(and_(*COLLECTION), and_(*GIVEN_UP))), 5),
        (
            exists().where(
                col(RecurringPack.organization_id) == ours, or_(and_(*PACK_COLLECTION), and_(*PACK_GIVEN_UP))
            ),
            5,
        ),
        (exists().where(col(MeterRow.organization_id) == ours, *IN_DEBT), 6),
        else_=7,
    )


def blocked(session: Session, organization_ids: Collection[int]) -> dict[int, list[str]]:
    """The metrics that were blocked when they were last looked at."""
    query = select(ThresholdMark.organization_id, ThresholdMark.metric).where(*BLOCKED)
    query = query.where(col(ThresholdMark.organization_id).in_(organization_ids))
    return _grouped(session.exec(query.order_by(col(ThresholdMark.metric))))


def past_due(session: Session, organization_ids: Collection[int]) -> set[int]:
    """Those whose plan is owed for."""
    query = select(Subscription.organization_id).where(*PAST_DUE)
    return set(session.exec(query.where(col(Subscription.organization_id).in_(organization_ids))))


def unknown_prices(session: Session, organization_ids: Collection[int]) -> dict[int, tuple[int, str]]:
    """Those whose plan is billed at a price that nobody knows: cents, and the currency."""
    return _priced(session, organization_ids, PRICE)


def not_collected(session: Session, organization_ids: Collection[int]) -> dict[int, tuple[int, str]]:
    """Those for whose plan or packs Stripe collects nothing: what those cost, in cents, and the currency."""
    return _priced(session, organization_ids, COLLECTION, PACK_COLLECTION)


def given_up(session: Session, organization_ids: Collection[int]) -> dict[int, tuple[int, str]]:
    """Those whose latest invoice, of the plan or of packs, is owed no more: what those cost, and the currency."""
    return _priced(session, organization_ids, GIVEN_UP, PACK_GIVEN_UP)


def _priced(
    session: Session,
    organization_ids: Collection[int],
    which: Sequence[ColumnElement[bool]],
    packs: Sequence[ColumnElement[bool]] = (),
) -> dict[int, tuple[int, str]]:
    query = select(Subscription.organization_id, Subscription.price_cents, Subscription.currency).where(*which)
    rows = session.exec(query.where(col(Subscription.organization_id).in_(organization_ids)))
    found = {owner: (cents, currency) for owner, cents, currency in rows}
    if packs:
        each = col(RecurringPack.price_cents) * col(RecurringPack.count)
        of_packs = select(RecurringPack.organization_id, func.sum(each), func.min(RecurringPack.currency)).where(*packs)
        of_packs = of_packs.where(col(RecurringPack.organization_id).in_(organization_ids))
        for owner, cents, currency in session.exec(of_packs.group_by(col(RecurringPack.organization_id))):
            found[owner] = (int(cents) + found.get(owner, (0, ""))[0], currency)
    return found


def second_subscriptions(session: Session, organization_ids: Collection[int]) -> dict[int, tuple[int, str]]:
    """Those who are billed for a plan beside the one that they hold: cents of all those together, and the currency."""
    query = select(Subscription.organization_id, func.sum(Subscription.price_cents), func.min(Subscription.currency))
    query = query.where(*SECOND).where(col(Subscription.organization_id).in_(organization_ids))
    rows = session.exec(query.group_by(col(Subscription.organization_id)))
    return {owner: (int(cents), currency) for owner, cents, currency in rows}


def disputed(session: Session, organization_ids: Collection[int]) -> dict[int, tuple[int, str]]:
    """What is in dispute: cents, and the currency."""
    return _claimed(session, organization_ids, DISPUTED)


def plans_lost(session: Session, organization_ids: Collection[int]) -> dict[int, tuple[int, str]]:
    """What was paid for a plan that is still held, and lost in a dispute: cents, and the currency."""
    return _claimed(session, organization_ids, LOST)


def packs_lost(session: Session, organization_ids: Collection[int]) -> dict[int, tuple[int, str]]:
    """What was paid for packs that still renew, and lost in a dispute: cents, and the currency."""
    return _claimed(session, organization_ids, PACK_LOST)


def _claimed(
    session: Session, organization_ids: Collection[int], which: Sequence[ColumnElement[bool]]
) -> dict[int, tuple[int, str]]:
    query = select(PaymentDispute.organization_id, func.sum(PaymentDispute.amount_cents), PaymentDispute.currency)
    query = query.where(*which).where(col(PaymentDispute.organization_id).in_(organization_ids))
    rows = session.exec(query.group_by(col(PaymentDispute.organization_id), col(PaymentDispute.currency)))
    return {owner: (int(cents), currency) for owner, cents, currency in rows}


def in_debt(session: Session, organization_ids: Collection[int]) -> dict[int, list[str]]:
    """The metrics of which credits are owed."""
    query = select(MeterRow.organization_id, MeterRow.metric).where(*IN_DEBT)
    query = query.where(col(MeterRow.organization_id).in_(organization_ids))
    return _grouped(session.exec(query.order_by(col(MeterRow.metric))))


def _grouped(rows: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for owner, metric in rows:
        found[owner].append(metric)
    return dict(found)
