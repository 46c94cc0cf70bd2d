"""`billing catalogue`: check, show and load plans.json; its versions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing_app import clock
from billing_app.cli.printing import ACTOR, AsJson, number, print_json
from billing_app.domain.catalogue import (
    Catalog,
    CatalogChange,
    CatalogInvalidError,
    ChangeKind,
    parse_catalog,
    to_document,
    to_json,
)
from billing_app.services.catalogue import files
from billing_app.services.common.months import rfc3339
from billing_app.settings import settings

if TYPE_CHECKING:
    from billing_app.services.catalogue.versions import LoadResult

# A file is checked and shown without a database: what one needs is imported where it is used.

app = typer.Typer(no_args_is_help=True)

WRONG = 1
"""The exit code for a catalogue with mistakes."""

MAX_VALUE_LENGTH = 60
"""How much of a value a line of the diff shows."""

SIGNS = {ChangeKind.ADDED: "+", ChangeKind.REMOVED: "-", ChangeKind.CHANGED: "~", ChangeKind.REORDERED: "~"}

Address = Annotated[str, typer.Option("--database", help="another database than BILLING_DATABASE_URL's")]
File = Annotated[Path | None, typer.Argument(help="a catalogue; default: BILLING_CATALOGUE_FILE, plans.json")]


@app.command()
def check(file: File = None, as_json: AsJson = False) -> None:
    """Say whether a catalogue is sound, or list every mistake with its place. Needs no database.

    Example: billing catalogue check plans.json
    """
    path = file or settings().catalogue_file
    if as_json:
        _tell_mistakes(path)
        return
    catalog = _read(path)
    counts = (
        (len(catalog.metrics), "metric"),
        (len(catalog.plans), "plan"),
        (len(catalog.packs), "pack"),
        (len(catalog.actions), "action"),
    )
    print(f"{path.name} is sound: {', '.join(_counted(number, noun) for number, noun in counts)}.")


@app.command()
def show(
    file: Annotated[Path | None, typer.Argument(help="show this file instead of the catalogue in force")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the document, as plans.json has it")] = False,
    database: Address = "",
) -> None:
    """Show plans side by side, packs with their unit prices, and token rates.

    Example: billing catalogue show --json > plans.json
    """
    catalog = _read(file) if file is not None else _in_force(database)
    if as_json:
        print(to_json(catalog), end="")
        return
    from rich.console import Console

    from billing_app.cli.catalogue_tables import packs_table, plans_table, rates_table

    console = Console()
    for table in (plans_table(catalog), packs_table(catalog), rates_table(catalog)):
        console.print(table)


@app.command()
def load(
    file: File = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show what would change")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="also undo what was edited on the pages since")] = False,
    database: Address = "",
    as_json: AsJson = False,
) -> None:
    """Show what a file changes, and make it the catalogue from now on.

    Plans and packs in use that the file drops stay as retired. What has been used keeps its aggregation and unit.

    Example: billing catalogue load plans.json --dry-run
    """
    from billing_app import wiring
    from billing_app.services.catalogue import versions as catalogues

    path = file or settings().catalogue_file
    opened = wiring.existing(database or settings().database_url)
    try:
        document = files.read_document(path)
        if dry_run:
            with opened.reading() as session:
                result = catalogues.preview(session, document, clock.now(), path.name, replace=replace)
        else:
            with opened.writing() as session:
                result = catalogues.load(session, document, clock.now(), path.name, replace=replace)
    except CatalogInvalidError as error:
        raise _told(error) from None
    finally:
        opened.close()
    if as_json:
        print_json({**asdict(result), "dry_run": dry_run})
    else:
        _tell(path.name, result, dry_run=dry_run)


@app.command()
def versions(
    limit: Annotated[int, number("how many, the newest first", least=1, most=10_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List the versions of the catalogue and what each changed.

    Example: billing catalogue versions --limit 5
    """
    from billing_app import wiring
    from billing_app.services.operators import catalogue_edits

    with wiring.database().reading() as session:
        found = catalogue_edits.versions(session, clock.now(), limit)
    if as_json:
        print_json({"items": [asdict(each) for each in found]})
        return
    from rich.console import Console
    from rich.markup import escape

    console = Console(soft_wrap=True, highlight=False)
    for each in found:
        corrects = f", corrects version {each.corrects}" if each.corrects else ""
        console.print(f"[bold]{each.version}[/bold] {rfc3339(each.effective_at)} {escape(each.source)}{corrects}")
        for line in _diff(each.changes):
            console.print(escape(f"  {line}"))


