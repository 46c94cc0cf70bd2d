"""Stripe's own command line tool: fetched once from the npm registry, kept in var/, and kept away from the internet.

Its wrapper package `@stripe/cli` only chooses a package with the program for the machine; that one is fetched directly.
Decision 9 says why.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import platform
import socketserver
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from billing_app.launcher.single import alone
from billing_app.locations import ROOT
from tests.support.patience import PATIENCE_SECONDS

VERSION = "1.52.0"

DIGESTS = {"linux-x64": "q5x2AIP0ZSujN7iJNIdSPerRfQ/08OTWw9ukhCyxvlo2JAfu6xf8cIGhyDv6vZsQuoh4cn3c2tNJ0J+oY+Z37Q=="}
"""SHA-512 of the packages that were looked at; npm itself holds any package against the registry's."""

SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
MACHINES = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}

FETCH_SECONDS = 120
RUN_SECONDS = PATIENCE_SECONDS


class NotToBeHad(Exception):
    """Why this machine has no Stripe CLI."""


@functools.lru_cache(maxsize=1)
def program() -> Path:
    """The program, fetched if it is not there. Raises NotToBeHad; AssertionError if it is not what was looked at."""
    kind = f"{SYSTEMS.get(platform.system())}-{MACHINES.get(platform.machine())}"
    if "None" in kind:
        raise NotToBeHad(f"Stripe publishes no CLI for {platform.system()} on {platform.machine()}")
    folder = ROOT / "var" / "stripe-cli"
    wanted = folder / f"{VERSION}-{kind}" / "stripe"
    if not wanted.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder / "fetching"), tempfile.TemporaryDirectory(dir=folder) as draft:
            if not wanted.exists():
                _fetch(kind, Path(draft)).rename(wanted.parent)
    return wanted


def _fetch(kind: str, draft: Path) -> Path:
    npm = Path(sys.executable).parent / "npm"
    command = [npm, "pack", f"@stripe/cli-{kind}@{VERSION}", "--pack-destination", draft, "--silent"]
    search = f"{npm.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        command, env=os.environ | {"PATH": search}, capture_output=True, timeout=FETCH_SECONDS, check=False
    )
    packages = list(draft.glob("*.tgz"))
    if done.returncode != 0 or len(packages) != 1:
        raise NotToBeHad(f"npm could not fetch @stripe/cli-{kind} {VERSION} from its registry")
    digest = base64.b64encode(hashlib.sha512(packages[0].read_bytes()).digest()).decode()
    assert DIGESTS.get(kind, digest) == digest, "the package is not the one that was looked at"
    folder = draft / "program"
    with tarfile.open(packages[0]) as archive:
        member = archive.getmember("package/bin/stripe")
        member.name = "stripe"
        archive.extract(member, folder, filter="data")
    return folder


@contextmanager
def closed_door() -> Generator[tuple[str, list[str]]]:
    """A proxy that lets nobody out, and the hosts that were asked for."""
    asked: list[str] = []

    class Door(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline(1000).decode(errors="replace").split()[1])
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class StripeCli:
    """Runs the program against one account of the fake Stripe, with nothing else of this machine in its environment."""

    executable: Path
    home: Path
    api_base: str
    key: str
    door: str

    def run(self, *arguments: str) -> str:
        """One command's output. Fails the test if it fails."""
        done = self.attempt(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command, whatever comes of it."""
        environment = {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home),
            "STRIPE_API_KEY": self.key,
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            "STRIPE_CLI_NO_PLUGIN_AUTO_INSTALL": "1",
            # What it wants outside of this machine, it asks here; the fake Stripe it asks directly.
            "HTTP_PROXY": self.door,
            "HTTPS_PROXY": self.door,
            "NO_PROXY": "127.0.0.1",
        }
        return subprocess.run(
            [self.executable, *arguments, "--api-base", self.api_base, "--color", "off"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
