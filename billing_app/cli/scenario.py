"""`billing scenario`: play scenario files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from billing_app.scenarios import databases, document
from billing_app.scenarios.document import ScenarioInvalidError
from billing_app.scenarios.player import Player

FAILED = 1
INVALID = 2
"""The exit code where a file is not a scenario, whatever became of the others."""


def _address(url: str) -> str:
    """The address of a database that scenarios can be played on. It may hold a password, so nothing repeats it."""
    try:
        known = make_url(url).get_backend_name() in ("sqlite", "postgresql", "postgres")
    except ArgumentError:
        known = False
    if not known:
        raise typer.BadParameter("write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
    return url


def scenario(
    files: Annotated[list[Path], typer.Argument(help="scenario files")],
    database_url: Annotated[
        str, typer.Option(help="run on this database instead of one in memory", callback=_address)
    ] = "sqlite://",
    as_json: Annotated[
        bool, typer.Option("--json", help="print the final state: an object for one file, a list of them for several")
    ] = False,
) -> None:
    """Play scenario files, each on a fresh database. One line per failed expectation, nothing where all are met.

    Exit 1 if any failed, 2 if a file is not a scenario; the others still run.

    Example: billing scenario tests/scenarios/*.json
    """
    states: list[dict[str, Any]] = []
    worst = 0
    for file in files:
        try:
            played = document.read(file)
        except ScenarioInvalidError as error:
            states.append({"file": str(file), "name": "", "failures": [*error.mistakes], "state": {}})
            worst = INVALID
            for line in error.mistakes:
                typer.echo(line, err=True)
            continue
        states.append(_play(file, played, database_url, with_state=as_json))
        for line in states[-1]["failures"]:
            worst = max(worst, FAILED)
            if not as_json:
                typer.echo(line)
    if as_json:
        typer.echo(json.dumps(states if len(states) > 1 else states[0], indent=1, default=_as_text))
    elif sys.stderr.isatty():  # a person wants to see that something happened; a program has the exit code
        typer.echo(f"{sum(not each['failures'] for each in states)} of {len(files)} scenarios passed.", err=True)
    if worst:
        raise typer.Exit(worst)


def _play(file: Path, played: document.Scenario, database_url: str, *, with_state: bool) -> dict[str, Any]:
    """What one file came to: its name, a line for each expectation that was not met, and how every metric stands."""
    with databases.fresh(database_url) as database:
        player = Player(played, database)
        failures = [f"{file}: {line}" for line in player.play()]
        state = player.state() if with_state else {}
    return {"file": str(file), "name": played.name, "failures": failures, "state": state}


def _as_text(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z")
