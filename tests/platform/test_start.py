"""Starting the console: what is refused is a sentence, what is made at first start is kept safe."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from pydantic import SecretStr

from billing_app import clock, wiring
from billing_app.cli import main
from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError, UnavailableError
from billing_app.gateways.payments import Account
from billing_app.gateways.stripe import connection as stripe_connection
from billing_app.gateways.stripe import payments as stripe_payments
from billing_app.launcher import demo, guards, places, ports, server
from billing_app.launcher.children import Child
from billing_app.launcher.keys import demo_keys
from billing_app.launcher.places import Places
from billing_app.launcher.single import only_console
from billing_app.locations import ROOT
from billing_app.settings import Settings, settings
from billing_app.store.tables.access import User
from tests.support.patience import PATIENCE_SECONDS, eventually


def billing(*arguments: str) -> int:
    """Runs the command in this process: importing everything anew takes seconds. Gives its exit code."""
    try:
        main(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    return 0


def test_a_refusal_is_a_sentence_and_not_a_trace(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "billing_app", "run", "--port", str(port), "--folder", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith(f"Port {port} is taken by another program")
    assert f"PORT={port + 1}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_takes_no_files_is_refused(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(UnavailableError, match="cannot be written"):
        Places(blocked / "var").require()


def test_a_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "LEAST_FREE_MB", 10**9)
    with pytest.raises(UnavailableError, match="MB are free"):
        Places(tmp_path).require()


def test_every_mistake_of_a_broken_catalogue_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads((ROOT / "plans.json").read_text(encoding="utf-8"))
    for pack in document["packs"]:
        pack["colour"] = "red"
    broken = tmp_path / "plans.json"
    broken.write_text(json.dumps(document))
    monkeypatch.setenv("BILLING_CATALOGUE_FILE", str(broken))
    port = str(ports.free_port())
    # With --reload nothing is built beforehand: that is not what this is about.
    assert billing("run", "--no-demo", "--reload", "--port", port, "--folder", str(tmp_path)) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == len(document["packs"])
    assert "packs[0].colour: unknown key" in said


def test_a_wrong_setting_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BILLING_SESSION_DAYS", "many")
    assert billing("serve", "--folder", str(tmp_path)) == 2
    assert "BILLING_SESSION_DAYS" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["nonsense", "mysql+nothing://host/x", "postgresql+psycopg://a:b@127.0.0.1:1/x"])
def test_a_database_that_cannot_be_opened_is_a_sentence(url: str) -> None:
    with pytest.raises(UnavailableError):
        wiring.open_database(url)


def test_the_demo_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    made = demo_keys(file)
    assert made.api_secret.startswith("sk_test_")
    assert made.webhook_secret.startswith("whsec_")
    assert demo_keys(file) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert demo_keys(tmp_path / "other.json") != made


def test_broken_demo_keys_say_how_to_go_on(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text("{")
    with pytest.raises(UnavailableError, match="make reset-demo"):
        demo_keys(file)


def test_one_console_per_database(tmp_path: Path) -> None:
    file = tmp_path / "billing.db"
    with only_console(file), pytest.raises(ConflictError, match=f"process {os.getpid()}"), only_console(file):
        pass
    with only_console(file):
        pass


def test_a_reset_forgets_the_demo_and_nothing_else(tmp_path: Path) -> None:
    kept = Places(tmp_path)
    for file in (kept.demo_database, kept.fake_stripe_database, kept.demo_keys, kept.database):
        file.write_text("x")
    assert demo.reset(kept)
    assert [file.name for file in tmp_path.iterdir() if file.suffix in {".db", ".json"}] == ["billing.db"]
    assert not demo.reset(kept)


def test_commands_on_the_demo_print_links_to_where_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Places(tmp_path)
    kept.demo_database.write_text("x")
    kept.console_address.write_text("http://127.0.0.1:3107")
    for name in ("DEMO", "DATABASE_URL", "PUBLIC_URL", "STRIPE_API_SECRET", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE"):
        monkeypatch.setenv(f"BILLING_{name}", "")  # put back afterwards
    try:
        demo.act_on_it(tmp_path)
        assert settings().public_url == "http://127.0.0.1:3107"
    finally:
        settings.cache_clear()


def test_a_running_demo_is_not_reset(tmp_path: Path) -> None:
    kept = Places(tmp_path)
    kept.demo_database.write_text("x")
    with only_console(kept.demo_database), pytest.raises(ConflictError, match="stop it first"):
        demo.reset(kept)
    assert kept.demo_database.exists()


@pytest.fixture
def demo_data(database: Database) -> Database:
    with database.writing() as session:
        session.add(User(email="ada@demo.test", name="Ada", demo=True, created_at=clock.now()))
    return database


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1"])
def test_demo_data_beside_a_live_key_is_refused(demo_data: Database, key: str) -> None:
    with pytest.raises(ConflictError, match="live one"):
        guards.refuse_demo_in_public(demo_data, Settings(stripe_api_secret=SecretStr(key)))


def test_demo_data_on_a_public_address_is_refused(demo_data: Database) -> None:
    with pytest.raises(ConflictError, match="public address"):
        guards.refuse_demo_in_public(demo_data, Settings(public_url="https://billing.example.com"))


def test_demo_data_on_this_machine_with_a_test_key_is_fine(demo_data: Database) -> None:
    guards.refuse_demo_in_public(demo_data, Settings(stripe_api_secret=SecretStr("sk_test_1")))


def test_a_live_key_without_demo_data_is_fine(database: Database) -> None:
    guards.refuse_demo_in_public(database, Settings(stripe_api_secret=SecretStr("sk_live_1")))


def selling(secret: str = "sk_test_1", base: str = "http://127.0.0.1:1") -> Settings:
    return Settings(
        stripe_api_secret=SecretStr(secret), stripe_webhook_secret=SecretStr("whsec_1"), stripe_api_base=base
    )


class Answering:
    """Stripe, as far as a start asks it."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def account(self) -> Account:
        return self._account


