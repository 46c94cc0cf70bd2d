"""What web processes log: lines of JSON, with traces but without what was in the variables there."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

from billing_app.launcher.logs import FILE_VARIABLE

BREAKS = """
import logging
from sqlmodel import Session, select
from billing_app.db import Database
from billing_app.launcher import logs
from billing_app.log import get_logger
from billing_app.store.tables.access import User

def sign_in(password, headers):
    with Database("sqlite://").reading() as session:
        session.exec(select(User).where(User.email == "hunter3", User.name == password))

logs.configure()
for say in (get_logger().exception, logging.getLogger("a").exception):
    try:
        sign_in("hunter1", {"cookie": "hunter2"})
    except Exception:
        say("broke")
"""


def test_a_trace_has_no_values_in_it(tmp_path: Path) -> None:
    """Of variables in a frame, or of an SQL statement's parameters: any of them may be a password or a key."""
    file = tmp_path / "log"
    done = subprocess.run(
        [sys.executable, "-c", BREAKS], env={FILE_VARIABLE: str(file)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) == 2
    for line in lines:
        assert line["level"] == logging.getLevelName(logging.ERROR).lower()
        assert "sign_in" in json.dumps(line["exception"]), "where it broke is told"
        assert "no such table" in json.dumps(line["exception"])
    assert "hunter" not in file.read_text().replace('"password"', "")


def test_a_trace_of_a_command_has_none_either() -> None:
    """A command logs to stderr, in lines for people: structlog's own form prints every variable."""
    told = BREAKS.replace("logs.configure()", "from billing_app.cli import _log_apart; _log_apart()")
    told = told.replace(', logging.getLogger("a").exception', ",")
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "sign_in" in done.stderr, "where it broke is told"
    assert "no such table" in done.stderr
    assert "hunter" not in done.stderr
