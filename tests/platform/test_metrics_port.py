"""`/metrics` as Prometheus reads it: over HTTP, on a port of its own, added up over processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from billing_app import clock, monitoring
from billing_app.db import Database
from billing_app.launcher import metrics_port
from billing_app.launcher.ports import free_port
from billing_app.locations import ROOT
from billing_app.settings import Settings
from billing_app.store.common import runs
from billing_app.store.notifications import outbox
from billing_app.store.tables.stripe import InboxEvent
from tests import loopback
from tests.support.builders import an_organization
from tests.support.patience import PATIENCE_SECONDS

COUNTS = """
from billing_app import monitoring
monitoring.decisions.labels("check", "allowed").inc(2)
monitoring.request_seconds.labels("/check").observe(0.004)
monitoring.job_succeeded_at.labels("recount").set(float(__import__("sys").argv[1]))
"""


def read(port: int) -> dict[str, float]:
    """Every sample by name and labels."""
    text = loopback.get(f"http://127.0.0.1:{port}/metrics").text
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def settings(database: Database, port: int) -> Settings:
    url = database.url.render_as_string(hide_password=False)
    return Settings(_env_file=None, database_url=url, metrics_port=port)


def an_event(now: float, state: str, *, due: bool) -> InboxEvent:
    at = clock.now() - timedelta(seconds=now)
    return InboxEvent(
        source="stripe", id=f"evt_{state}_{due}", type="x", subject="cus_1", livemode=False, payload="{}",
        created_at=at, received_at=at, state=state, next_try_at=at if due else None,
    )  # fmt: skip


def test_what_several_processes_counted_is_added_up(database: Database) -> None:
    port = free_port()
    with metrics_port.answering(settings(database, port), pytest.fail):
        for moment in ("100", "300", "200"):
            subprocess.run([sys.executable, "-c", COUNTS, moment], cwd=ROOT, check=True, timeout=PATIENCE_SECONDS)
        found = read(port)
    assert found["billing_decisions_total['allowed', 'check']"] == 6
    assert found["billing_http_request_seconds_bucket['+Inf', '/check']"] == 3
    assert found["billing_job_last_success_timestamp_seconds['recount']"] == 300
    with pytest.raises(httpx.ConnectError):
        read(port)


def test_what_waits_is_read_from_the_database_at_each_answer(database: Database) -> None:
    port = free_port()
    with metrics_port.answering(settings(database, port), pytest.fail):
        before = read(port)
        with database.writing() as session:
            owner = an_organization(session).pk
            session.add(an_event(90, "new", due=True))
            session.add(an_event(5, "failed", due=True))
            session.add(an_event(9, "failed", due=False))
            outbox.add(session, owner, "test", "k", {}, clock.now(), clock.now() - timedelta(seconds=40))
            runs.close_run(session, runs.open_run(session, "test", clock.now()), clock.now(), 1, 1, 1, None)
            runs.take_lease(session, "recount", "me", clock.now())
            runs.take_lease(session, "stripe:cus_1", "me", clock.now())
        after = read(port)
    assert (before["billing_database_up[]"], before["billing_queue_waiting['inbox']"]) == (1, 0)
    assert "billing_recount_last_success_timestamp_seconds[]" not in before
    assert (after["billing_queue_waiting['inbox']"], after["billing_queue_waiting['outbox']"]) == (2, 1)
    assert 85 < after["billing_queue_oldest_seconds['inbox']"] < 120
    assert after["billing_stripe_events_given_up[]"] == 1
    assert after["billing_recount_last_success_timestamp_seconds[]"] > 0
    assert (after["billing_lease_held['recount']"], before["billing_lease_held['recount']"]) == (1, 0)
    assert not [name for name in after if "cus_1" in name or "acme" in name]


def test_a_database_that_is_away_is_a_figure() -> None:
    port = free_port()
    away = Settings(_env_file=None, database_url="postgresql+psycopg://a:b@127.0.0.1:1/none", metrics_port=port)
    with metrics_port.answering(away, pytest.fail):
        found = read(port)
    assert found["billing_database_up[]"] == 0
    assert [name for name in found if name.startswith("billing_build_info")]


def test_a_taken_port_is_said_and_stops_nothing(database: Database) -> None:
    port, said = free_port(), list[str]()
    with (
        metrics_port.answering(settings(database, port), pytest.fail),
        metrics_port.answering(settings(database, port), said.append),
    ):
        pass
    assert "BILLING_METRICS_PORT" in said[0]


def test_zero_is_nowhere(database: Database) -> None:
    with metrics_port.answering(settings(database, 0), pytest.fail):
        assert metrics_port.FOLDER not in os.environ


def test_the_document_names_every_figure_and_no_other() -> None:
    text = (ROOT / "docs" / "operations.md").read_text().partition("## What to watch")[2].partition("\n## ")[0]
    ours = {family.name for family in monitoring.REGISTRY.collect()}
    sources = (ROOT / "billing_app" / "launcher" / "metrics_port.py").read_text()
    read_anew = set(re.findall(r'"(billing_[a-z_]+)"', sources))
    read_anew |= {f"billing_{name}_last_success_timestamp_seconds" for name in ("recount", "sync")}
    wanted = {re.sub("_total$", "", name) for name in ours | read_anew}
    named = {re.sub("_(total|bucket)$", "", name) for name in re.findall(r"billing_[a-z_]+", text)}
    assert named == wanted
