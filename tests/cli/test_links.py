"""Every link that a command prints leads to BILLING_PUBLIC_URL, or else to the port that is set."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from billing_app import wiring
from billing_app.cli import main
from billing_app.settings import settings


@pytest.fixture
def printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Generator[Callable[..., str]]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BILLING_DATABASE_URL", f"sqlite:///{tmp_path / 'b.db'}")
    for name in ("BILLING_PUBLIC_URL", "BILLING_PORT", "PORT"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> str:
        settings.cache_clear()
        wiring.database.cache_clear()
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        said = capsys.readouterr()
        assert stop.value.code == 0, said.err
        return said.out

    yield run
    settings.cache_clear()
    wiring.database.cache_clear()


def test_links_of_commands(printed: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    printed("organization", "create", "Acme", "--address", "acme")
    monkeypatch.setenv("BILLING_PORT", "3456")
    assert "http://127.0.0.1:3456/invitation?" in printed("member", "invite", "acme", "ada@example.org")
    monkeypatch.setenv("BILLING_PUBLIC_URL", "https://billing.example.com:8443/")
    for command in (("member", "invite", "acme", "ada@example.org"), ("user", "reset-password", "ada@example.org")):
        assert "https://billing.example.com:8443/" in printed(*command)
        assert "3456" not in printed(*command)
