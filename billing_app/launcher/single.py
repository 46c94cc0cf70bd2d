"""One at a time: one console per SQLite file, no reset under a running one, one build of the pages."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from billing_app.domain.errors import ConflictError

try:
    import fcntl
except ImportError:  # Windows has no flock; there the port alone keeps a second console away.
    fcntl = None  # type: ignore[assignment]


@contextmanager
def only_console(database: Path) -> Generator[None]:
    """Holds the database for this process; the system lets go of it however the process ends."""
    file = database.with_name(f"{database.name}.console")
    database.parent.mkdir(parents=True, exist_ok=True)
    with _opened(file) as descriptor:
        if fcntl is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
                raise ConflictError(
                    f"A console already runs with {database} (process {holder}): stop it first."
                ) from None
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        yield


@contextmanager
def alone(file: Path) -> Generator[None]:
    """Waits until no other process is inside."""
    with _opened(file) as descriptor:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(file: Path) -> Generator[int]:
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
