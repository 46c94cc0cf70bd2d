"""What the database itself refuses: facts and ledger rows are only ever added (credits.md, The ledger)."""

from __future__ import annotations

FIRST = ("ledger_entries", "grant_actions", "plan_changes", "usage_events")
"""Tables of the first migration whose rows are never changed or deleted."""

LATER = ("past_due_changes", "audit_entries", "organization_parents")
"""The same of later migrations: each of those creates its own triggers with `added`."""

APPEND_ONLY = (*FIRST, *LATER)
"""Every table whose rows are never changed or deleted."""


def statements(dialect: str) -> list[str]:
    """The SQL of the first migration on `dialect` ("sqlite" or "postgresql"), one statement per item."""
    if dialect == "sqlite":
        return added(dialect, *FIRST)
    function = (
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$"
    )
    return [function, *added(dialect, *FIRST)]


def added(dialect: str, *tables: str) -> list[str]:
    """The SQL that creates the triggers of `tables`, where those of the first migration are there already."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for table in tables
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table in tables
    ]
