"""What is set wrongly is said in a sentence that names the setting, before anything is tried with it."""

from __future__ import annotations

import os
import smtplib
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from billing_app.cli import main
from billing_app.domain.common.errors import UnavailableError
from billing_app.gateways import surroundings as outside
from billing_app.launcher import guards, server
from billing_app.settings import Settings, read, settings
from tests.support.postbox import Postbox, running_postbox

PASSWORD = "correct-horse-battery"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)


@pytest.fixture
def postbox() -> Generator[Postbox]:
    with running_postbox() as running:
        yield running


def refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    monkeypatch.setenv(name, value)
    with pytest.raises(UnavailableError) as failed:
        read()
    said = failed.value.detail
    assert said.startswith(name)
    assert "\n" not in said
    assert PASSWORD not in said
    assert failed.value.__suppress_context__ or failed.value.__context__ is None
    return said


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("BILLING_DATABASE_URL", f"mysql://u:{PASSWORD}@host/x", "mysql"),
        ("BILLING_DATABASE_URL", f"mysql+pymysql://u:{PASSWORD}@host/x", "postgresql+psycopg://"),
        ("BILLING_DATABASE_URL", f"postgresql+asyncpg://u:{PASSWORD}@host/x", "postgresql+psycopg://"),
        ("BILLING_DATABASE_URL", "var/billing.db", "sqlite:///FILE"),
        ("BILLING_DATABASE_URL", "sqlite://var/billing.db", "sqlite:///"),
        ("BILLING_DATABASE_URL", f"postgresql://u:{PASSWORD}@host", "names no database"),
        ("BILLING_DATABASE_URL", "", "not the address"),
        ("BILLING_REDIS_URL", "localhost:6379", "redis://"),
        ("BILLING_REDIS_URL", f"redis://u:{PASSWORD}@host:port/0", "redis://"),
        ("BILLING_REDIS_URL", "http://localhost:6379", "redis://"),
        ("BILLING_PUBLIC_URL", "billing.example.com", "https://"),
        ("BILLING_PUBLIC_URL", "billing.example.com:8443", "https://"),
        ("BILLING_PUBLIC_URL", "ftp://billing.example.com", "https://"),
        ("BILLING_PUBLIC_URL", "https://", "https://"),
        ("BILLING_PUBLIC_URL", "https://example.com/billing", "host of its own"),
        ("BILLING_STRIPE_API_SECRET", f"pk_live_{PASSWORD}", "publishable"),
        ("BILLING_STRIPE_API_SECRET", f"whsec_{PASSWORD}", "BILLING_STRIPE_WEBHOOK_SECRET"),
        ("BILLING_STRIPE_API_SECRET", PASSWORD, "sk_"),
        ("BILLING_STRIPE_WEBHOOK_SECRET", f"sk_live_{PASSWORD}", "BILLING_STRIPE_API_SECRET"),
        ("BILLING_STRIPE_WEBHOOK_SECRET", f"we_{PASSWORD}", "whsec_"),
        ("BILLING_STRIPE_API_BASE", "127.0.0.1:12111", "http://"),
        ("BILLING_SMTP_URL", f"http://u:{PASSWORD}@host", "smtp://"),
        ("BILLING_SMTP_URL", f"smtp://u:{PASSWORD}#@host:587", "smtp://"),
        ("BILLING_MAIL_FROM", "Billing", "billing@example.com"),
        ("BILLING_TRUSTED_PROXIES", "10.0.0.1/8", "10.1.0.0/16"),
        ("BILLING_WEBHOOK_NETWORKS", "everything", "10.1.0.0/16"),
        ("BILLING_PORT", "http", "whole number"),
        ("BILLING_PORT", "3_000", "whole number"),
        ("BILLING_RATE_LIMIT_PER_MINUTE", "1_000", "whole number"),
        ("BILLING_PORT", "0", "at least 1"),
        ("BILLING_PORT", "70000", "at most 65535"),
        ("BILLING_SIGN_UP", "maybe", "true or false"),
        ("BILLING_SESSION_DAYS", "1.5", "whole number"),
    ],
)
def test_a_wrong_value_is_a_sentence(name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert says in refused(monkeypatch, name, value)


def test_the_same_from_a_file_and_through_every_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BILLING_REDIS_URL", raising=False)
    (tmp_path / ".env").write_text("BILLING_REDIS_URL=localhost\nBILLING_PUBLIC_URL=example.com\n")
    settings.cache_clear()
    try:
        for command in (["user", "list"], ["serve"], ["catalogue", "show"]):
            with pytest.raises(SystemExit) as stop:
                main(command)
            said = capsys.readouterr().err
            assert stop.value.code == 2
            assert "BILLING_REDIS_URL is no" in said
            assert "BILLING_PUBLIC_URL is no" in said
            assert "Traceback" not in said
    finally:
        settings.cache_clear()


def test_a_file_that_is_no_text_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"BILLING_PORT=\xff\xfe")
    with pytest.raises(UnavailableError, match="UTF-8"):
        read()


def test_spaces_around_a_secret_are_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLING_STRIPE_API_SECRET", " sk_test_1\n")
    monkeypatch.setenv("BILLING_PUBLIC_URL", "https://billing.example.com/")
    assert read().stripe_api_secret.get_secret_value() == "sk_test_1"
    assert read().public_url == "https://billing.example.com"


