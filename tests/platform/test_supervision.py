"""The fake Stripe as a child of the console, and alone: started again with its state, gone when it should be."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import httpx

from billing_app.launcher.fake_stripe import FakeStripe
from billing_app.launcher.keys import DemoKeys
from billing_app.launcher.places import Places
from billing_app.launcher.ports import free_port
from tests import loopback
from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.process import Process
from tests.support.patience import eventually

KEYS = DemoKeys("sk_test_of_supervision", "whsec_of_supervision")


def there(address: str) -> bool:
    """Whether it answers."""
    try:
        return loopback.get(f"{address}/health").status_code == 200
    except httpx.HTTPError:
        return False


def test_killed_it_is_started_again_with_all_that_it_knew(tmp_path: Path) -> None:
    said: list[str] = []
    child = FakeStripe(Places(tmp_path), KEYS, "http://127.0.0.1:9")
    child.start()
    try:
        child.require(said.append)
        with TestAccount(child.address, KEYS.api_secret) as account:
            customer = account.customer()
            (endpoint,) = account.v1.webhook_endpoints.list().data
            assert endpoint.url == "http://127.0.0.1:9/api/v1/webhooks/stripe"
            process = child._child._process
            assert process is not None
            os.kill(process.pid, signal.SIGKILL)
            eventually(lambda: bool(said))
            eventually(lambda: there(child.address))
            assert account.v1.customers.retrieve(customer.id).name == "Ada"
        assert "is started again" in said[0]
    finally:
        child.stop()
    assert not there(child.address)


def test_it_runs_alone_by_its_own_command(tmp_path: Path) -> None:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "billing_app",
        "sandbox",
        "--port",
        str(port),
        "--database",
        str(tmp_path / "s.db"),
    ]
    process = Process(command, tmp_path / "log")
    process.start()
    try:
        process.wait_until_answers(f"http://127.0.0.1:{port}/health")
        with TestAccount(f"http://127.0.0.1:{port}", "sk_test_anything_will_do") as account:
            assert account.customer().id.startswith("cus_")
    finally:
        process.stop()
    assert not there(f"http://127.0.0.1:{port}")
