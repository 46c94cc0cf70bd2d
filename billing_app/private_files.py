"""Files with data or secrets: only their owner reads them, from the first byte on.

The command `billing` sets the umask for whatever it and its children write; this says so where a file is made,
whoever makes it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700


def opener(path: str, flags: int) -> int:
    """For `open(..., opener=opener)`: a file that is made is made for its owner."""
    return os.open(path, flags, FILE_MODE)


def make(file: Path) -> None:
    """An empty file unless there is one. SQLite gives its log and its index the rights of the database."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
    except FileExistsError:
        return


def write(file: Path, content: str) -> None:
    """A short text, in the place of what was there."""
    with open(file, "w", encoding="utf-8", opener=opener) as opened:  # Path.open takes no opener
        opened.write(content)


def folder(path: Path) -> None:
    """A folder and those above it that are not there."""
    for each in reversed([path, *path.parents]):
        if not each.exists():
            each.mkdir(FOLDER_MODE, exist_ok=True)
    path.mkdir(exist_ok=True)  # says so where it is a file


def readable_by_others(path: Path) -> bool:
    """Whether group or others may do anything with it. Rights of Windows are not looked at."""
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