def test_links_lead_to_the_public_address_or_else_to_the_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BILLING_PUBLIC_URL", raising=False)
    monkeypatch.delenv("BILLING_PORT", raising=False)
    assert read().public_url == "http://127.0.0.1:3000"
    (tmp_path / ".env").write_text("BILLING_PORT=3107\n")
    assert read().public_url == "http://127.0.0.1:3107"
    monkeypatch.setenv("PORT", "3108")
    assert read().public_url == "http://127.0.0.1:3108"
    assert read(port=3109).public_url == "http://127.0.0.1:3109"
    monkeypatch.setenv("BILLING_PUBLIC_URL", "https://billing.example.com")
    assert read(port=3109).public_url == "https://billing.example.com"


def test_what_make_exports_empty_is_what_the_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("DEMO", "1")
    (tmp_path / ".env").write_text("PORT=3107\nDEMO=0\n")
    with pytest.raises(SystemExit):
        main(["--help"])
    assert (os.environ["PORT"], os.environ["DEMO"]) == ("3107", "1")


def test_names_without_our_prefix_may_stand_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANIAN_WORKERS", "")
    monkeypatch.delenv("GRANIAN_WORKERS")
    (tmp_path / ".env").write_text("GRANIAN_WORKERS=3\n")
    with pytest.raises(SystemExit):
        main(["--help"])
    with pytest.raises(UnavailableError, match="GRANIAN_WORKERS"):
        server.workers(Settings(_env_file=None, database_url="sqlite:///x.db"))


def said_at_start(chosen: Settings) -> list[str]:
    said: list[str] = []
    guards.require_surroundings(chosen, said.append)
    return said


@pytest.mark.parametrize("place", ["environment", "file"])
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("BILLING_PUBLC_URL", "BILLING_PUBLIC_URL"),
        ("BILLING_STRIPE_API_KEY", "BILLING_STRIPE_API_"),
        ("BILLING_DATABASE", "BILLING_DATABASE_URL"),
        ("BILLING_REDIS", "BILLING_REDIS_URL"),
        ("BILLNG_SMTP_URL", "BILLING_SMTP_URL"),
        ("billing_session_day", "BILLING_SESSION_DAYS"),
    ],
)
def test_a_misspelt_name_is_told_with_the_nearest(
    place: str, name: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place == "environment":
        monkeypatch.setenv(name, PASSWORD)
    else:
        (tmp_path / ".env").write_text(f"{name}={PASSWORD}\n")
    (told,) = [line for line in said_at_start(Settings()) if name.upper() in line]
    assert f"did you mean {meant}" in told
    assert PASSWORD not in told


@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        ({"stripe_api_secret": "sk_test_1"}, "BILLING_STRIPE_WEBHOOK_SECRET is not"),
        ({"stripe_webhook_secret": "whsec_1"}, "BILLING_STRIPE_API_SECRET is not"),
        ({"smtp_url": "smtp://127.0.0.1:1"}, "BILLING_MAIL_FROM is not"),
        ({"mail_from": "a@example.com"}, "BILLING_SMTP_URL is not"),
        ({"stripe_api_base": "http://127.0.0.1:1"}, "BILLING_STRIPE_API_BASE"),
        ({"public_url": "http://billing.example.com"}, "without https"),
        ({"smtp_url": "smtp://127.0.0.1:1", "mail_from": "a@example.com"}, "127.0.0.1:1 does not answer"),
    ],
)
def test_what_does_nothing_is_told_at_start(chosen: dict[str, Any], named: str) -> None:
    (told,) = [line for line in said_at_start(Settings(_env_file=None, **chosen)) if named in line]
    assert told.startswith("Warning: ")


def test_nothing_is_said_where_all_is_well(postbox: Postbox) -> None:
    well = Settings(
        _env_file=None,
        public_url="https://billing.example.com",
        stripe_api_secret="sk_test_1",
        stripe_webhook_secret="whsec_1",
        smtp_url=postbox.url,
        mail_from="Billing <billing@example.com>",
        database_url="sqlite:///none.db",
    )
    assert [line for line in said_at_start(well) if "is not a setting" not in line] == []


def test_a_dead_redis_is_refused_at_start(redis_url: str) -> None:
    assert guards.redis_problem(Settings(_env_file=None, redis_url=redis_url)) == ""
    dead = Settings(_env_file=None, redis_url=f"redis://:{PASSWORD}@127.0.0.1:1/0")
    with pytest.raises(UnavailableError, match="BILLING_REDIS_URL") as failed:
        said_at_start(dead)
    assert PASSWORD not in failed.value.detail


def test_a_mail_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert "does not answer" in outside.mail_problem(f"smtp://127.0.0.1:{silent.getsockname()[1]}")


def test_a_refused_password_of_the_mail_server_is_said(monkeypatch: pytest.MonkeyPatch, postbox: Postbox) -> None:
    def login(*_: object) -> None:
        raise smtplib.SMTPAuthenticationError(535, PASSWORD.encode())

    monkeypatch.setattr(smtplib.SMTP, "login", login)
    told = outside.mail_problem(postbox.url.replace("smtp://", f"smtp://me:{PASSWORD}@"))
    assert "refuses the user or password" in told
    assert PASSWORD not in told
