"""Queries on subscriptions, on previews of plan changes, and on when an organization's plan was past due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, delete, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from billing_app.store.common.questions import OfOrganization, among, grouped, listed
from billing_app.store.common.statements import read, upsert
from billing_app.store.tables.catalogue import StripePlan
from billing_app.store.tables.purchases import Order
from billing_app.store.tables.subscriptions import PastDueChange, PlanPreview, Subscription

PLAN = "plan"
"""The kind of a subscription, and of the order that begins it."""


def subscription(session: Session, organization_id: int, subscription_id: str) -> Subscription | None:
    """A subscription as it is in the database now; whoever changes it holds the organization's row."""
    return session.get(Subscription, (organization_id, subscription_id), populate_existing=True)


def current(session: Session, organization_id: int) -> Subscription | None:
    """The subscription whose plan the organization holds, or held last."""
    query = select(Subscription).where(Subscription.organization_id == organization_id, col(Subscription.current))
    return session.exec(query).first()


def of_organization(session: Session, organization_id: int, kind: str | None = None) -> list[Subscription]:
    """All its subscriptions, newest first; those of one kind, if told."""
    query = select(Subscription).where(Subscription.organization_id == organization_id)
    if kind is not None:
        query = query.where(Subscription.kind == kind)
    return list(session.exec(query.order_by(col(Subscription.started_at).desc(), col(Subscription.id))))


def open_orders(session: Session, organization_id: int) -> list[Order]:
    """Orders of plans that somebody may still pay."""
    query = select(Order).where(Order.organization_id == organization_id, Order.kind == PLAN, Order.state == "open")
    return list(session.exec(query.order_by(col(Order.created_at))))


class PastDueFact(NamedTuple):
    """From `at` on a plan is owed for (`past_due`), or paid again, as was recorded in the order of `number`."""

    number: int
    past_due: bool
    at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PastDueChanges(OfOrganization):
    """When an organization's plan was owed for and paid again, in recorded order; with `known_at` as was by then."""

    known_at: datetime | None = None

    @property
    def alike(self) -> datetime | None:
        """Those of one `known_at` are answered together."""
        return self.known_at

    @classmethod
    def answer(cls, session: Session, asked: Sequence[PastDueChanges]) -> list[list[PastDueFact]]:
        """One statement, whatever the number of organizations."""
        dialect, known_at = session.get_bind().dialect.name, asked[0].known_at
        owners = [each.organization_id for each in asked]
        values = {"owners": listed(dialect, owners), "known_at": known_at}
        rows = read(session, _past_due_changes(dialect, as_known=known_at is not None), values)
        return [[PastDueFact(*row[1:]) for row in each] for each in grouped(rows, [(owner,) for owner in owners])]


def past_due_changes(session: Session, organization_id: int) -> list[PastDueFact]:
    """When its plan was owed for and paid again, in recorded order."""
    return PastDueChanges.answer(session, [PastDueChanges(organization_id)])[0]


@cache
def _past_due_changes(dialect: str, *, as_known: bool) -> Select[*tuple[Any, ...]]:
    row = PastDueChange
    columns = (row.organization_id, row.number, row.past_due, row.at, row.recorded_at)
    query = select_columns(*map(col, columns)).where(among(dialect, row.organization_id, "owners"))
    if as_known:
        query = query.where(col(row.recorded_at) <= bindparam("known_at"))
    return query.order_by(col(row.number))


def add_past_due_change(
    session: Session, organization_id: int, at: datetime, now: datetime, *, past_due: bool, reason: str
) -> None:
    """Records that the plan is owed for, or paid, from `at` on; the organization must be locked."""
    query = select(func.max(PastDueChange.number)).where(PastDueChange.organization_id == organization_id)
    number = (session.exec(query).one() or 0) + 1
    row = PastDueChange(
        organization_id=organization_id, number=number, past_due=past_due, at=at, recorded_at=now, reason=reason
    )
    session.add(row)
    session.flush()


def keep_preview(session: Session, organization_id: int, plan: str, interval: str, at: datetime, made_of: str) -> None:
    """Keeps what somebody was shown at `at`."""
    row = {"organization_id": organization_id, "plan": plan, "interval": str(interval), "at": at, "made_of": made_of}
    statement = upsert(session, PlanPreview).values(**row)
    keys = ["organization_id", "plan", "interval", "at"]
    session.connection().execute(statement.on_conflict_do_update(index_elements=keys, set_={"made_of": made_of}))


def made_of(session: Session, organization_id: int, plan: str, interval: str, at: datetime) -> str | None:
    """What the preview of `at` was made of; None where nobody looked."""
    row = session.get(PlanPreview, (organization_id, plan, str(interval), at), populate_existing=True)
    return row.made_of if row is not None else None


def drop_previews(session: Session, organization_id: int, before: datetime, most: int) -> None:
    """Deletes an organization's previews from before a moment, and all but the newest `most`. It must be locked."""
    own = col(PlanPreview.organization_id) == organization_id
    newest = select(PlanPreview.at).where(own).order_by(col(PlanPreview.at).desc()).offset(most).limit(1)
    over = session.exec(newest).first()
    old = col(PlanPreview.at) < before
    if over is not None:
        old |= col(PlanPreview.at) <= over
    session.connection().execute(delete(PlanPreview).where(own, old))


def products(session: Session) -> dict[str, str]:
    """The product of each plan that is at Stripe, by plan."""
    return {row.plan: row.product_id for row in session.exec(select(StripePlan))}


def keep_product(session: Session, plan: str, product_id: str, now: datetime) -> None:
    """Writes down that a plan is this product, once."""
    values = {"plan": plan, "product_id": product_id, "pushed_at": now}
    statement = upsert(session, StripePlan).values(**values).on_conflict_do_nothing()
    session.connection().execute(statement)
