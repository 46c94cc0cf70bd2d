"""The migrations make exactly the tables that the code uses, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, UniqueConstraint, inspect, text

from billing_app import schema
from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError, UnavailableError
from billing_app.services.common import organizations
from billing_app.store.common.triggers import APPEND_ONLY


def test_migrations_and_tables_agree(database: Database) -> None:
    assert schema.differences(database) == []


def test_a_second_upgrade_does_nothing(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    assert schema.upgrade(database)
    assert not schema.upgrade(database)
    schema.check(database)
    database.close()


def test_pairs_of_addresses_that_differ_in_case_survive_the_upgrade(empty_database_url: str) -> None:
    """A database as version 0014 wrote it: both stay, are found as they are written, and no third one comes."""
    database = Database(empty_database_url)
    with database.engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema.MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0014")
        columns = {each["name"]: each for each in inspect(connection).get_columns("organizations")}
        for number, address in enumerate(("Acme", "globex", "acme", "ACME"), start=1):
            values: dict[str, object] = {"id": number, "address": address, "name": address}
            for name, each in columns.items():
                if name not in values and not each["nullable"] and each["default"] is None:
                    kind = each["type"].python_type
                    values[name] = datetime(2026, 1, 1, tzinfo=UTC) if kind is datetime else kind()
            table = Table("organizations", MetaData(), autoload_with=connection)
            connection.execute(table.insert().values(values))
    assert schema.upgrade(database)
    with database.reading() as session:
        keys = [organizations.by_address(session, each).address_key for each in ("Acme", "globex", "acme", "ACME")]
    assert keys == ["acme", "globex", "acme#3", "acme#4"]
    with database.writing() as session:
        for address in ("aCME", "Globex", "acme"):
            with pytest.raises(ConflictError) as refused:
                organizations.create(session, datetime(2026, 1, 2, tzinfo=UTC), address=address)
            assert refused.value.code == "address_taken"
    assert schema.differences(database) == []
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
