"""The fake Stripe as a process: it starts, refuses, and ends with whoever started it."""

import subprocess
import sys
from pathlib import Path

from tests import loopback
from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.listener import Listener
from tests.fake_stripe.process import FakeStripeServer, Process, environment, free_port
from tests.support.patience import PATIENCE_SECONDS, eventually

COMMAND = [sys.executable, "-m", "fake_stripe"]


def refusal(*options: str, **env: str) -> str:
    """Why it does not start."""
    ended = subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, timeout=PATIENCE_SECONDS, env=environment(env)
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_it_refuses_to_start_beside_a_live_key(tmp_path: Path) -> None:
    said = refusal("--database", str(tmp_path / "x.db"), BILLING_STRIPE_API_SECRET="sk_live_abcdef")
    assert "BILLING_STRIPE_API_SECRET holds a live Stripe key" in said


def test_it_refuses_a_taken_port_and_a_foreign_file(server: FakeStripeServer, tmp_path: Path) -> None:
    port = server.url.rpartition(":")[2]
    assert "cannot start" in refusal("--port", port, "--database", str(tmp_path / "x.db"))
    import sqlite3

    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    assert "another version" in refusal("--port", str(free_port()), "--database", str(tmp_path / "other.db"))


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    port = free_port()
    options = ["--port", str(port), "--database", str(tmp_path / "x.db"), "--parent-pid", str(parent.pid)]
    process = Process([*COMMAND, *options], tmp_path / "log")
    process.start()
    try:
        process.wait_until_answers(f"http://127.0.0.1:{port}/health")
        parent.kill()
        parent.wait()
        eventually(lambda: process.popen.poll() is not None, "the end of the orphan")
    finally:
        process.stop()


def test_pages_answer_under_the_path_of_the_public_url(tmp_path: Path) -> None:
    from tests.fake_stripe.process import fake_stripe

    with (
        fake_stripe(tmp_path, "https://shop.example/pay/here") as own,
        TestAccount(own.url, "sk_test_public_url") as account,
    ):
        session = account.session((account.price(), 1))
        assert session.url == f"https://shop.example/pay/here/checkout/{session.id}"
        for path in ("/pay/here", "/_sandbox"):
            page = loopback.get(f"{own.url}{path}/checkout/{session.id}").text
            assert f'action="/pay/here/checkout/{session.id}/pay"' in page


def test_addresses_lead_to_where_the_pages_are_now(tmp_path: Path) -> None:
    from tests.fake_stripe.process import fake_stripe

    before, after = "http://127.0.0.1:3000/_sandbox", "http://127.0.0.1:3100/_sandbox"
    with fake_stripe(tmp_path, before) as own, TestAccount(own.url, "sk_test_moved") as account:
        session = account.session((account.price(), 1))
        assert session.url.startswith(f"{before}/checkout/")
    with fake_stripe(tmp_path, after) as own, TestAccount(own.url, "sk_test_moved") as account:
        assert account.v1.checkout.sessions.retrieve(session.id).url == session.url.replace(before, after)


def test_a_deleted_endpoint_hears_nothing_more(account: TestAccount) -> None:
    with Listener() as first, Listener() as second:
        gone = account.control("PUT", "/webhook-endpoint", url=first.url, secret=first.secret)
        account.v1.webhook_endpoints.delete(gone["id"])
        account.control("PUT", "/webhook-endpoint", url=second.url, secret=second.secret)
        account.customer()
        second.wait_for("customer.created")
        assert first.events == []


def test_an_endpoint_that_is_down_does_not_hold_up_another(account: TestAccount, listener: Listener) -> None:
    account.control("PUT", "/webhook-endpoint", url=f"http://127.0.0.1:{free_port()}/down", secret="whsec_down")
    for _ in range(5):
        account.customer()
    listener.wait_for("customer.created", count=5)
