"""The local Stripe stand-in as a child of the console: started with the demo, told where webhooks go."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import httpx

from billing_app import private_files
from billing_app.domain.common.errors import UnavailableError
from billing_app.forwarding import PREFIX
from billing_app.launcher.children import Child
from billing_app.launcher.keys import DemoKeys
from billing_app.launcher.places import Places
from billing_app.launcher.ports import free_port

STARTS_SECONDS = 30.0
"""How long the stand-in may take to answer for the first time."""

WEBHOOK_PATH = "/api/v1/webhooks/stripe"


class Sandbox:
    """The stand-in's process and address."""

    def __init__(self, places: Places, keys: DemoKeys, public_url: str) -> None:
        """Chooses a free port; starts nothing yet."""
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._address_file = places.sandbox_address
        self._keys = keys
        self._webhook = public_url + WEBHOOK_PATH
        self._log = places.log("sandbox")
        self._log.unlink(missing_ok=True)
        self._child = Child(
            "Stripe stand-in",
            _command(port, places, public_url + PREFIX),
            self._log,
        )

    def start(self) -> None:
        """Starts it; it needs a second or two before it answers."""
        self._child.start()

    def require(self, say: Callable[[str], None]) -> None:
        """Waits for its first answer, registers our webhook there, and from then on keeps it running."""
        until = time.monotonic() + STARTS_SECONDS
        while not self._register():
            if not self._child.running or time.monotonic() > until:
                self._child.stop()
                raise UnavailableError(f"The Stripe stand-in did not start; its output is in {self._log}.")
            time.sleep(0.1)
        private_files.write(self._address_file, self.address)
        self._child.keep_running(say)

    def stop(self) -> None:
        """Ends it."""
        self._address_file.unlink(missing_ok=True)
        self._child.stop()

    def _register(self) -> bool:
        try:
            answer = httpx.put(
                f"{self.address}{PREFIX}/control/webhook-endpoint",
                headers={"Authorization": f"Bearer {self._keys.api_secret}"},
                json={"url": self._webhook, "secret": self._keys.webhook_secret},
                timeout=5,
                trust_env=False,
            )
        except httpx.HTTPError:
            return False
        if answer.is_error:
            raise UnavailableError(
                f"The Stripe stand-in refused the webhook address {self._webhook}: {answer.text.strip()[:500]}"
            )
        return True


def _command(port: int, places: Places, public_url: str) -> list[str]:
    command = [sys.executable, "-m", "fake_stripe", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--database", str(places.sandbox_database), "--public-url", public_url]
    return [*command, "--parent-pid", str(os.getpid())]
