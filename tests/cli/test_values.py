"""What commands take as a value: nothing that is empty, and numbers as files and requests have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing_app import wiring
from billing_app.cli import main
from billing_app.db import Database
from tests.support.builders import an_organization, the_catalogue


@pytest.fixture(autouse=True)
def stocked(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    the_catalogue(database)
    with database.writing() as session:
        an_organization(session)
    monkeypatch.setattr(wiring, "database", lambda *_, **__: database)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2, arguments
    return " ".join(capsys.readouterr().err.split())


GRANT = ("grant", "create", "acme", "sms", "5", "--reason", "why")


@pytest.mark.parametrize("empty", [("--until", ""), ("--until=",), ("--key", "")])
def test_an_empty_value_is_refused(capsys: pytest.CaptureFixture[str], empty: tuple[str, ...]) -> None:
    """It is what a shell makes of a variable that is not set: `--until ""` gave credits for a year."""
    assert f"{empty[0].rstrip('=')} is empty" in said(capsys, *GRANT, *empty)


def test_an_empty_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Argument 3 is empty" in said(capsys, "organization", "create", "")


@pytest.mark.parametrize("typed", ["1_000", "\u0665", "+5", " 5", "5.0", "1e3", "0x5"])
def test_a_number_is_written_in_digits(capsys: pytest.CaptureFixture[str], typed: str) -> None:
    for arguments in (
        ("grant", "create", "acme", "sms", typed, "--reason", "why"),
        ("gift-card", "create", "W", "--holds", "sms=5", "--count", typed),
        ("gift-card", "create", "W", "--holds", f"sms={typed}"),
        ("refund", "gr_1", "--reason", "why", "--amount", typed),
        ("catalogue", "version", typed),
        ("catalogue", "versions", "--limit", typed),
        ("organization", "audit", "acme", "--count", typed),
        ("serve", "--port", typed),
        ("run", "--port", typed),
        ("fake-stripe", "--port", typed),
    ):
        said(capsys, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--port", "0"),
        ("fake-stripe", "--port", "65536"),
        ("catalogue", "versions", "--limit", "0"),
        ("organization", "audit", "acme", "--count", "1001"),
    ],
)
def test_a_number_out_of_its_range_is_refused_with_the_range(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert "is not a number from 1 to" in " ".join(said(capsys, *arguments).split())


def test_what_would_be_ignored_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "usage.csv"
    file.write_text("organization,id,metric,at\n")
    assert "--create-organizations" in said(capsys, "usage", "import", str(file), "--plan", "free")
    twice = said(capsys, "gift-card", "create", "W", "--holds", "sms=5", "--holds", "sms=7")
    assert "each metric once" in twice
