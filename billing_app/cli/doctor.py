"""`billing doctor`: what is wrong with this installation, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from billing_app.cli.printing import AsJson, print_json
from billing_app.domain.common.errors import UnavailableError
from billing_app.launcher.doctor import Finding, State, examine
from billing_app.locations import VAR
from billing_app.settings import settings


def doctor(
    folder: Annotated[Path, typer.Option(help="where databases and logs lie", show_default="var")] = VAR,
    as_json: AsJson = False,
) -> None:
    """Look at settings, database, Redis, Stripe, mail, files and backups, and say what is wrong and what to do.

    Changes nothing. Exit code 1 when there is a problem; warnings alone are none.

    Example: billing doctor
    """
    try:
        findings = list(examine(settings(), folder.resolve()))
    except UnavailableError as error:
        # Settings of a wrong form: nothing else can be looked at.
        findings = [Finding("settings", State.PROBLEM, error.detail)]
    problems = sum(each.state is State.PROBLEM for each in findings)
    if as_json:
        print_json({"sound": not problems, "findings": [asdict(each) for each in findings]})
    else:
        for each in findings:
            print(f"{each.state:8} {each.subject}: {each.sentence}")
    raise typer.Exit(1 if problems else 0)
