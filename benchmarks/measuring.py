"""Counting how often something can be done, and how long each time takes."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Rate:
    """How often a second, and how long one takes in milliseconds."""

    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass
class Row:
    """One line of the result: a piece of work beside its limit. `target` is what the ratio should reach."""

    work: str
    database: str
    rate: Rate
    limit: str
    limit_per_second: float
    target: float
    notes: dict[str, Any] = field(default_factory=dict)
    reached_by: bool | None = None

    @property
    def ratio(self) -> float:
        """How close the work comes to its limit."""
        return self.rate.per_second / self.limit_per_second if self.limit_per_second else 0.0

    @property
    def reached(self) -> bool:
        """Whether the target is met."""
        return self.ratio >= self.target if self.reached_by is None else self.reached_by

    def as_json(self) -> dict[str, Any]:
        """For results.json."""
        return asdict(self) | {"ratio": round(self.ratio, 3), "reached": self.reached}


def measured(work: Callable[[int], Any], seconds: float, clients: int = 1) -> Rate:
    """Does `work(number)` for so long, by so many clients at once; a fifth of the time warms up and is not counted."""
    times: list[list[float]] = [[] for _ in range(clients)]
    begin = time.perf_counter() + seconds / 5
    end = begin + seconds

    def client(place: int) -> None:
        number = place
        while (started := time.perf_counter()) < end:
            work(number)
            number += clients
            if started >= begin:
                times[place].append(time.perf_counter() - started)

    threads = [threading.Thread(target=client, args=(place,)) for place in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return rate_of([each for one in times for each in one], seconds)


PACE = 200
"""Questions a second of `paced_beside`."""


def paced_beside(work: Callable[[int], Any], other: Callable[[], Any], seconds: float) -> Rate:
    """Does `work` PACE times a second, while `other` is done once a second; a late turn counts from when it was due."""
    done = threading.Event()

    def each_second() -> None:
        while not done.wait(1.0):
            other()

    beside = threading.Thread(target=each_second)
    beside.start()
    times: list[float] = []
    begin = time.perf_counter()
    for number in range(int(seconds * PACE)):
        due = begin + number / PACE
        time.sleep(max(0.0, due - time.perf_counter()))
        work(number)
        times.append(time.perf_counter() - due)
    done.set()
    beside.join()
    return rate_of(times, max(seconds, time.perf_counter() - begin))


def rate_of(times: Sequence[float], seconds: float) -> Rate:
    """The figures of measured times."""
    ordered = sorted(times) or [seconds]
    cut = statistics.quantiles(ordered, n=100) if len(ordered) > 1 else ordered * 99
    p50, p95, p99 = (round(cut[place - 1] * 1000, 2) for place in (50, 95, 99))
    return Rate(round(len(times) / seconds, 1), p50, p95, p99)


def best(*rates: Rate) -> Rate:
    """The fastest of several runs: what else the machine does can only slow one down."""
    return max(rates, key=lambda rate: rate.per_second)


def timed(work: Callable[[], Any]) -> float:
    """The seconds that `work` takes, once."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
