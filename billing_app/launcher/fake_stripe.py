"""The fake Stripe beside a console: a process of its own, of which only its command line and its HTTP are known here.

It is a distribution of its own (packages/fake_stripe), which `billing serve` never needs and an installation may lack.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from billing_app import private_files
from billing_app.domain.common.errors import UnavailableError
from billing_app.gateways import tls
from billing_app.launcher.children import Child
from billing_app.launcher.keys import DemoKeys
from billing_app.launcher.places import Places
from billing_app.launcher.ports import free_port
from billing_app.locations import PREFIX

MODULE = "fake_stripe"

MISSING = (
    "the fake Stripe is not installed: install the package fake-stripe beside the console, from its wheel or from "
    "packages/fake_stripe of the source"
)
"""What is wrong and what to do, as the rest of a sentence."""

STARTS_SECONDS = 30.0
"""How long the fake Stripe may take to answer for the first time."""

WEBHOOK_PATH = "/api/v1/webhooks/stripe"


def installed() -> bool:
    """Whether a fake Stripe can be started here; nothing of it is imported."""
    return importlib.util.find_spec(MODULE) is not None


def require_installed() -> None:
    """Refuses to go on without it."""
    if not installed():
        raise UnavailableError(f"{MISSING[0].upper()}{MISSING[1:]}.")


def become(port: int, database: Path) -> NoReturn:
    """Turns this process into a fake Stripe that runs alone."""
    command = _command(port, database, f"http://127.0.0.1:{port}{PREFIX}")
    os.execv(command[0], command)  # noqa: S606


class FakeStripe:
    """The fake Stripe's process and address."""

    def __init__(self, places: Places, keys: DemoKeys, public_url: str) -> None:
        """Chooses a free port; starts nothing yet."""
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._address_file = places.fake_stripe_address
        self._keys = keys
        self._webhook = public_url + WEBHOOK_PATH
        self._log = places.log("sandbox")
        self._log.unlink(missing_ok=True)
        command = _command(port, places.fake_stripe_database, public_url + PREFIX)
        self._child = Child("fake Stripe", [*command, "--parent-pid", str(os.getpid())], self._log)

    def start(self) -> None:
        """Starts it; it needs a second or two before it answers."""
        self._child.start()

    def require(self, say: Callable[[str], None]) -> None:
        """Waits for its first answer, registers our webhook there, and from then on keeps it running."""
        until = time.monotonic() + STARTS_SECONDS
        while not self._register():
            if not self._child.running or time.monotonic() > until:
                self._child.stop()
                raise UnavailableError(f"The fake Stripe did not start; its output is in {self._log}.")
            time.sleep(0.03)
        private_files.write(self._address_file, self.address)
        self._child.keep_running(say)

    def stop(self) -> None:
        """Ends it."""
        self._address_file.unlink(missing_ok=True)
        self._child.stop()

    def _register(self) -> bool:
        import httpx

        try:
            answer = httpx.put(
                f"{self.address}{PREFIX}/control/webhook-endpoint",
                headers={"Authorization": f"Bearer {self._keys.api_secret}"},
                json={"url": self._webhook, "secret": self._keys.webhook_secret},
                timeout=5,
                trust_env=False,
                verify=tls.context(),
            )
        except httpx.HTTPError:
            return False
        if answer.is_error:
            raise UnavailableError(
                f"The fake Stripe refused the webhook address {self._webhook}: {answer.text.strip()[:500]}"
            )
        return True


def _command(port: int, database: Path, public_url: str) -> list[str]:
    command = [sys.executable, "-m", MODULE, "--host", "127.0.0.1", "--port", str(port)]
    return [*command, "--database", str(database), "--public-url", public_url]
