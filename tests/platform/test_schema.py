"""The migrations make exactly the tables that the code uses, on both databases."""

from __future__ import annotations

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import UniqueConstraint, inspect, text

from billing_app import schema
from billing_app.db import Database
from billing_app.domain.errors import UnavailableError
from billing_app.store.triggers import APPEND_ONLY


def test_migrations_and_tables_agree(database: Database) -> None:
    assert schema.differences(database) == []


def test_a_second_upgrade_does_nothing(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    assert schema.upgrade(database)
    assert not schema.upgrade(database)
    schema.check(database)
    database.close()


def test_migrations_are_numbered_in_their_order() -> None:
    history = [script.revision for script in ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()]
    assert history[::-1] == schema.known_revisions()
    assert schema.known_revisions() == [f"{number:04d}" for number in range(1, len(history) + 1)]


def test_a_database_without_tables_is_refused_until_it_is_migrated(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    with pytest.raises(UnavailableError, match="billing db upgrade"):
        schema.check(database)
    database.close()


def test_a_database_of_a_later_version_is_refused(database: Database) -> None:
    with database.writing() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = 'later'"))
    for refused in (schema.check, schema.upgrade):
        with pytest.raises(UnavailableError, match="newer than this program"):
            refused(database)


def test_the_database_has_every_table(database: Database) -> None:
    assert set(schema.metadata().tables) <= set(inspect(database.engine).get_table_names())


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_database_itself_keeps_facts_from_being_changed(database: Database, table: str) -> None:
    listing = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = cast(:name AS regclass)"
    if database.sqlite:
        listing = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name"
    with database.reading() as session:
        triggers = " ".join(session.connection().execute(text(listing), {"name": table}).scalars())
    assert "UPDATE" in triggers
    assert "DELETE" in triggers


def test_a_sound_database_has_nothing_wrong(database: Database) -> None:
    assert schema.integrity(database) == ""


def test_every_key_of_a_tenant_table_begins_with_the_organization() -> None:
    wrong = []
    for table in schema.metadata().tables.values():
        organization = table.columns.get("organization_id")
        if organization is None or organization.nullable:
            continue  # a person's session or link that may name an organization is not an organization's row
        keys_columns = [list(table.primary_key.columns)]
        keys_columns += [list(key.columns) for key in table.constraints if isinstance(key, UniqueConstraint)]
        keys_columns += [list(index.columns) for index in table.indexes if index.unique]
        wrong += [
            f"{table.name}({', '.join(column.name for column in columns)})"
            for columns in keys_columns
            if columns[0].name != "organization_id"
        ]
    assert wrong == [], "keys that keep the schema from being spread by organization"
