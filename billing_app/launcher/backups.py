"""Consistent copies of the database, made while it is in use."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from billing_app.db import Database
from billing_app.domain.errors import ConflictError, UnavailableError
from billing_app.settings import ROOT

FOLDER = ROOT / "var" / "backups"


def default_target(database: Database, now: datetime) -> Path:
    """A file named by the moment, so that backups sort by age."""
    suffix = "db" if database.sqlite else "dump"
    return FOLDER / f"billing-{now:%Y%m%dT%H%M%SZ}.{suffix}"


def write(database: Database, target: Path) -> Path:
    """Copies the database to `target`, which must not exist: a backup never replaces another."""
    if target.exists():
        raise ConflictError(f"{target} exists already; a backup never replaces another. Name a new file.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # A backup holds everything that the database holds: only its owner reads it.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise UnavailableError(f"{target} cannot be written: {error.strerror}.") from None
    try:
        _vacuum_into(database, target) if database.sqlite else _dump(database, target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def _vacuum_into(database: Database, target: Path) -> None:
    """SQLite's own consistent copy: one read transaction, written compactly (it accepts an empty file as target)."""
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("VACUUM INTO ?", (str(target),))


def _dump(database: Database, target: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise UnavailableError("pg_dump is needed for a PostgreSQL backup: install PostgreSQL's client programs.")
    url = database.url.set(drivername="postgresql")
    with database.reading() as session:
        version = session.connection().execute(text("SHOW server_version")).scalar_one()
    done = subprocess.run(  # our own arguments; the password travels in the environment
        [program, "--format=custom", f"--file={target}", "--dbname", url.set(password=None).render_as_string()],
        env=os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise UnavailableError(f"pg_dump could not copy the database (server {version}): {done.stderr.strip()}")
