"""The last story, by its name: after everything that the others did, the books are right."""

from __future__ import annotations

import re

from tests.support.console import Console


def test_everything_that_was_bought_and_used_adds_up(console: Console) -> None:
    assert re.search(r"\d+ organizations verified, 0 differences\.$", console.billing("verify"))
