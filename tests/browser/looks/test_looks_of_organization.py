"""Pages of an organization look right to everybody, on every screen."""

from __future__ import annotations

import pytest

from tests.browser.looks.looks import looks_right
from tests.browser.looks.places import ORGANIZATION
from tests.browser.people import Watch


@pytest.mark.parametrize("place", ORGANIZATION)
def test_it_is_for_everybody_and_fits_every_screen(watch: Watch, place: str) -> None:
    looks_right(watch, ORGANIZATION[place])
