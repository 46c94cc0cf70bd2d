"""A test's PostgreSQL database is as its migrations made it, although another test has used it before."""

from __future__ import annotations

import psycopg
import pytest
from sqlmodel import select

from billing_app.store.tables.organizations import Organization
from tests.conftest import SHARED
from tests.support.builders import an_organization
from tests.support.databases import PostgresDatabases, opened, plain_url, postgres_url

WHICH = b"SELECT oid FROM pg_database WHERE datname = current_database()"


@pytest.fixture
def uri(request: pytest.FixtureRequest) -> str:
    """The run's PostgreSQL."""
    return request.config.stash[SHARED].postgres_uri


def which(uri: str, name: str, *statements: str) -> int:
    """Which of the server's databases has this name now; `statements` are executed in it before."""
    with psycopg.connect(plain_url(uri, name)) as connection:
        for each in statements:
            connection.execute(each.encode())
        row = connection.execute(WHICH).fetchone()
    assert row is not None
    return row[0]


def the_first(uri: str, name: str) -> int:
    """Creates an organization, which is the first one there, and says in which of the server's databases."""
    database = opened(postgres_url(uri, name))
    with database.writing() as session:
        assert an_organization(session).id == 1
        assert len(session.exec(select(Organization)).all()) == 1
    database.close()
    return which(uri, name)


def test_what_a_test_wrote_is_gone_for_the_next_which_has_its_database_under_another_name(uri: str) -> None:
    databases = PostgresDatabases(uri)
    with databases.one() as first:
        left = the_first(uri, first)
        forgotten = psycopg.connect(plain_url(uri, first))
    with databases.one() as second:
        assert (second != first, the_first(uri, second)) == (True, left)
    with pytest.raises(psycopg.OperationalError):
        forgotten.execute("SELECT 1")
    forgotten.close()


@pytest.mark.parametrize(
    "change",
    [
        "DROP TRIGGER usage_events_append_only ON usage_events",
        "ALTER TABLE usage_events DISABLE TRIGGER usage_events_append_only",
        "CREATE INDEX another ON organizations (created_at)",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE SCHEMA another",
    ],
)
def test_one_whose_tables_a_test_changed_is_not_used_again(uri: str, change: str) -> None:
    databases = PostgresDatabases(uri)
    with databases.one() as name:
        changed = which(uri, name, change)
    with databases.one() as name:
        assert which(uri, name) != changed