def test_a_database_keeps_to_its_stripe_account(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    for account, refused in [("acct_1", False), ("acct_1", False), ("acct_2", True)]:
        monkeypatch.setattr(stripe_payments, "payments_of", lambda _, id=account: Answering(Account(id, False)))
        with pytest.raises(UnavailableError, match="acct_1") if refused else nullcontext():
            guards.refuse_another_account(database, selling(), said.append)
    assert said == []


def test_a_start_does_not_wait_for_stripe(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(stripe_connection, "MAX_RETRIES", 0)
    guards.refuse_another_account(database, selling("sk_test_unreachable"), said.append)
    assert len(said) == 1
    guards.refuse_another_account(database, Settings(), said.append)
    assert len(said) == 1


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:3000", True),
        ("http://localhost:3000", True),
        ("http://[::1]:3000", True),
        ("http://localhost.example.com", False),
        ("http://192.168.0.4:3000", False),
        ("https://billing.example.com", False),
    ],
)
def test_which_addresses_only_this_machine_reaches(url: str, local: bool) -> None:
    assert guards.local(url) is local


def test_several_web_processes_need_a_database_and_state_that_they_share(monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite = Settings(database_url="sqlite:///x.db", redis_url="redis://localhost")
    shared = Settings(database_url="postgresql+psycopg://host/x", redis_url="redis://localhost")
    monkeypatch.delenv("GRANIAN_WORKERS", raising=False)
    assert server.workers(sqlite) == 1
    assert server.workers(shared) >= 1
    monkeypatch.setenv("GRANIAN_WORKERS", "3")
    assert server.workers(shared) == 3
    with pytest.raises(UnavailableError, match="BILLING_REDIS_URL"):
        server.workers(sqlite)
    monkeypatch.setenv("GRANIAN_WORKERS", "many")
    with pytest.raises(UnavailableError, match="many"):
        server.workers(shared)


def test_a_child_is_started_again_until_it_is_stopped(tmp_path: Path) -> None:
    said: list[str] = []
    child = Child("helper", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "helper.log")
    child.start()
    child.keep_running(said.append)
    assert child._process is not None
    first = child._process.pid
    child._process.kill()
    eventually(lambda: child.running and child._process is not None and child._process.pid != first, "the restart")
    assert child.running
    assert len(said) == 1
    assert "started again" in said[0]
    child.stop()
    assert not child.running


def test_a_child_ends_with_its_parent_however_that_ends() -> None:
    grandchild = (
        "import os,time; from billing_app.launcher.children import end_with; end_with(os.getppid()); time.sleep(60)"
    )
    parent = (
        "import subprocess,sys,time; "
        f"print(subprocess.Popen([sys.executable, '-c', {grandchild!r}]).pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, cwd=ROOT) as started:
        assert started.stdout is not None
        pid = int(started.stdout.readline())
        time.sleep(1)  # let the watch begin
        started.kill()
    eventually(lambda: not _runs(pid), "the grandchild's end")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_backup_is_a_whole_database_and_never_replaces_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    original, copy = f"sqlite:///{tmp_path / 'one.db'}", tmp_path / "copies" / "two.db"
    assert billing("db", "upgrade", "--database", original) == 0
    assert billing("db", "backup", str(copy), "--database", original) == 0
    assert billing("db", "check", "--database", f"sqlite:///{copy}") == 0
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert billing("db", "backup", str(copy), "--database", original) == 2
    assert "never replaces" in capsys.readouterr().err
