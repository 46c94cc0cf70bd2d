"""`billing demo`: the demo's data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_app.cli.printing import AsJson, print_done
from billing_app.launcher import demo
from billing_app.launcher.places import Places
from billing_app.locations import VAR

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _demo() -> None:
    """The demo's data."""


@app.command()
def reset(
    folder: Annotated[Path, typer.Option(help="where the databases lie", show_default="var")] = VAR,
    as_json: AsJson = False,
) -> None:
    """Forget the demo's data and its fake Stripe's; the next start tells the story anew.

    Example: billing demo reset
    """
    forgotten = demo.reset(Places(folder.resolve()))
    sentence = "The demo's data is removed." if forgotten else "There is no demo data."
    print_done({"forgotten": forgotten}, sentence, as_json=as_json)
