"""The API on one worker, as `billing serve` runs it, and its callers: `python -m benchmarks.serving URL PORT`."""

from __future__ import annotations

import http.client
import json
import logging
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from threading import local
from typing import Any

from billing_app.launcher.ports import free_port
from billing_app.launcher.server import wait_until_answers
from billing_app.locations import ROOT
from billing_app.services.common.context import Context

numbers = count()

PAGE = "/bench/page"
"""What the overview page asks of its services, in a thread of the server, as the page does; without drawing it."""


@contextmanager
def serving(url: str) -> Generator[int]:
    """The port of a server on this database."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.serving", url, str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            if not wait_until_answers("127.0.0.1", port, "/healthz", 30, process.poll):
                raise TimeoutError("the server did not start")
            yield port
        finally:
            process.terminate()


class Caller:
    """Calls over connections that stay open, one for each thread."""

    def __init__(self, port: int, key: str = "") -> None:
        """Calls the server at `port`, with a key."""
        self.port = port
        self.headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._local = local()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> bytes:
        """One request; anything but a success stops the measurement."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, self.headers | headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:300]!r}")
        return said


def main(url: str, port: str) -> None:
    """Serves until it is ended."""
    import asyncio

    import structlog
    from granian.constants import Interfaces
    from granian.server.embed import Server

    from benchmarks.places import NOW
    from billing_app.api.app import create_api
    from billing_app.db import Database
    from billing_app.services.common import organizations
    from billing_app.services.overview import overview
    from billing_app.settings import Settings

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    settings = Settings(_env_file=None, public_url=f"http://127.0.0.1:{port}", rate_limit_per_minute=0)
    database = Database(url)
    app = create_api(database, settings)

    def page() -> dict[str, int]:
        with database.reading() as session:
            shown = overview.overview(Context(session, organizations.by_address(session, "globex"), NOW))
        return {"metrics": len(shown.meters)}

    app.add_api_route(PAGE, page)
    server = Server(app, port=int(port), interface=Interfaces.ASGINL, log_enabled=False)
    asyncio.run(server.serve())


if __name__ == "__main__":
    main(*sys.argv[1:])
