"""Laws that are tried very often may take as long as that takes."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lifts the limit on a test's time from the laws of a long run."""
    from .examples import LONG  # only now is the run's profile known

    for item in items:
        if LONG and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(0))
