"""`billing usage import` and `billing history`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from itertools import dropwhile
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from billing_app import clock, wiring
from billing_app.cli.printing import moment
from billing_app.domain.catalogue import Metric
from billing_app.domain.catalogue.quantities import format_allowance, format_quantity
from billing_app.domain.credits.accounts import Month
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.common.months import month_label, rfc3339
from billing_app.services.credits import history as histories
from billing_app.services.operators import imports

app = typer.Typer(no_args_is_help=True)

SHOWN_BAD_ROWS = 50
"""Bad rows that are printed one by one; the others are counted."""


@app.callback()
def usage() -> None:
    """Import usage."""


@app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(help="CSV (organization,id,metric,quantity,subject,at) or lines of JSON; may be gzipped"),
    ],
    backfill: Annotated[bool, typer.Option(help="accept usage of any age")] = False,
    create_organizations: Annotated[bool, typer.Option(help="make organizations that do not exist")] = False,
    plan: Annotated[str, typer.Option(help="plan of those organizations; default: the default plan")] = "",
    anchor: Annotated[str, typer.Option(help="start of their periods; default: the month of their first event")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print the outcome as JSON")] = False,
) -> None:
    """Import usage from a CSV file, or from lines of JSON. Importing it again changes nothing.

    Example: billing usage import usage.csv.gz --backfill --create-organizations --plan free
    """
    if (plan or anchor) and not create_organizations:
        raise typer.BadParameter("--plan and --anchor are of organizations that --create-organizations makes.")
    database = wiring.database()
    create = None
    if create_organizations:
        with database.reading() as session:
            chosen = plan or versions.current(session, clock.now()).default_plan.id
        create = imports.NewOrganizations(chosen, moment(anchor))
    size = file.stat().st_size if file.exists() else 0
    with _progress(quiet=as_json) as bar:
        task = bar.add_task(file.name, total=size)
        outcome = imports.import_usage(
            file,
            database.writing,
            clock.now,
            backfill=backfill,
            create=create,
            progress=lambda done: bar.update(task, completed=min(done, size)),
        )
    _print_outcome(outcome, as_json)
    if outcome.bad:
        raise typer.Exit(1)


def _progress(*, quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=quiet)


def _print_outcome(outcome: imports.Imported, as_json: bool) -> None:
    if as_json:
        bad = [{"line": row.line, "code": row.code, "detail": row.detail} for row in outcome.bad]
        print(
            json.dumps(
                {"rows": outcome.rows, "accepted": outcome.accepted, "duplicates": outcome.duplicates,
                 "created": outcome.created, "rejected": bad},
                indent=1,
            )
        )  # fmt: skip
        return
    for row in outcome.bad[:SHOWN_BAD_ROWS]:
        typer.echo(f"line {row.line}: {row.code}: {row.detail}", err=True)
    if len(outcome.bad) > SHOWN_BAD_ROWS:
        typer.echo(f"... and {len(outcome.bad) - SHOWN_BAD_ROWS} more", err=True)
    if outcome.created:
        print(f"{len(outcome.created)} organizations made: {', '.join(outcome.created)}")
    refused = f"{len(outcome.bad)} refused."
    print(f"{outcome.rows} rows: {outcome.accepted} recorded, {outcome.duplicates} known before, {refused}")


def history(
    address: Annotated[str, typer.Argument(help="the organization's address")],
    to: Annotated[str, typer.Option(help="an earlier end (exclusive), such as 2013-04-01T00:00:00Z")] = "",
    metric: Annotated[str, typer.Option(help="one metric only")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Show an organization's usage and credits month by month.

    Example: billing history meridian --to 2026-01-01T00:00:00Z --json
    """
    with wiring.database().reading() as session:
        organization = organizations.by_address(session, address)
        found = histories.history(Context(session, organization, clock.now()), to=moment(to), metric=metric or None)
        metrics = {each.id: each for each in versions.current(session, clock.now()).metrics}
    if as_json:
        items = [asdict(each) for each in histories.as_items(found)]
        print(json.dumps({"organization": address, "items": items}, indent=1, default=rfc3339))
    else:
        _print_history(found, metrics)


COLUMNS: dict[str, Callable[[Month], int]] = {
    "Used": lambda month: month.used,
    "By plan": lambda month: month.covered,
    "Credits": lambda month: month.burned,
    "Uncovered": lambda month: month.uncovered,
    "Deficit": lambda month: month.deficit,
    "Granted": lambda month: month.granted,
    "Expired": lambda month: month.expired,
    "Balance": lambda month: month.balance,
}
"""What the table shows; a column of zeros is left out, so that it fits a terminal."""


def _print_history(found: list[histories.MetricHistory], metrics: dict[str, Metric]) -> None:
    """A table per metric in its display unit; months before anything happened are left out."""
    console = Console()
    for each in found:
        metric = metrics[each.metric]
        months = list(dropwhile(lambda month: not any(read(month) for read in COLUMNS.values()), each.months))
        if not months:
            console.print(f"{metric.name}: nothing used or granted\n")
            continue
        shown = {heading: read for heading, read in COLUMNS.items() if any(read(month) for month in months)}
        table = Table(title=metric.name, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("Month", no_wrap=True)
        for heading in (*shown, "Included"):
            table.add_column(heading, justify="right", no_wrap=True)
        for month in months:
            figures = [format_quantity(read(month), metric) for read in shown.values()]
            table.add_row(month_label(month.period), *figures, format_allowance(month.allowance, metric))
        console.print(table)
