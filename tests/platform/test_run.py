"""The whole console as it is started by hand: one port for everything, found again, and gone when it is stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from billing_app.launcher.ports import free_port
from billing_app.launcher.server import answers, wait_until_answers
from billing_app.locations import ROOT
from tests import loopback
from tests.conftest import SHARED
from tests.support import databases
from tests.support.console import STARTS_SECONDS, Console
from tests.support.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.browser


@contextmanager
def started(folder: Path, port: int, *arguments: str, **environment: str) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "billing_app", *arguments, "--port", str(port), "--folder", str(folder)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert wait_until_answers("127.0.0.1", port, "/ping", STARTS_SECONDS, process.poll)
            yield process
        finally:
            process.kill()


def gone(port: int) -> bool:
    until = time.monotonic() + PATIENCE_SECONDS
    while answers("127.0.0.1", port, "/ping") and time.monotonic() < until:
        time.sleep(0.2)
    return not answers("127.0.0.1", port, "/ping")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/sign-in", 200), ("/api/v1/plans", 200), ("/_sandbox/", 200), ("/readyz", 200), ("/nowhere", 404)],
)
def test_everything_is_on_one_port(console: Console, path: str, status: int) -> None:
    assert loopback.get(console.url + path, follow_redirects=True).status_code == status


def test_the_pages_find_their_server_under_another_name(console: Console, page: Page) -> None:
    page.goto(console.url.replace("127.0.0.1", "localhost"))
    expect(page.get_by_label("E-mail")).to_be_visible()


def test_the_terminal_says_where_to_go_and_nothing_else(console: Console) -> None:
    said = (console.folder / "console.log.terminal").read_text()
    assert f"The billing console is ready: {console.url}" in said
    assert "operator" in said
    assert "request" not in said


def test_a_second_console_on_the_same_data_is_refused(console: Console) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "billing_app", "run", "--port", str(free_port()), "--folder", str(console.folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert "already runs" in done.stderr


def test_commands_in_another_terminal_act_on_the_same_data(console: Console) -> None:
    assert "Sound" in console.billing("db", "check")


def test_without_the_demo_a_start_gives_the_first_operator_a_link(tmp_path: Path) -> None:
    port = free_port()
    with started(tmp_path, port, "run", "--no-demo") as process:
        # Without a key for Stripe there is a fake Stripe, as with the demo.
        assert loopback.get(f"http://127.0.0.1:{port}/_sandbox/").status_code == 200
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert re.search(rf"http://127\.0\.0\.1:{port}/set-up\?token=\S{{20,}}", said)
    assert gone(port)


def test_a_killed_web_process_is_started_again_and_a_signal_still_ends_all(tmp_path: Path) -> None:
    port, told = free_port(), {"BILLING_DATABASE_URL": f"sqlite:///{tmp_path / 'b.db'}", "BILLING_METRICS_PORT": "0"}
    with started(tmp_path, port, "serve", **told) as process:
        # Real use never has the fake Stripe.
        assert loopback.get(f"http://127.0.0.1:{port}/_sandbox/").status_code == 404
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        (worker,) = [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(int(worker), signal.SIGKILL)
        assert gone(port)
        assert wait_until_answers("127.0.0.1", port, "/readyz", STARTS_SECONDS, process.poll)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "The web process ended (exit code -9) and is started again." in said
    assert gone(port)


def test_nothing_stays_when_the_console_is_killed(tmp_path: Path) -> None:
    port = free_port()
    with started(tmp_path, port, "run", "--no-demo") as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert gone(port)


def test_several_web_processes_serve_postgresql_and_redis(
    request: pytest.FixtureRequest, redis_url: str, tmp_path: Path
) -> None:
    port = free_port()
    with databases.postgres_database(request.config.stash[SHARED].postgres_uri) as url:
        watched = free_port()
        shared = {"BILLING_DATABASE_URL": url, "BILLING_REDIS_URL": redis_url, "GRANIAN_WORKERS": "2"}
        shared["BILLING_METRICS_PORT"] = str(watched)
        with started(tmp_path, port, "serve", **shared) as process:
            ready = [loopback.get(f"http://127.0.0.1:{port}/readyz") for _ in range(20)]
            assert {answer.status_code for answer in ready} == {200}
            # Real use never has the fake Stripe, and nothing is sold without Stripe's keys.
            assert loopback.get(f"http://127.0.0.1:{port}/_sandbox/").status_code == 404
            webhook = f"http://127.0.0.1:{port}/api/v1/webhooks/stripe"
            assert loopback.post(webhook, content=b"{}").status_code == 503
            # What either process counted is added up, and only on the port of its own.
            counted = loopback.get(f"http://127.0.0.1:{watched}/metrics").text
            answered = re.search(r'requests_total\{code="200",method="GET",route="/readyz"\} (\d+)', counted)
            assert answered is not None, counted
            assert int(answered[1]) >= 20
            assert "billing_database_up 1.0" in counted
            assert "billing_http" not in loopback.get(f"http://127.0.0.1:{port}/metrics").text
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0
        assert "/set-up?token=" in said
