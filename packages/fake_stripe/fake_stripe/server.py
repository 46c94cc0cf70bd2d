"""The fake Stripe as a process: one event loop that serves HTTP, delivers webhooks and watches the clock."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from fake_stripe import scheduler
from fake_stripe.app import build_app
from fake_stripe.deliveries import RETRY_DELAYS_SECONDS, Courier
from fake_stripe.storage import accounts
from fake_stripe.storage.database import Database
from fake_stripe.storage.served import serve_at

LOG = logging.getLogger("fake_stripe")
# How often a process that was told its parent looks whether that still lives.
PARENT_CHECK_SECONDS = 0.5


@dataclass(frozen=True)
class Settings:
    """How to serve. `public_url` is the base from which browsers reach the pages; delays are in seconds."""

    host: str
    port: int
    database: Path
    public_url: str
    parent_pid: int | None = None
    retry_delays: Sequence[float] = RETRY_DELAYS_SECONDS


def run(
    host: str,
    port: int,
    database: str | Path,
    public_url: str,
    parent_pid: int | None = None,
    retry_delays: Sequence[float] = RETRY_DELAYS_SECONDS,
) -> None:
    """Serve until stopped, or until the process `parent_pid` is gone.

    Raises OSError if the port is taken, WrongDatabase if the file is another version's, and LiveKeyNearby if the
    environment holds a live key.
    """
    refuse_live_keys(os.environ)
    refuse_taken_port(host, port)
    settings = Settings(host, port, Path(database), public_url.rstrip("/"), parent_pid, retry_delays)
    asyncio.run(_serve(settings))


class LiveKeyNearby(RuntimeError):
    """Where real money is at hand, a fake of it must not run."""


def refuse_live_keys(environment: Mapping[str, str]) -> None:
    """Raises LiveKeyNearby, naming the variable, if any of them holds a live key of Stripe's."""
    for name, value in environment.items():
        if value.startswith(accounts.LIVE_PREFIXES):
            raise LiveKeyNearby(f"{name} holds a live Stripe key; the fake Stripe does not run beside one")


def refuse_taken_port(host: str, port: int) -> None:
    """Raises OSError if somebody listens there already: the HTTP server would share the port without a word."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


async def _serve(settings: Settings) -> None:
    database = Database(settings.database)
    serve_at(database, settings.public_url)
    courier = Courier(database, settings.retry_delays)
    ticker = scheduler.Ticker(database, settings.public_url)

    def wake() -> None:
        courier.wake()
        ticker.wake()

    database.on_commit = wake
    app = build_app(database, settings.public_url)
    server = Server(
        app,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        log_level=LogLevels.error,
        websockets=False,
    )
    work = [
        asyncio.create_task(courier.run()),
        asyncio.create_task(ticker.run()),
        asyncio.create_task(_watch_parent(settings.parent_pid, server)),
    ]
    try:
        await server.serve()
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        database.close()


async def _watch_parent(parent_pid: int | None, server: Server) -> None:
    """Stop the server once the parent is gone, so that none outlives what started it."""
    while parent_pid is not None:
        if not _alive(parent_pid):
            LOG.warning("the parent process %s is gone; stopping", parent_pid)
            server.stop()
            return
        await asyncio.sleep(PARENT_CHECK_SECONDS)


def _alive(pid: int) -> bool:
    if os.getppid() == pid:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """A killed parent that nobody has reaped still answers signals; Linux tells it apart."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False
