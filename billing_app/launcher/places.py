"""Where the console keeps its files, and whether it can."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from billing_app import private_files
from billing_app.domain.common.errors import UnavailableError

LEAST_FREE_MB = 100
"""Below this much free space a start is refused: SQLite's log and a backup need room to grow."""


@dataclass(frozen=True)
class Places:
    """The files of one folder, `var/` unless told otherwise. The demo's lie apart from those for real use."""

    folder: Path
    prefix: str = "demo"
    """How the fake Stripe's files begin: one runs beside the demo, another beside an empty console."""

    @property
    def demo_database(self) -> Path:
        """The demo's own database."""
        return self.folder / "demo.db"

    @property
    def fake_stripe_database(self) -> Path:
        """What the fake Stripe remembers."""
        return self.folder / f"{self.prefix}-sandbox.db"

    @property
    def fake_stripe_address(self) -> Path:
        """Where the running fake Stripe listens, for commands in another terminal."""
        return self.folder / f"{self.prefix}-sandbox.address"

    @property
    def console_address(self) -> Path:
        """Where browsers reach the running demo, for the links that commands in another terminal print."""
        return self.folder / "demo-console.address"

    @property
    def demo_keys(self) -> Path:
        """The fake Stripe's key and webhook secret."""
        return self.folder / f"{self.prefix}-keys.json"

    @property
    def without_demo(self) -> Places:
        """The same folder with the files of the fake Stripe that runs beside an empty console."""
        return replace(self, prefix="billing")

    @property
    def database(self) -> Path:
        """The database without the demo."""
        return self.folder / "billing.db"

    def log(self, name: str) -> Path:
        """The file that takes what a child process prints."""
        return self.folder / f"{name}.log"

    def require(self) -> None:
        """Creates the folder, and refuses one that cannot take files."""
        try:
            private_files.folder(self.folder)
            probe = self.folder / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
            free_mb = shutil.disk_usage(self.folder).free // 2**20
        except OSError as error:
            raise UnavailableError(
                f"{self.folder} cannot be written ({error.strerror}): the console keeps its data there. "
                "Free it, or start as a user who may write there."
            ) from None
        if free_mb < LEAST_FREE_MB:
            raise UnavailableError(
                f"Only {free_mb} MB are free where {self.folder} lies; the console needs {LEAST_FREE_MB} MB to start. "
                "Make room first."
            )
