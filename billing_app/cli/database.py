"""`billing db`: upgrade, check, back up and restore the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_app import clock, schema, wiring
from billing_app.cli.printing import AsJson, print_done
from billing_app.launcher import backups
from billing_app.settings import settings

app = typer.Typer(no_args_is_help=True)

Address = Annotated[str, typer.Option("--database", help="another database than BILLING_DATABASE_URL's")]


@app.command()
def upgrade(database: Address = "", as_json: AsJson = False) -> None:
    """Bring the database to this program's version.

    Example: billing db upgrade
    """
    opened = wiring.open_database(database or settings().database_url)
    upgraded = schema.upgrade(opened)
    opened.close()
    print_done({"upgraded": upgraded}, "Upgraded." if upgraded else "Already up to date.", as_json=as_json)


@app.command()
def check(database: Address = "", as_json: AsJson = False) -> None:
    """Say whether the database is sound and of this program's version.

    Example: billing db check
    """
    opened = wiring.present(database or settings().database_url)
    schema.require_sound(opened)
    schema.check(opened)
    opened.close()
    print_done({"sound": True}, "Sound, and of this program's version.", as_json=as_json)


@app.command()
def backup(
    target: Annotated[
        Path | None, typer.Argument(help="where to; default: backups/ beside the data, and the moment")
    ] = None,
    database: Address = "",
    as_json: AsJson = False,
) -> None:
    """Write a consistent copy while the console keeps running.

    Example: billing db backup /backups/billing.db
    """
    opened = wiring.present(database or settings().database_url)
    written = backups.write(opened, target or backups.default_target(opened, clock.now()))
    opened.close()
    print_done({"written": str(written)}, f"Written: {written}", as_json=as_json)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="what `billing db backup` wrote")],
    replace: Annotated[bool, typer.Option("--replace", help="what the database holds now is lost")] = False,
    database: Address = "",
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the database, with every console stopped: all of it, or nothing.

    Example: billing db restore /backups/billing.db --replace
    """
    opened = wiring.named(database or settings().database_url)
    backups.restore(opened, source, replace=replace)
    opened.close()
    print_done({"restored": str(source)}, f"Restored from {source}.", as_json=as_json)
