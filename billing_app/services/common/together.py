"""Those who wait for the same thing are served together: whoever leads takes all that waits, and answers each.

While one transaction is written, others come and wait for the same meter. They are the next one: one commit, one wait
for the disk, and an answer for each. Nobody waits for company: what comes alone goes at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")

MOST = 256
"""Of one turn, so that other lines have theirs. The lanes of `check` and `consume` (api.common.lanes) let in fewer."""


class Together(Generic[Asked, Given]):
    """Lines of those who wait, each served by one leader at a time."""

    def __init__(self, serve: Callable[[Sequence[Asked]], Sequence[Given]], *, leaders: int, name: str) -> None:
        """`serve` answers all that it is given, in order. At most so many lines are served at once."""
        self._serve = serve
        self._threads = ThreadPoolExecutor(leaders, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._lines: dict[Hashable, deque[tuple[Asked, Future[Given]]]] = {}

    def ask(self, line: Hashable, asked: Asked) -> Future[Given]:
        """The answer to come; it raises what `serve` raises."""
        place: Future[Given] = Future()
        with self._lock:
            waiting = self._lines.get(line)
            if waiting is None:
                self._lines[line] = deque([(asked, place)])
                self._threads.submit(self._lead, line)
            else:
                waiting.append((asked, place))
        return place

    def _lead(self, line: Hashable) -> None:
        with self._lock:
            waiting = self._lines[line]
            first = [waiting.popleft() for _ in range(min(MOST, len(waiting)))]
        taken = [each for each in first if each[1].set_running_or_notify_cancel()]  # from here on none can be cancelled
        try:
            answers = self._serve([asked for asked, _ in taken]) if taken else []
            for (_, place), given in zip(taken, answers, strict=True):
                place.set_result(given)
        except Exception as error:  # noqa: BLE001  whatever it is, those who wait for an answer are told
            for _, place in taken:
                if not place.done():
                    place.set_exception(error)
        finally:
            with self._lock:
                if self._lines[line]:
                    self._threads.submit(self._lead, line)  # behind other lines
                else:
                    del self._lines[line]
