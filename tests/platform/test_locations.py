"""Where settings, data and pages are: in the checkout, unless BILLING_HOME says where."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from billing_app import locations, setting_names
from billing_app.launcher import server
from billing_app.settings import Settings, read
from tests.support.patience import PATIENCE_SECONDS

ALL = (
    "from billing_app import locations as l; from billing_app.launcher import frontend as f; "
    "from billing_app.settings import read; s = read(); "
    "print(l.VAR, f.PAGES, f.WORK, l.env_file(), s.database_url, s.catalogue_file, s.port, sep='\\n')"
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a command is started, which is not the checkout."""
    monkeypatch.chdir(tmp_path)
    for name in ("BILLING_HOME", "BILLING_DATABASE_URL", "BILLING_CATALOGUE_FILE", "PORT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def everything() -> list[str]:
    """What another process that is started here finds."""
    done = subprocess.run(
        [sys.executable, "-c", ALL], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
    )
    return done.stdout.splitlines()


def test_a_checkout_keeps_its_data_and_pages_and_reads_settings_where_it_is_started(elsewhere: Path) -> None:
    (elsewhere / ".env").write_text("BILLING_PORT=3456\n")
    (elsewhere / "plans.json").write_text("{}")  # of another program
    root = locations.ROOT
    assert everything() == [
        str(root / "var"), str(root / ".pages"), str(root / ".web"), str(elsewhere / ".env"),
        f"sqlite:///{root / 'var' / 'billing.db'}", str(root / "plans.json"), "3456",
    ]  # fmt: skip


@pytest.mark.parametrize("told", ["home", "{here}/home"])
def test_a_home_has_everything(elsewhere: Path, monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("BILLING_HOME", told.format(here=elsewhere))
    home = elsewhere / "home"
    home.mkdir()
    (home / ".env").write_text("BILLING_PORT=3456\nBILLING_DATABASE_URL=sqlite:///data/own.db\n")
    (home / "plans.json").write_text("{}")
    assert everything() == [
        str(home / "var"), str(home / ".pages"), str(home / ".web"), str(home / ".env"),
        f"sqlite:///{home / 'data' / 'own.db'}", str(home / "plans.json"), "3456",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("sqlite:///var/own.db", "sqlite:///{here}/var/own.db"),
        ("sqlite:////data/own.db", "sqlite:////data/own.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite://", "sqlite://"),
        ("postgresql+psycopg://u@h/own", "postgresql+psycopg://u@h/own"),
    ],
)
def test_a_relative_file_is_from_where_the_command_was_started(elsewhere: Path, told: str, found: str) -> None:
    settings = read(database_url=told, catalogue_file="own.json")
    assert settings.database_url == found.format(here=elsewhere)
    assert settings.catalogue_file == elsewhere / "own.json"


def test_web_processes_are_told_the_home_without_where_they_are(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", os.environ | {"BILLING_HOME": "home"})
    server.publish(Settings(_env_file=None))
    assert os.environ["BILLING_HOME"] == str(elsewhere / "home")


def test_a_home_in_the_file_that_lies_in_it_is_said_to_be_none(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLING_HOME", str(elsewhere))
    assert setting_names.misspelt(Settings.model_fields) == []
    (elsewhere / ".env").write_text("BILLING_HOME=/data\n")
    (said,) = setting_names.misspelt(Settings.model_fields)
    assert said.startswith("BILLING_HOME in .env is not used")
