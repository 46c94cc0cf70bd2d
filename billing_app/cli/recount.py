"""`billing recount` and `billing verify`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from billing_app import clock, wiring
from billing_app.jobs import recount as job
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.verification import verification


def recount(as_json: Annotated[bool, typer.Option("--json", help="print the outcome as JSON")] = False) -> None:
    """Bring every organization's ledger up to date now. One run at a time: a second one waits.

    Example: billing recount
    """
    with _spinner("organizations recounted", quiet=as_json) as (bar, task):
        outcome = job.recount(wiring.database(), "demand", progress=lambda seen: bar.update(task, completed=seen))
    if as_json:
        print(json.dumps(asdict(outcome)))
    else:
        print(
            f"{outcome.organizations_seen} organizations checked, {outcome.organizations_changed} changed, "
            f"{outcome.entries} ledger entries written."
        )
        if outcome.repaired:
            print(f"{outcome.repaired} of them were put right after a clock that was ahead: see `billing verify`.")


def verify(
    address: Annotated[str, typer.Argument(help="one organization only")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print the differences as JSON")] = False,
) -> None:
    """Recompute everything from grants and raw usage, and report every difference; exit 1 on any.

    Example: billing verify
    """
    database = wiring.database()
    with database.reading() as session:
        addresses = [address] if address else verification.organizations(session)
    found: list[verification.Difference] = []
    with _spinner("organizations verified", quiet=as_json) as (bar, task):
        for done, each in enumerate(addresses, start=1):
            with database.reading() as session:
                found += verification.verify(Context(session, organizations.by_address(session, each), clock.now()))
            bar.update(task, completed=done)
    if as_json:
        print(json.dumps({"organizations": len(addresses), "differences": [asdict(each) for each in found]}, indent=1))
    else:
        for difference in found:
            print(difference)
        print(f"{len(addresses)} organizations verified, {len(found)} differences.")
    if found:
        raise typer.Exit(1)


class _spinner:
    """A progress line on stderr that counts, where a person sees it."""

    def __init__(self, what: str, *, quiet: bool) -> None:
        self.bar: Any = _Unseen()
        if not quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn

            columns = (SpinnerColumn(), TextColumn("{task.completed} " + what))
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)

    def __enter__(self) -> tuple[Any, Any]:
        self.bar.start()
        return self.bar, self.bar.add_task("", total=None)

    def __exit__(self, *_error: object) -> None:
        self.bar.stop()


class _Unseen:
    """A bar that nobody sees."""

    def start(self) -> None:
        """Shows nothing."""

    stop = start

    def add_task(self, _description: str, **_more: object) -> int:
        """Of one task."""
        return 0

    def update(self, _task: int, **_more: object) -> None:
        """Shows nothing."""
