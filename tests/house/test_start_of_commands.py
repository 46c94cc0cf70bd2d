"""What a command imports before it does anything: what it uses, and nothing that only others do.

Importing is most of what a command with little to do costs. No time is asserted; names are.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from billing_app.gateways import tls
from billing_app.locations import PACKAGE
from billing_app.store.tables.base import Table

DATABASES = frozenset({"sqlalchemy", "sqlmodel", "alembic", "psycopg"})
FOR_PEOPLE = frozenset({"rich", "pygments", "structlog"})
OF_THE_CONSOLE = frozenset(
    {"reflex", "fastapi", "starlette", "granian", "uvicorn", "pandas", "numpy", "plotly", "apscheduler", "babel"}
)
OTHER_PROGRAMS = frozenset({"stripe", "httpx", "redis", "pwdlib", "standardwebhooks"})

SAYS_WHAT_IT_IMPORTED = """
import json, os, sys
sys.argv[0] = "billing"
from billing_app.cli import main
try:
    main()
finally:
    roots = sorted({name.partition(".")[0] for name in sys.modules if sys.modules[name] is not None})
    os.write(3, json.dumps(roots).encode())
"""


def imported_by(*command: str, database: Path) -> set[str]:
    """The packages in memory when the command has ended."""
    environment = os.environ | {"BILLING_DATABASE_URL": f"sqlite:///{database}"}
    read, write = os.pipe()
    done = subprocess.run(
        [sys.executable, "-c", f"import os\nos.dup2({write}, 3, inheritable=False)\n{SAYS_WHAT_IT_IMPORTED}", *command],
        pass_fds=[write],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    os.close(write)
    with os.fdopen(read) as told:
        found = told.read()
    assert done.returncode == 0, done.stderr
    return set(json.loads(found))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that is up to date, with the catalogue and nobody in it."""
    file = tmp_path_factory.mktemp("commands") / "billing.db"
    imported_by("recount", "--json", database=file)
    return file


@pytest.mark.parametrize(
    ("command", "without"),
    [
        (("--version",), DATABASES | FOR_PEOPLE | OF_THE_CONSOLE | OTHER_PROGRAMS | {"pydantic"}),
        (("catalogue", "check"), DATABASES | FOR_PEOPLE | OF_THE_CONSOLE | OTHER_PROGRAMS),
        (("catalogue", "show", "plans.json", "--json"), DATABASES | FOR_PEOPLE | OF_THE_CONSOLE | OTHER_PROGRAMS),
        (("recount",), {"alembic", "psycopg"} | FOR_PEOPLE | OF_THE_CONSOLE | OTHER_PROGRAMS),
        (("verify", "--json"), {"alembic", "psycopg"} | FOR_PEOPLE | OF_THE_CONSOLE | OTHER_PROGRAMS),
        (("db", "upgrade"), {"alembic", "psycopg"} | FOR_PEOPLE | OF_THE_CONSOLE | OTHER_PROGRAMS),
        (("organization", "list", "--json"), {"alembic", "psycopg"} | FOR_PEOPLE | OF_THE_CONSOLE | OTHER_PROGRAMS),
        (("user", "list", "--json"), {"alembic", "psycopg"} | FOR_PEOPLE | OF_THE_CONSOLE | OTHER_PROGRAMS),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_imports_what_it_uses(command: tuple[str, ...], without: frozenset[str], database: Path) -> None:
    assert imported_by(*command, database=database) & without == set()


def test_only_the_loggers_own_module_and_its_set_up_import_structlog() -> None:
    """Whoever logs asks billing_app/log.py, which imports it with the first line."""
    found = [
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if re.search(r"^(import|from) structlog", file.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert found == ["launcher/logs.py"]


def test_what_pydantic_would_check_a_row_with_is_made_for_whoever_asks() -> None:
    """Building that is a sixth of the tables' import, and rows come from the code and the database."""

    class Draft(Table):
        name: str

    assert not Draft.__pydantic_complete__
    assert Draft.model_validate({"name": "x"}).name == "x"


def test_certificates_are_read_once_for_every_request_of_a_process() -> None:
    """httpx reads them for each client that is not told: a tenth of a second each."""
    assert tls.context() is tls.context()
    found = re.compile(r"httpx\.(?:post|put|get|Client)\(.*?\n\s*\)", re.DOTALL)
    calls = [call for file in PACKAGE.rglob("*.py") for call in found.findall(file.read_text(encoding="utf-8"))]
    assert len(calls) >= 3
    assert [call for call in calls if "verify=tls.context()" not in call] == []
