"""What an installation without the demo or the fake Stripe is: a console that serves, and a sentence where it cannot.

That an installed console really works without them is in test_wheel.py.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from billing_app.cli import main
from billing_app.launcher import fake_stripe, start
from billing_app.launcher.ports import free_port
from billing_app.locations import ROOT
from tests.support.patience import PATIENCE_SECONDS

SERVED = """
import os, sys
sys.path.insert(0, os.getcwd())
import billing_app.launcher.start, billing_app.launcher.worker, billing_app.billing_app
print(sorted(name for name in sys.modules if name.startswith(("fake_stripe", "billing_app.demo"))))
"""


def test_what_is_served_imports_neither(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr


@pytest.fixture
def without_fake_stripe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_stripe, "MODULE", "fake_stripe_that_nobody_installed")


@pytest.mark.parametrize("name", ["fake-stripe", "sandbox"])
@pytest.mark.usefixtures("without_fake_stripe")
def test_alone_it_has_to_be_there(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([name, "--database", str(tmp_path / "new" / "stripe.db")])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("The fake Stripe is not installed: install the package fake-stripe")
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--demo",), "The console starts without the demo: the fake Stripe is not installed: install"),
        (("--no-demo",), "Nothing can be bought: the fake Stripe is not installed: install"),
    ],
)
@pytest.mark.usefixtures("without_fake_stripe")
def test_without_it_the_console_starts_and_says_so(
    options: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    started: list[start.Start] = []
    monkeypatch.setattr(start, "serve_real", lambda given, fake=None: started.append(given))
    monkeypatch.delenv("BILLING_DATABASE_URL", raising=False)
    with pytest.raises(SystemExit) as stop:
        main(["run", *options, "--folder", str(tmp_path), "--port", str(free_port())])
    assert stop.value.code == 0
    (given,) = started
    assert given.settings.database_url == f"sqlite:///{tmp_path / 'billing.db'}"
    assert not given.settings.selling
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(said)
