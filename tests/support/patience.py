"""How long tests wait for what must happen: until it has, and never for less than a busy machine may need."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 180.0
"""A bound for what hangs, not a measure of what is quick: a machine may be doing much else, and times are measured by
benchmarks."""

POLL_SECONDS = 0.02


def eventually(true: Callable[[], object], what: str = "it") -> None:
    """Returns as soon as `true()` is; fails the test with `what` did not happen if it never is."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < end, f"{what} did not happen within {PATIENCE_SECONDS:.0f} seconds"
        time.sleep(POLL_SECONDS)
