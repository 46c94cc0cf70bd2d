"""`billing scenario`: play scenario files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from billing_app.scenarios import databases, document
from billing_app.scenarios.player import Player


def scenario(
    files: Annotated[list[Path], typer.Argument(help="scenario files")],
    database_url: Annotated[str, typer.Option(help="play on this database instead of one in memory")] = "sqlite://",
    as_json: Annotated[bool, typer.Option("--json", help="print the final state of each file")] = False,
) -> None:
    """Play scenario files, each on a fresh database; one line per failed expectation, exit 1 if any failed.

    Example: billing scenario tests/scenarios/*.json
    """
    failed = 0
    states: list[dict[str, Any]] = []
    for file in files:
        played = document.read(file)
        with databases.fresh(database_url) as database:
            player = Player(played, database)
            failures = player.play()
            if as_json:
                states.append({"file": str(file), "name": played.name, "failures": failures, "state": player.state()})
        for line in failures:
            typer.echo(f"{file.name}: {line}", err=as_json)
        failed += bool(failures)
    if as_json:
        typer.echo(json.dumps(states if len(states) > 1 else states[0], indent=1, default=_as_text))
    else:
        typer.echo(f"{len(files) - failed} of {len(files)} scenarios passed.")
    if failed:
        raise typer.Exit(1)


def _as_text(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z")
