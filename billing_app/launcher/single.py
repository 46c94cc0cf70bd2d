"""One at a time: one console per SQLite file, no reset under a running one, one build of the pages."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from billing_app import private_files
from billing_app.domain.common.errors import ConflictError

try:
    import fcntl
except ImportError:  # Windows has no flock; there the port alone keeps a second console away.
    fcntl = None  # type: ignore[assignment]


@contextmanager
def only_console(database: Path) -> Generator[None]:
    """Holds the database for this process; the system lets go of it however the process ends.

    It is held twice: by a file beside it, wherever a path through links leads, and by what the system calls the file
    itself, which has as many names as it has hard links.
    """
    file = database.resolve()
    private_files.folder(file.parent)
    with ExitStack() as stack:
        descriptors = [stack.enter_context(_opened(file.with_name(f"{file.name}.console")))]
        if fcntl is not None:
            _hold(descriptors[0], database)
            if file.exists():
                descriptors.append(stack.enter_context(_opened(_by_number(file))))
                _hold(descriptors[1], database)
        yield


def _hold(descriptor: int, database: Path) -> None:
    assert fcntl is not None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
        raise ConflictError(f"A console already runs with {database} (process {holder}): stop it first.") from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())


def _by_number(file: Path) -> Path:
    """A file of this user's own that stands for the file with this number, whatever it is called.

    Not a lock on the database itself: some systems confuse it with SQLite's own.
    """
    folder = Path(tempfile.gettempdir()) / f"billing-consoles-{os.getuid()}"
    folder.mkdir(private_files.FOLDER_MODE, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ConflictError(f"{folder} belongs to somebody else: remove it, or name another folder in TMPDIR.")
    number = file.stat()
    return folder / f"{number.st_dev}-{number.st_ino}"


@contextmanager
def alone(file: Path) -> Generator[None]:
    """Waits until no other process is inside."""
    with _opened(file) as descriptor:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(file: Path) -> Generator[int]:
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR, private_files.FILE_MODE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
