"""kill -9 in the middle of an import or a recount, then the same command again: it ends clean."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.locations import ROOT
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants, history
from billing_app.services.usage import reporting
from billing_app.services.verification import verification
from billing_app.store.common import runs
from billing_app.store.usage import meters
from tests.support.patience import PATIENCE_SECONDS

EMAILS = 20_000
"""Rows of the imported file: several transactions of every organization."""


def command(database_url: str, *arguments: str) -> subprocess.Popen[str]:
    """The `billing` command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "billing_app", *arguments],
        cwd=ROOT,
        env={**os.environ, "BILLING_DATABASE_URL": database_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(database_url: str, *arguments: str) -> str:
    """The command, run to its end."""
    process = command(database_url, *arguments)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, out + err
    return out


def kill_when(process: subprocess.Popen[str], begun: Callable[[], bool], after_s: float) -> bool:
    """Kills the process a moment after `begun()` first says so; whether it was still running."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if begun():
            time.sleep(after_s)
            break
        time.sleep(0.01)
    alive = process.poll() is None
    os.kill(process.pid, signal.SIGKILL) if alive else None
    process.communicate(timeout=PATIENCE_SECONDS)
    return alive


@pytest.fixture
def stocked(database: Database) -> Database:
    """A database with the shipped catalogue."""
    with database.writing() as session:
        versions.load(session, versions.read_document(ROOT / "plans.json"), clock.now(), "plans.json")
    return database


def differences(database: Database) -> list[verification.Difference]:
    """What `billing verify` finds."""
    with database.reading() as session:
        return [
            each
            for address in verification.organizations(session)
            for each in verification.verify(Context(session, organizations.by_address(session, address), clock.now()))
        ]


def test_an_import_that_was_killed_goes_on(stocked: Database, database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "usage.csv"
    names = [f"org-{number}" for number in range(5)]
    rows = [
        f"{names[number % 5]},{number},emails,3,,2013-01-{1 + number % 28:02d}T{number % 24:02d}:00:00Z"
        for number in range(EMAILS)
    ]
    file.write_text("organization,id,metric,quantity,subject,at\n" + "\n".join(rows) + "\n", encoding="utf-8")
    arguments = ("usage", "import", str(file), "--backfill", "--create-organizations", "--plan", "free")

    def begun() -> bool:
        with stocked.reading() as session:
            return bool(verification.organizations(session))

    for seed in range(3):
        kill_when(command(database_url, *arguments), begun, random.Random(seed).random() * 0.4)
        assert not [each for each in differences(stocked) if "ledger" not in each.what]
    run(database_url, *arguments)
    assert differences(stocked) == []
    with stocked.reading() as session:
        for name in names:
            (emails,) = history.history(
                Context(session, organizations.by_address(session, name), clock.now()),
                to=datetime(2013, 2, 1, tzinfo=UTC),
                metric="emails",
            )
            assert emails.months[-1].used == EMAILS // 5 * 3


def test_a_recount_that_was_killed_is_finished_by_the_next(stocked: Database, database_url: str) -> None:
    now = clock.now()
    start = now - timedelta(days=60)
    for number in range(60):
        with stocked.writing() as session:
            organization = organizations.create(session, start, address=f"org-{number:03d}", anchor=start)
            grants.change_plan(Context(session, organization, start), "free")
            grants.grant(
                Context(session, organization, start),
                grants.NewGrant("sms", 1000, source="operator", source_key="a", reason="Hello"),
            )
            events = [reporting.ReportedEvent("sms", 3, at=start + timedelta(days=day)) for day in range(40)]
            reporting.report(Context(session, organization, start + timedelta(days=41)), events, backfill=True)

    def behind() -> int:
        with stocked.reading() as session:
            return len(meters.due(session, clock.now(), 0, 1000))

    assert behind() == 60
    process = command(database_url, "recount")
    kill_when(process, lambda: behind() < 60, 0)
    assert not [each for each in differences(stocked) if "ledger" in each.what]
    run(database_url, "recount")
    assert behind() == 0
    assert differences(stocked) == []
    with stocked.reading() as session:
        assert runs.lease_holder(session, "recount") is None
        assert runs.last_finished(session) is not None
