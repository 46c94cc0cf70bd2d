"""Starting real server processes on free ports, and ending exactly those."""

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import httpx

from tests.support.patience import PATIENCE_SECONDS

START_SECONDS = PATIENCE_SECONDS
STOP_SECONDS = PATIENCE_SECONDS
POLL_SECONDS = 0.05
# Compiled modules of the servers that tests start: reading the SDK's source anew each time takes longer than the rest.
COMPILED = Path(__file__).parents[2] / ".pytest_cache" / "compiled"


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """Ours, with compiled modules kept between the processes that tests start."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(COMPILED), **(more or {})}


@dataclass
class Process:
    """A server that a test started; `log` is where its output went."""

    command: Sequence[str]
    log: Path
    popen: subprocess.Popen[bytes] = field(init=False)

    def start(self, env: dict[str, str] | None = None) -> None:
        """Begin; may be called again after `kill` or `stop`."""
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(self.command, stdout=output, stderr=subprocess.STDOUT, env=environment(env))

    def wait_until_answers(self, url: str, seconds: float = START_SECONDS) -> None:
        """Return once `url` answers 200. Raises AssertionError, with the log, if it does not in time."""
        end = time.monotonic() + seconds
        with httpx.Client(trust_env=False, verify=False) as client:
            while time.monotonic() < end and self.popen.poll() is None:
                with contextlib.suppress(httpx.HTTPError):
                    if client.get(url).status_code == 200:
                        return
                time.sleep(POLL_SECONDS)
        raise AssertionError(f"{url} does not answer; its log says:\n{self.log.read_text(errors='replace')}")

    def kill(self) -> None:
        """As `kill -9` would."""
        self.popen.kill()
        self.popen.wait(STOP_SECONDS)

    def stop(self) -> None:
        """Ask to end, then insist."""
        if self.popen.poll() is None:
            self.popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(STOP_SECONDS)
        if self.popen.poll() is None:
            self.kill()


@dataclass
class FakeStripeServer:
    """A running fake Stripe. `url` is its own address, `public_url` the base of the pages it names."""

    url: str
    public_url: str
    process: Process

    def restart(self) -> None:
        """Kill it outright and start it again on the same state and port."""
        self.process.kill()
        self.process.start()
        self.process.wait_until_answers(f"{self.url}/health")


@contextlib.contextmanager
def fake_stripe(
    folder: Path, public_url: str | None = None, retry_delays: Sequence[float] = (0.2, 0.4, 1.0, 2.0, 5.0)
) -> Generator[FakeStripeServer]:
    """The fake Stripe as its own process, with its state in `folder`; it ends with the `with` block or with us."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    shown = public_url or f"{url}/_sandbox"
    options = {
        "--port": str(port),
        "--database": str(folder / "stripe.db"),
        "--public-url": shown,
        "--parent-pid": str(os.getpid()),
        "--retry-delays": ",".join(str(delay) for delay in retry_delays),
    }
    command = [sys.executable, "-m", "fake_stripe", *(part for pair in options.items() for part in pair)]
    process = Process(command, folder / "stripe.log")
    process.start()
    try:
        process.wait_until_answers(f"{url}/health")
        yield FakeStripeServer(url, shown, process)
    finally:
        process.stop()


@lru_cache(maxsize=1)
def shared_fake_stripe() -> FakeStripeServer:
    """The one that all tests of a process share, started when it is first needed: each has an account of its own."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="fake-stripe-"))
    return stack.enter_context(fake_stripe(Path(folder)))
