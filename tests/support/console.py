"""The served product for tests that look at it from outside: one console with its demo per run, and a real Chromium."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

from billing_app import clock
from billing_app.db import Database
from billing_app.launcher.places import Places
from billing_app.launcher.ports import free_port
from billing_app.launcher.server import wait_until_answers
from billing_app.locations import ROOT
from billing_app.services.access import sessions
from billing_app.store.access import users
from tests.support.patience import PATIENCE_SECONDS

STARTS_SECONDS = 480
"""A first start builds the pages and tells the demo's story, on a machine that runs other tests too."""

CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Where a system's own Chromium may be; Playwright's own download does not work everywhere. The first has no window
around its pages, which nobody sees here: opening a tab takes it a fraction of the time."""

WITHOUT = (
    # Each new window prepares the suggestions under its address bar, which no test has: a second of processor time.
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup",
    # What Playwright leaves out, because of two lists the last one counts.
    "AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter",
    "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)  # fmt: skip
"""What Chromium does for its own window, or for its makers."""

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    f"--disable-features={','.join(WITHOUT)}",
)
"""Containers have no user namespaces, no GPU and a small /dev/shm; and a test asks no other host for anything."""


@dataclass(frozen=True)
class Console:
    """A running console with its demo and its fake Stripe."""

    url: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What makes commands in another terminal act on this console's data."""
        places = Places(self.folder)
        database = places.demo_database if places.demo_database.exists() else places.database
        return os.environ | {"BILLING_DATABASE_URL": f"sqlite:///{database}"}

    def session_of(self, email: str) -> str:
        """The token of a new session of somebody, as signing in makes one, without the quarter of a second that a
        password takes the server: whoever signs in by one is in tests/browser/access."""
        opened = Database(self.environment["BILLING_DATABASE_URL"])
        try:
            with opened.writing() as session:
                user = users.by_email(session, email)
                assert user is not None, email
                return sessions.start(session, user, clock.now()).token
        finally:
            opened.close()

    def billing(self, *arguments: str) -> str:
        """Runs a command in another process, as a person would in another terminal; gives what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "billing_app", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def told_demo(shared: Path, folder: Path) -> None:
    """Copies a demo that has been told into `folder`; the first of a run's processes tells it, in `shared`."""
    with shared.with_name(f"{shared.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            telling = shared.with_name(f"{shared.name}.telling")
            telling.mkdir()
            with running_console(telling):
                pass
            telling.rename(shared)
    of_that_run = shutil.ignore_patterns("*.console", "*.address", "*.log*")
    shutil.copytree(shared, folder, dirs_exist_ok=True, ignore=of_that_run)


@contextmanager
def running_console(folder: Path, *options: str, **settings: str) -> Generator[Console]:
    """Starts `billing run` with its files in `folder`, waits for it, and stops it as Ctrl-C does.

    `settings` are BILLING_... without that prefix, in small letters.
    """
    port = free_port()
    log = folder / "console.log.terminal"
    command = [sys.executable, "-m", "billing_app", "run", "--port", str(port), "--folder", str(folder), *options]
    told = os.environ | {f"BILLING_{name.upper()}": value for name, value in settings.items()}
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=ROOT, env=told, stdout=output, stderr=output) as process,
    ):
        try:
            if not wait_until_answers("127.0.0.1", port, "/ping", STARTS_SECONDS, process.poll):
                pytest.fail(f"the console did not start:\n{log.read_text(errors='replace')[-4000:]}")
            yield Console(f"http://127.0.0.1:{port}", folder)
        finally:
            process.terminate()


def launch_chromium(playwright: Playwright) -> Browser:
    """The system's Chromium; without one CI fails and a developer's run skips."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        absent = "browser tests need a Chromium: install Debian's package chromium-headless-shell"
        if os.environ.get("CI"):
            pytest.fail(absent)
        pytest.skip(absent)
    return playwright.chromium.launch(executable_path=found, args=list(FLAGS))
