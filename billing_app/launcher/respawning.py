"""Granian's server with our rule for a web process that ends by itself: started again, said, and not for ever."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from granian.server import Server

# Processes, or threads where Python has no lock: which of the two is known only when it runs.
_Base: Any = Server

RESTARTS = 5
"""A web process that ends this often within WITHIN_SECONDS has a lasting fault, and the console ends with it."""

WITHIN_SECONDS = 600.0
"""Longer than that many starts of a slow machine take."""

PAUSE_SECONDS = 1.0
"""How long the second restart waits; each one after it waits twice as long as the one before."""


class Respawning(_Base):
    """Granian would give up after a second end within seconds, and say neither."""

    _ends: dict[int, list[float]]

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        self._ends = {}
        while True:
            self.main_loop_interrupt.wait()
            self.main_loop_interrupt.clear()
            ended = list(self.interrupt_children)
            self.interrupt_children.clear()
            if self.interrupt_signal:
                return
            if ended and not self._start_again(ended, spawn_target, target_loader):
                return
            if self.reload_signal:
                self._reload(spawn_target, target_loader)

    def _start_again(self, ended: Sequence[int], spawn_target: Any, target_loader: Any) -> bool:
        """Whether serving goes on."""
        now, pause = time.monotonic(), 0.0
        for index in ended:
            recent = [at for at in self._ends.get(index, []) if now - at < WITHIN_SECONDS]
            self._ends[index] = [*recent, now]
            code = getattr(self.wrks[index].inner, "exitcode", None)
            if len(recent) >= RESTARTS:
                _say(f"The web process keeps ending (exit code {code}), and the console ends: the lines above say why.")
                self.interrupt_children.extend(ended)  # so the console's own exit code says that it failed
                return False
            _say(f"The web process ended (exit code {code}) and is started again.")
            pause = max(pause, PAUSE_SECONDS * 2 ** (len(recent) - 1) if recent else 0.0)
        while time.monotonic() < now + pause and not self.interrupt_signal:
            time.sleep(0.05)
        if self.interrupt_signal:
            return False
        self._respawn_workers(ended, spawn_target, target_loader)
        return True


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
