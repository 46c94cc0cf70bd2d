"""Cursors give back what they were made of, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.common.errors import NotFoundError
from billing_app.services.common import cursors

PARTS = st.one_of(
    st.integers(0, cursors.MAX_NUMBER), st.text(max_size=60), st.datetimes(timezones=st.just(UTC)), st.uuids()
)


@given(place=st.lists(PARTS, min_size=1, max_size=3))
def test_a_place_comes_back_as_it_was(place: list[cursors.Piece]) -> None:
    kinds = [type(part) for part in place]
    assert cursors.decode(cursors.encode(*place), *kinds) == tuple(place)


def test_no_cursor_is_the_first_page() -> None:
    assert cursors.decode(None, int) is cursors.decode("", int) is None


@pytest.mark.parametrize("kinds", [(str,), (UUID,), (datetime,), (int, int), ()])
def test_a_cursor_of_another_list_is_refused(kinds: tuple[type[cursors.Piece], ...]) -> None:
    with pytest.raises(NotFoundError, match="Begin again without a cursor"):
        cursors.decode(cursors.encode(7), *kinds)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(NotFoundError):
        cursors.decode(cursors.encode("2024-01-01T00:00:00"), datetime)
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    assert cursors.decode(cursors.encode(moment), datetime) == (moment,)
