"""What each web process runs: the composed app, ended with the process that started it."""

from __future__ import annotations

import gc
import os
import sys

from starlette.types import ASGIApp

from billing_app.launcher import logs
from billing_app.launcher.children import end_with

SWITCH_SECONDS = 0.001
"""How long a thread that computes keeps Python from one that has to answer (5 ms unless it is said): a check takes its
turn among pages and reports several times."""


def create() -> ASGIApp:
    """The whole product as one ASGI app: pages, API, websocket and jobs."""
    end_with(os.getppid())
    # Reflex looks for rxconfig.py and assets where it runs: finished pages have both (launcher/frontend.py).
    os.chdir(os.environ["REFLEX_WEB_WORKDIR"])

    sys.setswitchinterval(SWITCH_SECONDS)

    logs.configure()

    # Of what is imported nothing is garbage, and all of it stays: looking for some took a tenth of the start, and every
    # later look went through it, while nobody was answered.
    gc.disable()
    from billing_app.billing_app import app

    made = app()
    gc.freeze()
    gc.enable()
    return made