@app.command()
def restore(
    version: Annotated[int, number("its number, as `billing catalogue versions` shows it", "number")],
    as_json: AsJson = False,
) -> None:
    """Make an earlier version the catalogue from now on.

    Example: billing catalogue restore 3
    """
    from billing_app import wiring
    from billing_app.services.operators import catalogue_edits

    with wiring.database().writing() as session:
        document = to_document(catalogue_edits.of_number(session, version))
        head, _ = catalogue_edits.editing(session, clock.now())
        result = catalogue_edits.save(session, document, clock.now(), based_on=head.version, actor=ACTOR)
    if as_json:
        print_json(asdict(result))
    else:
        _tell(f"version {version}", result, dry_run=False)


def _read(path: Path) -> Catalog:
    """The catalogue of a file; its mistakes are listed and end the command."""
    try:
        return parse_catalog(files.read_document(path), path.name)
    except CatalogInvalidError as error:
        raise _told(error) from None


def _tell_mistakes(path: Path) -> None:
    """Whether a file is sound, as JSON; exit 1 if it is not."""
    try:
        found = files.mistakes(files.read_document(path))
    except CatalogInvalidError as error:
        found = error.mistakes
    print_json({"sound": not found, "mistakes": [asdict(mistake) for mistake in found]})
    if found:
        raise typer.Exit(WRONG)


def _in_force(address: str) -> Catalog:
    from billing_app import wiring
    from billing_app.services.catalogue import versions
    from billing_app.services.payments import stripe_names

    opened = wiring.existing(address or settings().database_url)
    try:
        with opened.reading() as session:
            return stripe_names.named(session, versions.current(session, clock.now()))
    finally:
        opened.close()


def _told(error: CatalogInvalidError) -> typer.Exit:
    """Lists every mistake on stderr, a line each."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    for mistake in error.mistakes:
        console.print(f"[bold]{escape(mistake.place)}[/bold]: {escape(mistake.message)}")
    console.print(f"{_counted(len(error.mistakes), 'mistake')}.")
    return typer.Exit(WRONG)


def _tell(name: str, result: LoadResult, *, dry_run: bool) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(soft_wrap=True, highlight=False)
    for line in _diff(result.changes):
        console.print(escape(line))
    for path in result.kept:
        console.print(f"{escape(path)} is in use: it stays, retired.")
    if result.edits_kept:
        print(f"{name} has not changed since it was loaded; what was edited on the pages since stays.")
    elif result.written:
        print(f"Loaded {name} as version {result.version}.")
    elif dry_run and result.version is None:
        print(f"{name} would be the first version.")
    elif dry_run and result.changes:
        print(f"{_counted(len(result.changes), 'change')}; nothing was written.")
    else:
        print(f"Nothing changes: version {result.version} says the same.")


def _diff(found: Iterable[CatalogChange]) -> Iterable[str]:
    for change in found:
        line = f"{SIGNS[change.kind]} {change.path}"
        if change.kind in (ChangeKind.CHANGED, ChangeKind.REORDERED):
            line += f": {_short(change.before)} → {_short(change.after)}"
        yield line


def _short(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= MAX_VALUE_LENGTH else written[: MAX_VALUE_LENGTH - 1] + "…"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
