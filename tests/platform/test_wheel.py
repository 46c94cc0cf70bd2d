"""The console as others install it: from wheels, into an environment of its own, in a folder with nothing in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from billing_app.launcher.ports import free_port
from billing_app.launcher.server import wait_until_answers
from billing_app.locations import ROOT
from tests import loopback
from tests.support.console import STARTS_SECONDS
from tests.support.patience import PATIENCE_SECONDS

FAKE_STRIPE = ROOT / "packages" / "fake_stripe"

NODE = ("node", "npm")
"""Programs of the locked dependencies that a real installation would have in its environment."""

PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both, built without a network."""
    folder = tmp_path_factory.mktemp("wheels")
    build = [*PIP, "wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", folder]
    subprocess.run([*build, ROOT, FAKE_STRIPE], check=True)
    return {file.name.partition("-")[0]: file for file in folder.iterdir()}


class Installed:
    """An environment that has the locked dependencies of this one, and of our own only what is installed into it."""

    def __init__(self, folder: Path) -> None:
        """Makes it in `folder`."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        self.programs = folder / "bin"
        self.packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
        # A folder named in a .pth file is searched, but the .pth files in it, which lead to the checkout, are not read.
        (self.packages / "locked.pth").write_text(sysconfig.get_path("purelib"))
        for name in NODE:
            (self.programs / name).symlink_to(Path(sys.executable).parent / name)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("BILLING_")}
        self.environment["BILLING_METRICS_PORT"] = "0"
        for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
            self.environment.pop(name, None)

    def add(self, wheel: Path) -> None:
        """Installs a wheel."""
        install = ["install", "--no-index", "--no-deps", wheel]
        subprocess.run([*PIP, "--python", self.programs / "python", *install], check=True)

    def remove(self, package: str) -> None:
        """Leaves it out, as somebody may who repackages us."""
        shutil.rmtree(self.packages / package)

    def files(self) -> set[str]:
        """What is in it, but for what Python keeps of modules that it has read."""
        found = {str(file.relative_to(self.packages)) for file in self.packages.rglob("*")}
        return {file for file in found if "__pycache__" not in file}

    def run(self, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command that ends."""
        return subprocess.run(
            [self.programs / "billing", *arguments],
            cwd=folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    @contextmanager
    def serving(self, folder: Path, port: int, *arguments: str, **environment: str) -> Generator[Path]:
        """A command that goes on until it is interrupted; gives the file of what it says."""
        said = folder.with_name(f"{folder.name}.said")
        with (
            said.open("wb") as output,
            subprocess.Popen(
                [self.programs / "billing", *arguments],
                cwd=folder,
                env=self.environment | environment,
                stdout=output,
                stderr=output,
            ) as process,
        ):
            try:
                assert wait_until_answers("127.0.0.1", port, "/ping", STARTS_SECONDS, process.poll), said.read_text()
                for path in ("/sign-in", "/api/v1/plans", "/readyz", "/billing.css", "/favicon.svg"):
                    assert loopback.get(f"http://127.0.0.1:{port}{path}").status_code == 200, path
                yield said
                process.send_signal(signal.SIGINT)
                assert process.wait(PATIENCE_SECONDS) == 0
            finally:
                process.kill()


def empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_wheels_carry_everything_and_nothing_of_the_other(wheels: dict[str, Path]) -> None:
    inside = {name: set(zipfile.ZipFile(file).namelist()) for name, file in wheels.items()}
    console, fake = inside["billing_console"], inside["fake_stripe"]
    carried = [ROOT / name for name in ("plans.json", "rxconfig.py", "alembic.ini")]
    carried += [*(ROOT / "assets").glob("*.*"), *(ROOT / "reflex.lock").iterdir(), *(ROOT / "migrations").rglob("*.py")]
    assert {f"billing_app/project/{file.relative_to(ROOT)}" for file in carried} <= console
    folders = {name.partition("/")[0] for name in console}
    assert folders == {"billing_app", "billing_console-0.1.0.dist-info"}
    assert {name.partition("/")[0] for name in fake} == {"fake_stripe", "fake_stripe-0.1.0.dist-info"}
    assert {"fake_stripe/pages/style.css", "fake_stripe/pages/icon.svg"} <= fake
    for name, files in inside.items():
        assert [file for file in files if "__pycache__" in file or "/external/" in file] == []
        assert any(file.endswith("licenses/LICENSE") for file in files), name
    assert any(file.endswith("SECURITY.md") for file in console)
    assert (ROOT / "LICENSE").read_bytes() == (FAKE_STRIPE / "LICENSE").read_bytes()


def test_an_installed_console_runs_and_serves_in_an_empty_folder(wheels: dict[str, Path], tmp_path: Path) -> None:
    """One test, because it takes the time of one build of the pages, which its parts share."""
    installed = Installed(tmp_path / "environment")
    installed.add(wheels["billing_console"])
    installed.add(wheels["fake_stripe"])
    before = installed.files()
    here = empty(tmp_path / "here")
    assert installed.run(here, "--version").stdout == "billing 0.1.0\n"
    assert names(here) == set()

    # With the fake Stripe it is the demo. Settings, data and pages are in the folder in which it is started.
    port = free_port()
    (here / ".env").write_text(f"PORT={port}\n")
    with installed.serving(here, port, "run") as said:
        assert "Building the pages" in said.read_text()
        assert loopback.get(f"http://127.0.0.1:{port}/_sandbox/").status_code == 200
        listed = installed.run(here, "--demo", "organization", "list", "--json")
        assert "larkfield" in listed.stdout, listed.stderr
    assert names(here) == {".env", ".pages", ".web", "var"}
    assert {"demo.db", "demo-sandbox.db", "console.log"} <= names(here / "var")

    # Without, it starts without the demo, and says what is missing. The pages are there.
    installed.remove("fake_stripe")
    with installed.serving(here, port, "run") as said:
        (missing,) = [line for line in said.read_text().splitlines() if "fake Stripe" in line]
        assert missing.startswith("The console starts without the demo: the fake Stripe is not installed: install ")
        assert "Building the pages" not in said.read_text()
        assert loopback.get(f"http://127.0.0.1:{port}/_sandbox/").status_code == 404
    assert "billing.db" in names(here / "var")
    refused = installed.run(here, "fake-stripe")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert refused.stderr.startswith("The fake Stripe is not installed")

    # For real use it needs neither that nor the demo. Everything is where BILLING_HOME says.
    installed.remove("billing_app/demo")
    home, elsewhere, port = empty(tmp_path / "home"), empty(tmp_path / "elsewhere"), free_port()
    (home / ".env").write_text(f"PORT={port}\nBILLING_DATABASE_URL=sqlite:///data/own.db\n")
    shutil.copytree(here / ".pages", home / ".pages", symlinks=True)
    with installed.serving(elsewhere, port, "serve", BILLING_HOME=str(home)):
        listed = installed.run(elsewhere, "catalogue", "versions", BILLING_HOME=str(home))
        assert listed.returncode == 0, listed.stderr
    assert names(elsewhere) == set()
    assert names(home) == {".env", ".pages", "data", "var"}
    assert "own.db" in names(home / "data")

    # Where the packages are, nothing was written.
    assert installed.files() <= before
