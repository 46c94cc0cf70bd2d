"""PostgreSQL's own programs, told by us where the database is: no password is ever among their arguments."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import text

from billing_app.db import Database
from billing_app.domain.common.errors import UnavailableError

DEBIANS = Path("/usr/lib/postgresql")
"""Debian and Ubuntu keep a folder of programs for each version there, and put one of them into PATH."""

SERVICE = "billing"

HERE = f"--dbname=service={SERVICE}"
"""Where the database is, as an argument."""

VERSION = re.compile(r"\(PostgreSQL\)\s+(\d+)")


@dataclass(frozen=True)
class Tools:
    """The programs of one folder, for one database."""

    folder: Path
    environment: dict[str, str]

    def dump(self, target: Path) -> None:
        """Writes pg_dump's custom format, consistent while the database is in use."""
        with self._started("pg_dump", "--format=custom", f"--file={target}", HERE) as program:
            program.finish()

    def replay(self, before: str, source: Path) -> None:
        """Runs the statements `before` and then a dump, in one transaction: all of it, or nothing.

        A dump that breaks off half-way ends psql before it could commit.
        """
        writes = ("pg_restore", "--no-owner", "--no-privileges", "--file=-", str(source))
        reads = ("psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", HERE)
        with self._started(*writes) as script, self._started(*reads, f"--command={before}", "--file=-") as psql:
            try:
                shutil.copyfileobj(script.output, psql.input)
            except BrokenPipeError:
                psql.finish()
            script.finish()
            psql.finish()

    @contextmanager
    def _started(self, name: str, *arguments: str) -> Generator[Program]:
        with (
            tempfile.TemporaryFile() as errors,
            subprocess.Popen(
                [self.folder / name, *arguments],
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            ) as process,
        ):
            try:
                yield Program(name, process, errors)
            finally:
                process.kill()


@dataclass(frozen=True)
class Program:
    """One that runs."""

    name: str
    process: subprocess.Popen[bytes]
    errors: IO[bytes]

    @property
    def input(self) -> IO[bytes]:
        """What it reads."""
        assert self.process.stdin is not None
        return self.process.stdin

    @property
    def output(self) -> IO[bytes]:
        """What it writes."""
        assert self.process.stdout is not None
        return self.process.stdout

    def finish(self) -> None:
        """Ends its input and waits. Raises UnavailableError with its own words when it failed."""
        with suppress(BrokenPipeError):
            self.input.close()
        if self.process.wait() != 0:
            self.errors.seek(0)
            words = self.errors.read().decode(errors="replace").strip()
            raise UnavailableError(f"{self.name} failed, and nothing was changed: {words}")


@contextmanager
def tools_for(database: Database, *programs: str) -> Generator[Tools]:
    """Programs that can speak to the server of `database`. Raises UnavailableError where there are none."""
    with database.reading() as session:
        number = session.connection().execute(text("SHOW server_version_num")).scalar_one()
    server = int(number) // 10_000
    folder = _folder(server, programs)
    with tempfile.TemporaryDirectory(prefix="billing-") as private:
        yield Tools(folder, _environment(database, Path(private)))


def _environment(database: Database, private: Path) -> dict[str, str]:
    """Says where the database is by a file that only we read: arguments are there for everybody who asks for `ps`."""
    _, said = database.engine.dialect.create_connect_args(database.url)
    from psycopg.pq import Conninfo  # who has SQLite does without

    known = {option.keyword.decode() for option in Conninfo.get_defaults()}  # SQLAlchemy adds what is psycopg's own
    password = said.pop("password", None)
    file = private / "service.conf"
    lines = [f"[{SERVICE}]", *(f"{name}={value}" for name, value in said.items() if name in known)]
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as written:
        written.write("\n".join(lines) + "\n")
    environment = os.environ | {"PGSERVICEFILE": str(file)}
    return environment | {"PGPASSWORD": str(password)} if password is not None else environment


def _folder(server: int, programs: tuple[str, ...]) -> Path:
    """The first folder whose programs are not older than the server: older ones refuse it."""
    found = []
    for folder in _folders():
        if all(os.access(folder / program, os.X_OK) for program in programs):
            version = _version(folder / programs[0])
            if version >= server:
                return folder
            found.append(version)
    have = f"those found are of version {max(found)}" if found else "none were found"
    raise UnavailableError(
        f"{' and '.join(programs)} of PostgreSQL {server} or newer are needed, {have}: install PostgreSQL's client "
        f"programs (Debian: postgresql-client-{server}), or put their folder into PATH."
    )


def _folders() -> Iterator[Path]:
    yield from (Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder)
    yield from sorted(DEBIANS.glob("*/bin"))


def _version(program: Path) -> int:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    said = VERSION.search(done.stdout)
    return int(said.group(1)) if said else 0
