"""Serving for development: Reflex's own server, which builds and starts anew whenever a file of the code changes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable

from billing_app.launcher import frontend, server
from billing_app.launcher.children import PATIENCE_SECONDS
from billing_app.settings import Settings

WATCHED = ("billing_app", "rxconfig.py", "plans.json")
"""Not all of the project, as Reflex would: the databases in var/ change with every request."""


def serve(host: str, settings: Settings, when_ready: Callable[[], None]) -> None:
    """Serves until Ctrl-C or a termination signal."""
    server.publish(settings)
    environment = os.environ | frontend.environment()
    # This server builds its own address in, and the pages take the host name from the browser.
    del environment["REFLEX_API_URL"]
    environment["REFLEX_HOT_RELOAD_OVERRIDE_PATHS"] = ":".join(str(frontend.place(name)) for name in WATCHED)
    port = str(settings.port)
    command = [sys.executable, "-m", "reflex", "run", "--env", "preview", "--backend-host", host]
    with frontend.workshop(live=True) as folder:
        process = subprocess.Popen(
            [*command, "--frontend-port", port, "--backend-port", port], cwd=folder, env=environment
        )
        threading.Thread(target=server.announce, args=(host, settings.port, when_ready), daemon=True).start()
        try:
            process.wait()
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
