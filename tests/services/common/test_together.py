"""Those who wait are served together, in order, each with its own answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future

import pytest

from billing_app.services.common import together
from billing_app.services.common.together import Together

pytestmark = pytest.mark.both_databases

PATIENCE = 30


class Slow:
    """Serves when it may, and notes what it was given together."""

    def __init__(self) -> None:
        """Waits at first."""
        self.may = threading.Event()
        self.begun = threading.Event()
        self.served: list[list[int]] = []

    def __call__(self, asked: Sequence[int]) -> list[int]:
        """Doubles; 13 breaks all that is beside it."""
        self.begun.set()
        assert self.may.wait(PATIENCE)
        self.served.append(list(asked))
        if 13 in asked:
            raise ValueError("13")
        return [2 * each for each in asked]


def waiting(line: Together[int, int], slow: Slow, *asked: int) -> list[Future[int]]:
    """The first is being served, the others wait for it."""
    first = line.ask("a", asked[0])
    assert slow.begun.wait(PATIENCE)
    return [first, *(line.ask("a", each) for each in asked[1:])]


def test_all_that_waits_is_served_at_once() -> None:
    slow = Slow()
    places = waiting(Together(slow, leaders=1, name="test"), slow, 1, 2, 3, 4)
    slow.may.set()
    assert [place.result(PATIENCE) for place in places] == [2, 4, 6, 8]
    assert slow.served == [[1], [2, 3, 4]]


def test_not_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "MOST", 2)
    slow = Slow()
    places = waiting(Together(slow, leaders=1, name="test"), slow, 1, 2, 3, 4)
    slow.may.set()
    assert [place.result(PATIENCE) for place in places] == [2, 4, 6, 8]
    assert slow.served == [[1], [2, 3], [4]]


def test_what_breaks_is_told_and_the_next_are_served() -> None:
    slow = Slow()
    line = Together(slow, leaders=1, name="test")
    places = waiting(line, slow, 1, 13)
    slow.may.set()
    assert places[0].result(PATIENCE) == 2
    with pytest.raises(ValueError, match="13"):
        places[1].result(PATIENCE)
    assert line.ask("a", 5).result(PATIENCE) == 10


def test_who_does_not_wait_any_more_takes_nobodys_answer() -> None:
    slow = Slow()
    places = waiting(Together(slow, leaders=1, name="test"), slow, 1, 2, 3)
    assert not places[0].cancel()
    assert places[1].cancel()
    slow.may.set()
    assert [places[0].result(PATIENCE), places[2].result(PATIENCE)] == [2, 6]
    assert slow.served == [[1], [3]]


def test_lines_are_apart() -> None:
    slow = Slow()
    line = Together(slow, leaders=2, name="test")
    places = [*waiting(line, slow, 1, 2), line.ask("b", 3)]
    slow.may.set()
    assert [place.result(PATIENCE) for place in places] == [2, 4, 6]
    assert sorted(slow.served) == [[1], [2], [3]]
