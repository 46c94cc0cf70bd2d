"""`billing doctor` goes through everything, changes nothing, and says what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from billing_app import schema
from billing_app.cli import main
from billing_app.db import Database
from billing_app.settings import settings


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BILLING_DATABASE_URL", f"sqlite:///{tmp_path / 'var' / 'b.db'}")


def examined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, tuple[str, str]]]:
    settings.cache_clear()
    capsys.readouterr()
    try:
        with pytest.raises(SystemExit) as stop:
            main(["doctor", "--json", "--folder", str(tmp_path / "var")])
    finally:
        settings.cache_clear()
    said = json.loads(capsys.readouterr().out)
    assert said["sound"] is (stop.value.code == 0)
    worst: dict[str, tuple[str, str]] = {}
    for each in said["findings"]:
        if each["state"] != "ok" or each["subject"] not in worst:
            worst[each["subject"]] = (each["state"], each["sentence"])
    return int(stop.value.code or 0), worst


def test_a_fresh_folder_has_no_problem_and_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = examined(tmp_path, capsys)
    assert code == 0
    assert found["database"][0] == "warning"
    assert "billing serve" in found["database"][1]
    assert list(tmp_path.iterdir()) == []


def test_everything_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "b.db").write_bytes(b"no database " * 999)
    (tmp_path / "var" / "b.db").chmod(0o644)
    (tmp_path / "plans.json").write_text("{}")
    for name, value in {
        "REDIS_URL": "redis://127.0.0.1:1",
        "SMTP_URL": "smtp://127.0.0.1:1",
        "MAIL_FROM": "a@example.com",
        "CATALOGUE_FILE": str(tmp_path / "plans.json"),
        "PUBLIC_URL": "http://127.0.0.1:9",
        "STRIPE_API_SECRET": "sk_test_1",
        "STRIPE_WEBHOOK_SECRET": "whsec_1",
        "STRIPE_API_BASE": "http://127.0.0.1:1",
        "METRIC_PORT": "1",
    }.items():
        monkeypatch.setenv(f"BILLING_{name}", value)
    monkeypatch.setenv("GRANIAN_WORKERS", "2")
    code, found = examined(tmp_path, capsys)
    assert code == 1
    expected = {
        "database": ("problem", "billing db restore"),
        "redis": ("problem", "BILLING_REDIS_URL"),
        "mail": ("problem", "BILLING_SMTP_URL"),
        "catalogue": ("problem", "BILLING_CATALOGUE_FILE"),
        "public address": ("problem", "BILLING_PORT"),
        "stripe": ("problem", "Stripe"),
        "web processes": ("problem", "GRANIAN_WORKERS"),
        "files": ("warning", "chmod 600"),
        "backup": ("warning", "billing db backup"),
    }
    assert {name: found[name][0] for name in expected} == {name: state for name, (state, _) in expected.items()}
    assert [name for name, (_, what) in expected.items() if what not in found[name][1]] == []
    assert found["settings"][0] == "warning"


def test_an_older_database_and_a_wrong_setting_are_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'var' / 'b.db'}")
    schema.upgrade(database)
    database.close()
    main_code, found = examined(tmp_path, capsys)
    assert (main_code, found["database's version"][0]) == (0, "ok")
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{schema.known_revisions()[0]}'")
    database.close()
    code, found = examined(tmp_path, capsys)
    assert (code, found["database's version"][0]) == (1, "problem")
    assert "billing db upgrade" in found["database's version"][1]
    monkeypatch.setenv("BILLING_PORT", "none")
    code, found = examined(tmp_path, capsys)
    assert (code, list(found)) == (1, ["settings"])
    assert "BILLING_PORT" in found["settings"][1]


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("billing 0.")


@pytest.mark.parametrize(("line", "wanted"), [("billing cata", "catalogue"), ("billing stripe sy", "sync")])
def test_a_shell_completes(
    line: str, wanted: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
    monkeypatch.setenv("_BILLING_COMPLETE", "complete_bash")
    with pytest.raises(SystemExit):
        main([])
    assert wanted in capsys.readouterr().out.split()
