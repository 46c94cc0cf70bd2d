"""Backups: written beside the data, put back as a whole, and no password is ever an argument."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url, text

from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError, NotFoundError, UnavailableError
from billing_app.launcher import backups, postgres_tools
from billing_app.launcher.single import only_console
from tests.support.databases import bare_postgres_database
from tests.support.servers import POSTGRES_PROGRAMS, password_role

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PASSWORD = "s3 cret'@:/%\\$"
"""With everything that an address, a file of services and a shell might read as something else."""


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' PostgreSQL brings its own programs, of its own version."""
    monkeypatch.setenv("PATH", f"{POSTGRES_PROGRAMS}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def filled(database: Database) -> Database:
    """A database with a fact in it that a test can change."""
    _note(database, "before")
    return database


@pytest.fixture
def with_password(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty PostgreSQL database of a user who needs a password."""
    from tests.conftest import SHARED

    uri = request.config.stash[SHARED].postgres_uri
    with password_role(uri, PASSWORD) as role, bare_postgres_database(uri) as url:
        with psycopg.connect(uri, autocommit=True) as server:
            server.execute(f"ALTER DATABASE {make_url(url).database} OWNER TO {role}".encode())
        yield make_url(url).set(username=role, password=PASSWORD).render_as_string(hide_password=False)


def _note(database: Database, said: str) -> None:
    with database.writing() as session:
        session.connection().execute(text("CREATE TABLE IF NOT EXISTS noted (said TEXT)"))
        session.connection().execute(text("DELETE FROM noted"))
        session.connection().execute(text("INSERT INTO noted VALUES (:said)"), {"said": said})


def _noted(database: Database) -> str:
    with database.reading() as session:
        return str(session.connection().execute(text("SELECT said FROM noted")).scalar_one())


def test_what_was_backed_up_comes_back(filled: Database, tmp_path: Path) -> None:
    copy = backups.write(filled, tmp_path / "copies" / "one")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    _note(filled, "after")
    with filled.writing() as session:  # what a later version might have added
        session.connection().execute(text("CREATE TABLE later (organization_id INTEGER REFERENCES organizations (id))"))
    filled.close()
    backups.restore(filled, copy, replace=True)
    assert _noted(filled) == "before"
    with filled.reading() as session:
        assert session.connection().dialect.has_table(session.connection(), "later") is False
    filled.close()
    backups.restore(filled, copy, replace=True)  # and again over itself


def test_a_database_that_holds_something_is_not_replaced_unasked(filled: Database, tmp_path: Path) -> None:
    copy = backups.write(filled, tmp_path / "one")
    _note(filled, "after")
    with pytest.raises(ConflictError, match="--replace"):
        backups.restore(filled, copy, replace=False)
    assert _noted(filled) == "after"


def test_what_is_no_backup_changes_nothing(filled: Database, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"not a backup" * 1000)
    filled.close()
    with pytest.raises(UnavailableError, match="othing was changed"):
        backups.restore(filled, wrong, replace=True)
    with pytest.raises(NotFoundError):
        backups.restore(filled, tmp_path / "absent", replace=True)
    assert _noted(filled) == "before"


def test_a_dump_that_breaks_off_changes_nothing(filled: Database, tmp_path: Path) -> None:
    copy = backups.write(filled, tmp_path / "one")
    with copy.open("r+b") as file:
        file.truncate(copy.stat().st_size * 2 // 3)
    _note(filled, "after")
    filled.close()
    with pytest.raises(UnavailableError):
        backups.restore(filled, copy, replace=True)
    assert _noted(filled) == "after"


def test_a_running_console_keeps_its_database(filled: Database, tmp_path: Path) -> None:
    copy = backups.write(filled, tmp_path / "one")
    if filled.sqlite:
        with only_console(Path(str(filled.url.database))), pytest.raises(ConflictError, match="already runs"):
            backups.restore(filled, copy, replace=True)
        return
    other = Database(filled.url.render_as_string(hide_password=False))
    with other.reading() as session:
        session.connection()
        with pytest.raises(ConflictError, match="stop every console"):
            backups.restore(filled, copy, replace=True)
    other.close()


def test_a_password_reaches_the_programs_and_is_no_argument(
    with_password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    watching = tmp_path / "bin"
    watching.mkdir()
    for program in ("pg_dump", "pg_restore", "psql"):
        script = watching / program
        script.write_text(
            f"#!{sys.executable}\nimport os, sys\nopen({str(seen)!r}, 'a').write(repr(sys.argv) + '\\n')\n"
            f"os.execv({str(POSTGRES_PROGRAMS / program)!r}, sys.argv)\n"
        )
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{watching}{os.pathsep}{os.environ['PATH']}")
    database = Database(with_password)
    _note(database, "before")
    copy = backups.write(database, tmp_path / "one")
    _note(database, "after")
    backups.restore(database, copy, replace=True)
    assert _noted(database) == "before"
    database.close()
    arguments = seen.read_text()
    assert all(program in arguments for program in ("pg_dump", "pg_restore", "psql"))
    assert "s3 cret" not in arguments and "***" not in arguments


def test_a_wrong_password_is_told_in_postgresqls_words(with_password: str, tmp_path: Path) -> None:
    database = Database(with_password)
    _note(database, "before")
    database.url = make_url(with_password).set(password="wrong")
    with pytest.raises(UnavailableError, match="password authentication failed") as refused:
        backups.write(database, tmp_path / "one")
    assert "s3 cret" not in refused.value.detail
    assert not (tmp_path / "one").exists()
    database.close()


def test_the_default_lies_beside_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_file = Database(f"sqlite:///{tmp_path / 'data' / 'billing.db'}")
    assert backups.default_target(on_file, NOW) == tmp_path / "data" / "backups" / "billing-20260501T120000Z.db"
    (tmp_path / "operator").mkdir()
    monkeypatch.chdir(tmp_path / "operator")
    on_server = Database("postgresql+psycopg://host/billing")
    assert backups.default_target(on_server, NOW) == tmp_path / "operator" / "backups" / "billing-20260501T120000Z.dump"


@pytest.mark.parametrize(
    ("versions", "chosen"), [((15, 18), 18), ((16,), 16), ((15,), None), ((), None), ((18, 16), 18)]
)
def test_programs_older_than_the_server_are_passed_over(
    versions: tuple[int, ...], chosen: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, version in enumerate(versions):
        program = tmp_path / f"{place}" / "pg_dump"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}.3 (Debian {version}.3-0+deb12u1)'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join(str(tmp_path / str(place)) for place in range(len(versions))))
    monkeypatch.setattr(postgres_tools, "DEBIANS", tmp_path / uuid4().hex)
    if chosen is None:
        with pytest.raises(UnavailableError, match="postgresql-client-16"):
            postgres_tools._folder(16, ("pg_dump",))
    else:
        folder = postgres_tools._folder(16, ("pg_dump",))
        assert folder == tmp_path / str(versions.index(chosen))
