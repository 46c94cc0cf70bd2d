"""The command `billing`: every name leads somewhere, and asking for help waits for nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from billing_app.cli import COMMANDS, main
from billing_app.locations import ROOT

HEAVY = ("sqlalchemy", "sqlmodel", "pandas", "reflex", "fastapi", "stripe")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert f"Usage: billing {name}" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from billing_app.cli import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: print('loaded:', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["nonsense"])
    assert stop.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
