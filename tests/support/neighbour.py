"""A neighbour: an organization that has one of everything, whose ids somebody else got hold of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from billing_app import schema
from billing_app.db import Database
from billing_app.domain.common.access import Role
from billing_app.domain.processes.processes import Content
from billing_app.services.access import one_time_links
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.limits import overrides
from billing_app.services.limits.overrides import Kind
from billing_app.services.notifications import delivery_log, webhook_endpoints
from billing_app.services.organizations import children
from billing_app.services.processes import processes
from billing_app.services.usage import consumption, recounts
from billing_app.store.tables.purchases import Order, RecurringPack
from tests.support.builders import a_key, a_user, an_organization

SECRET = "hush-hush"
"""In every name and text of the neighbour: nobody else may read it."""


@dataclass(frozen=True)
class Neighbour:
    """Where it is, and the ids of what it has by the names that paths and filters give them."""

    address: str
    ids: dict[str, str]


def a_neighbour(session: Session, now: datetime, address: str = "globex") -> Neighbour:
    """The organization; its plan is pro, so that it may have parts."""
    globex = an_organization(session, address)
    globex.name = f"Globex {SECRET}"
    session.add(globex)
    owner = globex.pk
    grants.change_plan(Context(session, globex, now), "pro")
    admin = a_user(session, f"admin-{SECRET}@globex.example", member_of=globex)
    a_user(session, f"second-{SECRET}@globex.example", member_of=globex, role=Role.BILLING)
    one_time_links.invite(session, owner, f"invited-{SECRET}@globex.example", Role.MEMBER, now)
    part = children.create(Context(session, globex, now, ""), name=f"Part {SECRET}", address=f"{address}-part")
    grant = grants.grant(
        Context(session, globex, now),
        grants.NewGrant("emails", 10_000, source="operator", source_key="1", reason=SECRET),
    )
    recounts.post(Context(session, globex, now))
    endpoint = webhook_endpoints.create(Context(session, globex, now, ""), f"https://example.com/{SECRET}")
    draft = processes.create(Context(session, globex, now, ""), Content(title=SECRET)).row
    overrides.put(Context(session, globex, now, ""), Kind.FEATURE, "whiteLabel", 1, ends_at=None, reason=SECRET)
    ids = {
        "address": address,
        "suborganization": part.address,
        "member": str(admin.id),
        "email": admin.email,
        "key_id": str(a_key(session, globex, "read")[1]),
        "process_id": str(draft.id),
        "webhook_id": str(endpoint.id),
        "delivery_id": str(delivery_log.test(Context(session, globex, now), endpoint.id)),
        "reservation_id": consumption.reserve(Context(session, globex, now), "emails", 1).id,
        "grant": grant.id,
        "number": "1",  # of its ledger; each organization counts from 1, and acme's ledger is empty
        **_bought(session, owner, now),
    }
    return Neighbour(address, ids)


def _bought(session: Session, owner: int, now: datetime) -> dict[str, str]:
    """A payment on its way and a pack that renews, as rows: what Stripe has to do with them is not looked at."""
    order = Order(
        organization_id=owner, id="or_globex", items="[]", total_cents=100, currency="usd", session_id="cs_test_globex",
        url=f"https://example.com/{SECRET}", created_at=now,
    )  # fmt: skip
    pack = RecurringPack(
        organization_id=owner, id="rp_globex", subscription_id=f"sub_{SECRET}", pack="emails-10k-monthly",
        metric="emails", quantity=10_000, price_cents=100, currency="usd", price_id="price_1", count=1, next_count=1,
        started_at=now, renews_at=now,
    )  # fmt: skip
    session.add_all([order, pack])
    session.flush()
    return {"session_id": "cs_test_globex", "pack_id": "rp_globex"}


def rows_of(database: Database, owner: int) -> dict[str, list[str]]:
    """Everything that is stored of an organization."""
    with database.reading() as session:
        found: dict[str, list[str]] = {}
        for table in schema.metadata().sorted_tables:
            if "organization_id" in table.c:
                rows = session.connection().execute(table.select().where(table.c.organization_id == owner))
                found[table.name] = sorted(str(row) for row in rows)
    return found
