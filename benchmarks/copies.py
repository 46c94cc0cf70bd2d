"""Many organizations made from one: its rows copied inside the database, so that 100 000 of them take seconds."""

from __future__ import annotations

from sqlalchemy import Connection, text

from billing_app.db import Database
from billing_app.store.tables.base import Table
from billing_app.store.tables.organizations import Organization

NOT_COPIED = {"idempotency_keys", "audit_entries", "outbox_events"}
"""What no recount reads."""


def copied(opened: Database, template: Organization, count: int) -> None:
    """Makes `count` more organizations with the facts, meters, ledger and marks of `template`."""
    with opened.writing() as session:
        connection = session.connection()
        first = connection.execute(text("SELECT max(id) FROM organizations")).scalar_one() + 1
        numbers = _numbers(connection, first, count)
        _copy(connection, "organizations", template.pk, numbers)
        for name, table in Table.metadata.tables.items():
            if "organization_id" in table.c and name not in NOT_COPIED and table.c.organization_id.primary_key:
                _copy(connection, name, template.pk, numbers)


def _numbers(connection: Connection, first: int, count: int) -> str:
    if connection.dialect.name == "postgresql":
        return f"generate_series({first}, {first + count - 1}) AS numbers(n)"
    more = f"SELECT n + 1 FROM counted WHERE n < {first + count - 1}"
    return f"(WITH RECURSIVE counted(n) AS (SELECT {first} UNION ALL {more}) SELECT n FROM counted) AS numbers"


def _copy(connection: Connection, name: str, owner: int, numbers: str) -> None:
    table = Table.metadata.tables[name]
    key = "id" if name == "organizations" else "organization_id"
    told = {key: "n", "address": "'copy-' || n", "address_key": "'copy-' || n"}
    names = ", ".join(f'"{column.name}"' for column in table.c)
    values = ", ".join(
        told[c.name] if c.name in told and (c.name == key or name == "organizations") else f't."{c.name}"'
        for c in table.c
    )
    connection.execute(
        text(f"INSERT INTO {name} ({names}) SELECT {values} FROM {name} t CROSS JOIN {numbers} WHERE t.{key} = {owner}")
    )
