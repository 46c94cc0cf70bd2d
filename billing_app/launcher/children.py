"""Child processes: started, watched, stopped, and gone when their parent is."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from billing_app import private_files

PATIENCE_SECONDS = 5.0
"""How long a child may take to end when asked, before it is killed."""

RESTARTS = 5
"""A child that ends this often within a minute has a lasting fault: it is left alone."""

PARENT_CHECK_SECONDS = 0.5
"""How often a child looks whether its parent is still there."""


class Child:
    """One supervised process: started again when it ends by itself."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        """Starts nothing yet."""
        self.name = name
        self._command = list(command)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._starts: list[float] = []

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts the process, apart from the terminal's Ctrl-C: its parent decides when it ends."""
        output: IO[bytes]
        with open(self._log, "ab", opener=private_files.opener) as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._starts.append(time.monotonic())

    def keep_running(self, say: Callable[[str], None]) -> None:
        """Starts the process again whenever it ends, in a thread, until `stop`."""
        threading.Thread(target=self._keep_running, args=(say,), name=f"keep-{self.name}", daemon=True).start()

    def stop(self) -> None:
        """Ends the process, by force if it must."""
        self._stopping.set()
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _keep_running(self, say: Callable[[str], None]) -> None:
        while not self._stopping.is_set():
            assert self._process is not None
            code = self._process.wait()
            if self._stopping.is_set():
                return
            recent = [started for started in self._starts if time.monotonic() - started < 60]
            if len(recent) > RESTARTS:
                say(f"The {self.name} keeps ending (exit code {code}); it stays down. Its output is in {self._log}.")
                return
            say(f"The {self.name} ended (exit code {code}) and is started again.")
            self._stopping.wait(0.5 * len(recent))
            if not self._stopping.is_set():
                self.start()


def end_with(parent: int) -> None:
    """Ends this process when `parent` is gone, however it went: a watch that works on every system."""
    threading.Thread(target=_watch, args=(parent,), name="end-with-parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE_SECONDS)
    os._exit(1)
