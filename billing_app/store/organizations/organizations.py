"""Queries about organizations: finding them, their revisions, and who of all of them holds which plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Insert, Select, bindparam, event, func, literal, true, update
from sqlalchemy import select as select_columns
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from billing_app.store.common.questions import among, listed
from billing_app.store.common.statements import read, upsert, upsert_on
from billing_app.store.credits.grants import HeldPlan
from billing_app.store.tables.catalogue import CatalogueVersion
from billing_app.store.tables.credits import PlanChange
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.organizations import Organization, PageRevision
from billing_app.store.tables.runs import RecountRun

ADDRESSES_PER_QUERY = 500
"""How many addresses one query looks up; below SQLite's limit on bound values."""


def insert(session: Session, organization: Organization) -> Organization | None:
    """Adds the organization and gives it back as stored. None if its address is taken, in whatever case."""
    statement = (
        upsert(session, Organization)
        .values(organization.model_dump(exclude={"id", "address_key"}))
        .on_conflict_do_nothing(index_elements=["address_key"])
        .returning(col(Organization.id))
    )
    added = session.exec(statement).scalar_one_or_none()
    return None if added is None else session.get_one(Organization, added)


def by_address(session: Session, address: str) -> Organization | None:
    """The organization with exactly this address."""
    return session.exec(select(Organization).where(Organization.address == address)).first()


def by_addresses(session: Session, addresses: Sequence[str]) -> list[Organization]:
    """The organizations with exactly these addresses, in a query for every ADDRESSES_PER_QUERY."""
    found: list[Organization] = []
    for start in range(0, len(addresses), ADDRESSES_PER_QUERY):
        some = addresses[start : start + ADDRESSES_PER_QUERY]
        found += session.exec(select(Organization).where(col(Organization.address).in_(some)))
    return found


def by_id(session: Session, organization_id: int) -> Organization | None:
    """The organization with this id."""
    return session.get(Organization, organization_id)


def id_of(session: Session, address: str) -> int | None:
    """Only the id: what most requests need."""
    return session.exec(select(Organization.id).where(Organization.address == address)).first()


def addresses(session: Session, organization_ids: set[int]) -> dict[int, str]:
    """The addresses of these organizations, in one query."""
    if not organization_ids:
        return {}
    query = select(Organization.id, Organization.address).where(col(Organization.id).in_(organization_ids))
    return {found: address for found, address in session.exec(query) if found is not None}


def names(session: Session, by_address: set[str]) -> dict[str, str]:
    """The names of the organizations at these addresses, in one query."""
    if not by_address:
        return {}
    query = select(Organization.address, Organization.name).where(col(Organization.address).in_(by_address))
    return dict(session.exec(query).all())


def page(session: Session, after: str, limit: int) -> list[Organization]:
    """Organizations by address, `limit` at a time, beginning after the address `after`."""
    query = select(Organization).where(Organization.address > after).order_by(Organization.address).limit(limit)
    return list(session.exec(query))


def note_recounted(session: Session, rows: Sequence[Organization], now: datetime) -> None:
    """Notes that the ledgers of these, which are locked, are complete up to `now`."""
    dialect = session.get_bind().dialect.name
    statement = update(Organization).where(among(dialect, Organization.id, "owners")).values(recounted_at=now)
    values = {"owners": listed(dialect, [row.pk for row in rows])}
    session.connection().execute(statement, values, execution_options={"synchronize_session": False})
    for row in rows:
        set_committed_value(row, "recounted_at", now)


def raise_revision(session: Session, organization_id: int) -> None:
    """Counts the revision up in the database, so that two transactions never write the same number.

    To be called last in a transaction: its row is the last lock of the common order.
    """
    if not session.in_nested_transaction():  # which may be undone
        session.info.get(TO_RAISE, set()).discard(organization_id)
    statement = _raise_revision(session.get_bind().dialect.name)
    session.connection().execute(statement, {"organization_id": organization_id, "revision": 1})


TO_RAISE = "to_raise"
"""In `Session.info`: organizations whose revision is raised when the transaction is about to commit."""


def raise_at_end(session: Session, organization_ids: Iterable[int]) -> None:
    """The same as the last thing of the transaction, for what is done in the midst of it."""
    session.info.setdefault(TO_RAISE, set()).update(organization_ids)


@event.listens_for(Session, "before_commit")
def _raise_at_end(session: Session) -> None:
    if session.info.get(TO_RAISE) and not session.in_nested_transaction():
        raise_revisions(session, sorted(session.info.pop(TO_RAISE)))


def raise_revisions(session: Session, organization_ids: Sequence[int]) -> None:
    """The same for many at once, given by id, in one statement."""
    if organization_ids:
        dialect = session.get_bind().dialect.name
        session.connection().execute(_raise_revisions(dialect), {"owners": listed(dialect, organization_ids)})


