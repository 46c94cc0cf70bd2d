"""A database that is damaged, not there, empty or not migrated: a sentence that says what to do, and no start."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from billing_app import schema, wiring
from billing_app.cli import main
from billing_app.db import Database
from billing_app.domain.common.errors import UnavailableError
from billing_app.launcher import start
from billing_app.settings import Settings, settings


def billing(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return int(stop.value.code or 0), said.err


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A sound database, closed."""
    database = Database(f"sqlite:///{tmp_path / 'b.db'}")
    schema.upgrade(database)
    database.close()
    return tmp_path / "b.db"


def overwritten(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for at in range(4096, len(content), 3 * 4096):
        content[at : at + 4096] = b"\xa5" * 4096
    file.write_bytes(content)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: 4096 * 7])


def replaced(file: Path) -> None:
    file.write_bytes(b"This is no database. " * 4096)


DAMAGES = pytest.mark.parametrize("damage", [overwritten, cut, replaced])


@DAMAGES
def test_a_damaged_file_is_said_by_the_check_and_refused_by_a_start(
    damage, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(file)
    code, said = billing(capsys, "db", "check", "--database", f"sqlite:///{file}")
    assert code == 2
    assert "damaged" in said
    assert "billing db restore" in said
    assert len(said.splitlines()) == 1
    with pytest.raises(UnavailableError, match="damaged"):
        start.prepared(Settings(_env_file=None, database_url=f"sqlite:///{file}"))


@DAMAGES
def test_the_advice_works(damage, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address, backup = f"sqlite:///{file}", tmp_path / "backup.db"
    assert billing(capsys, "db", "backup", str(backup), "--database", address)[0] == 0
    damage(file)
    assert billing(capsys, "db", "restore", str(backup), "--database", address)[0] == 2  # not without --replace
    assert billing(capsys, "db", "restore", str(backup), "--replace", "--database", address) == (0, "")
    assert billing(capsys, "db", "check", "--database", address) == (0, "")


@DAMAGES
def test_commands_on_a_damaged_file_end_with_a_sentence(
    damage, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(file)
    monkeypatch.setenv("BILLING_DATABASE_URL", f"sqlite:///{file}")
    settings.cache_clear()
    wiring.database.cache_clear()
    try:
        for command in (["user", "list"], ["verify"], ["catalogue", "show"], ["organization", "list"]):
            code, said = billing(capsys, *command)
            assert code == 2
            assert "damaged" in said
    finally:
        settings.cache_clear()
        wiring.database.cache_clear()


def test_nothing_is_made_by_looking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = tmp_path / "none" / "b.db"
    for command in (["catalogue", "show"], ["db", "check"], ["db", "backup"], ["catalogue", "load", "--dry-run"]):
        code, said = billing(capsys, *command, "--database", f"sqlite:///{absent}")
        assert code == 2
        assert "billing db upgrade" in said
    assert not absent.parent.exists()


@pytest.mark.parametrize("content", ["empty", "other tables", "older"])
def test_a_database_without_our_tables_says_what_to_run(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "b.db"
    with closing(sqlite3.connect(file)) as connection:
        if content != "empty":
            connection.execute(
                "CREATE TABLE alembic_version (version_num)" if content == "older" else "CREATE TABLE x (y)"
            )
            if content == "older":
                connection.execute(f"INSERT INTO alembic_version VALUES ('{schema.known_revisions()[0]}')")
            connection.commit()
    for command in (["catalogue", "show"], ["db", "check"]):
        code, said = billing(capsys, *command, "--database", f"sqlite:///{file}")
        assert code == 2
        assert "run `billing db upgrade` first" in said
        assert "no such table" not in said


def test_what_drivers_say_becomes_what_to_do() -> None:
    for said, wanted in [
        ("database disk image is malformed", "billing db restore"),
        ("no such table: catalog_versions", "billing db upgrade"),
        ("database or disk is full", "make room"),
        ("attempt to write a readonly database", "writable"),
        ('FATAL:  password authentication failed for user "x"', "correct it"),
    ]:
        assert wanted in wiring.why(DatabaseError("SELECT 1", None, Exception(said)))
