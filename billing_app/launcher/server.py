"""Serving pages, API and websocket on one port, from pages that are already built."""

from __future__ import annotations

import http.client
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows has no such limit to ask
    resource = None  # type: ignore[assignment]

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from billing_app import locations
from billing_app.domain.common.errors import UnavailableError
from billing_app.launcher.children import PATIENCE_SECONDS
from billing_app.launcher.respawning import Respawning
from billing_app.settings import Settings

READY_SECONDS = 120
"""A slow machine's first import of everything; after it the address is not announced, but serving goes on."""

CONNECTIONS = 16_384
"""Connections that one process accepts, keep-alives and pages' websockets among them. More than it can serve at once:
what is accepted is answered, be it with 503, and what is not waits without a word until its caller gives up."""

BACKLOG = 4_096
"""Connections that the system holds until they are accepted: a burst, or a moment without Python."""

SPARE_FILES = 256
"""Open files that are no connections: database, logs, static files."""

HEAD_MS = 20_000
"""How long the head of a request may take, and a connection that asks nothing may stay: longer than any browser on any
line needs, and a proxy's own limit is usually a minute. Whoever sends a byte now and then holds nothing for longer."""

HEAD_BYTES = 65_536
"""What is kept of a head that is not there yet: eight times what browsers send with all cookies of a host."""

SOCKET_BYTES = 65_536
"""The longest message of a page (api/common/sockets.py), told to pages in the handshake."""

PRODUCTION = {
    "REFLEX_SOCKET_MAX_HTTP_BUFFER_SIZE": str(SOCKET_BYTES),
    "REFLEX_ENV_MODE": "prod",
    "REFLEX_TELEMETRY_ENABLED": "false",
    # Reflex's own `run --env prod` sets these two for its workers: the pages are built, serve them from this process.
    "__REFLEX_SKIP_COMPILE": "true",
    "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
}


def workers(settings: Settings) -> int:
    """One process unless both the database and the pages' state can be shared; GRANIAN_WORKERS decides how many."""
    shared = bool(settings.redis_url) and not settings.database_url.startswith("sqlite")
    asked = os.environ.get("GRANIAN_WORKERS", "")
    if not asked:
        return (os.cpu_count() or 1) if shared else 1
    if not asked.isdecimal() or int(asked) < 1:
        raise UnavailableError(f"GRANIAN_WORKERS is a number of processes, not {asked!r}.")
    if int(asked) > 1 and not shared:
        raise UnavailableError(
            "Several web processes need BILLING_DATABASE_URL on PostgreSQL and BILLING_REDIS_URL, which they share; "
            "without them leave GRANIAN_WORKERS out."
        )
    return int(asked)


def connections() -> int:
    """How many connections a process may have: each is an open file, of which the system allows so many."""
    if resource is None:
        return CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + SPARE_FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))  # web processes inherit it
    return max(SPARE_FILES, min(CONNECTIONS, max(soft, allowed) - SPARE_FILES))


def publish(settings: Settings) -> None:
    """Hands the settings to the web processes through the environment."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        os.environ[f"BILLING_{name.upper()}"] = text
    if os.environ.get(locations.HOME):
        os.environ[locations.HOME] = str(locations.home())
    os.environ.pop("PORT", None)  # what it said is in BILLING_PORT now, unless the command line said otherwise
    if settings.redis_url:
        os.environ["REFLEX_REDIS_URL"] = settings.redis_url


def serve(host: str, settings: Settings, pages: Path, when_ready: Callable[[], None]) -> None:
    """Serves until Ctrl-C or a termination signal. `when_ready` runs once the first page answers."""
    count = workers(settings)
    publish(settings)
    os.environ.update(PRODUCTION | {"REFLEX_WEB_WORKDIR": str(pages)})
    os.chdir(pages)
    # A forked child would inherit threads' locks and open database connections.
    multiprocessing.set_start_method("spawn", force=True)
    threading.Thread(target=announce, args=(host, settings.port, when_ready), daemon=True).start()
    server = Respawning(
        "billing_app.launcher.worker:create",
        factory=True,
        address=host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=count,
        **protocol(),
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        backlog=BACKLOG,
        backpressure=connections(),
        workers_kill_timeout=int(PATIENCE_SECONDS),
    )
    server.serve()


def protocol(head_ms: int = HEAD_MS) -> dict[str, Any]:
    """What granian is told of connections.

    HTTP/1.1 alone: told to find out which it is, granian waits for ever for the first byte; and no browser speaks
    HTTP/2 without TLS.
    """
    return {
        "http": HTTPModes.http1,
        "http1_settings": HTTP1Settings(header_read_timeout=head_ms, max_buffer_size=HEAD_BYTES),
    }


def answers(host: str, port: int, path: str) -> bool:
    """Whether a server gives a page there."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared, not bound
    connection = http.client.HTTPConnection(reachable, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except OSError:
        return False
    finally:
        connection.close()


def wait_until_answers(
    host: str, port: int, path: str, seconds: float, ended: Callable[[], object] = lambda: None
) -> bool:
    """Waits for the first answer; False when none came in time, or when `ended` says that none will come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and ended() is None:
        if answers(host, port, path):
            return True
        time.sleep(0.1)
    return False


def announce(host: str, port: int, when_ready: Callable[[], None]) -> None:
    """Calls `when_ready` after the first answer."""
    if wait_until_answers(host, port, "/ping", READY_SECONDS):
        when_ready()
    else:
        print(f"The console has not answered for {READY_SECONDS} s; look at the lines above.", file=sys.stderr)