@lru_cache
def _raise_revisions(dialect: str) -> Insert:
    # in the order of their ids, and told that there is a WHERE, without which SQLite takes ON for that of a JOIN
    raised = select_columns(col(Organization.id), literal(1)).where(among(dialect, Organization.id, "owners"))
    return (
        upsert_on(dialect, PageRevision)
        .from_select(["organization_id", "revision"], raised.order_by(col(Organization.id)))
        .on_conflict_do_update(index_elements=["organization_id"], set_={"revision": PageRevision.revision + 1})
    )


@lru_cache
def _raise_revision(dialect: str) -> Insert:
    return upsert_on(dialect, PageRevision).on_conflict_do_update(
        index_elements=["organization_id"], set_={"revision": PageRevision.revision + 1}
    )


def revisions(session: Session, organization_ids: list[int]) -> dict[int, int]:
    """The revisions of these organizations, in one query; those that never changed are 0."""
    found = session.connection().execute(_revisions().where(col(Organization.id).in_(organization_ids)))
    return dict.fromkeys(organization_ids, 0) | {row.id: row.revision for row in found}


def revisions_by_address(session: Session, addresses: list[str]) -> dict[str, int]:
    """The revisions of the organizations at these addresses, in one query; those that never changed are 0."""
    found = session.connection().execute(_revisions().where(col(Organization.address).in_(addresses)))
    return {row.address: row.revision for row in found}


class State(NamedTuple):
    """What names everything that can be read of some organizations: as long as it is equal, nothing has changed.

    `revisions` by id, the number and the digest of the newest catalogue, and when the newest recount came to its end.
    """

    revisions: tuple[tuple[int, int], ...]
    version: int | None
    catalogue: str | None
    recounted: datetime | None


def state(session: Session, organization_ids: tuple[int, ...]) -> State:
    """The state of these organizations (one, or one and who pays for it), in one query."""
    ids = {"first": organization_ids[0], "last": organization_ids[-1]}
    found = session.connection().execute(_state(), ids).all()
    newest = found[0]
    revisions = tuple((row.id, row.revision) for row in found)
    return State(revisions, newest.version, newest.catalogue, newest.recounted)


@lru_cache
def _state() -> Select[Any]:
    version, run = CatalogueVersion, RecountRun
    newest = [
        select_columns(column).order_by(col(version.version).desc()).limit(1).scalar_subquery().label(name)
        for name, column in (("version", col(version.version)), ("catalogue", col(version.digest)))
    ]
    recounted = select_columns(col(run.finished_at)).order_by(col(run.id).desc()).limit(1).scalar_subquery()
    query: Select[Any] = _revisions().add_columns(*newest, recounted.label("recounted"))
    wanted = col(Organization.id).in_((bindparam("first"), bindparam("last")))
    return query.where(wanted).order_by(col(Organization.id))


@lru_cache
def _revisions() -> Select[Any]:
    """A revision grows with `raise_revision` and with every debit, which counts itself on its meter (decision 15)."""
    debits = select(func.sum(MeterRow.debits)).where(MeterRow.organization_id == Organization.id).scalar_subquery()
    revision = func.coalesce(col(PageRevision.revision), 0) + func.coalesce(debits, 0)
    columns: list[Any] = [col(Organization.id), col(Organization.address), revision.label("revision")]
    return select_columns(*columns).join(
        PageRevision, col(PageRevision.organization_id) == col(Organization.id), isouter=True
    )


def organizations(session: Session) -> list[Organization]:
    """Every organization, by name."""
    return list(session.exec(select(Organization).order_by(col(Organization.name), col(Organization.address))))


def plan_changes(session: Session) -> dict[int, tuple[HeldPlan, ...]]:
    """The plans that each organization held, by time."""
    row = PlanChange
    query = select_columns(
        col(row.organization_id), col(row.number), col(row.plan), col(row.at), col(row.recorded_at)
    ).order_by(col(row.at), col(row.number))
    found: defaultdict[int, list[HeldPlan]] = defaultdict(list)
    for owner, *change in read(session, query, {}):
        found[owner].append(HeldPlan(*change))
    return {owner: tuple(held) for owner, held in found.items()}


def raise_all_revisions(session: Session) -> None:
    """Tells the pages of every organization, in one statement; the last locks of the common order."""
    # SQLite reads ON CONFLICT after a SELECT as part of its FROM unless a WHERE stands between.
    every = select(col(Organization.id), literal(1)).where(true()).order_by(col(Organization.id))
    statement = upsert(session, PageRevision).from_select(["organization_id", "revision"], every)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["organization_id"], set_={"revision": PageRevision.revision + 1}
        )
    )
