"""Pages of operators look right to everybody, on every screen."""

from __future__ import annotations

import pytest

from tests.browser.looks.looks import looks_right
from tests.browser.looks.places import OPERATORS
from tests.browser.people import Watch


@pytest.mark.parametrize("place", OPERATORS)
def test_it_is_for_everybody_and_fits_every_screen(watch: Watch, place: str) -> None:
    looks_right(watch, OPERATORS[place])
