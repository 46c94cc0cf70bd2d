"""What the database itself refuses: facts and ledger rows are only ever added (credits.md, The ledger)."""

from __future__ import annotations

APPEND_ONLY = ("ledger_entries", "grant_actions", "plan_changes", "usage_events")
"""Tables whose rows are never changed or deleted."""


def statements(dialect: str) -> list[str]:
    """The SQL that creates the triggers on `dialect` ("sqlite" or "postgresql"), one statement per item."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for table in APPEND_ONLY
            for verb in ("UPDATE", "DELETE")
        ]
    function = (
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$"
    )
    return [
        function,
        *(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            for table in APPEND_ONLY
        ),
    ]
