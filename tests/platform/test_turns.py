"""Turns: few at once, callers by turns, no line without an end, nobody remembered who is gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from billing_app.domain.common.errors import BusyError, TooManyAtOnceError
from billing_app.turns import Limits, Pool, Turns
from tests.support.patience import PATIENCE_SECONDS

LONG = 60.0
"""Longer than any test: nothing here ends by its time unless the test says so."""


def limits(**changed: Any) -> Limits:
    """Two at once, all of them for one caller, and lines that nobody fills by chance."""
    return replace(Limits(at_once=2, each=2, waiting=100, waiting_each=100, seconds=LONG), **changed)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Runs to the end, or fails: nothing here may hang."""
    asyncio.run(asyncio.wait_for(work, 20))


class Crowd:
    """Callers who each stay until they are told to leave, and the order in which they came in."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.came: list[str] = []
        self.most = 0
        self._leave: asyncio.Queue[None] = asyncio.Queue()

    async def come(self, caller: str) -> None:
        async with self.turns.turn(caller):
            self.came.append(caller)
            self.most = max(self.most, self.turns.going)
            await self._leave.get()

    def leave(self, number: int) -> None:
        for _ in range(number):
            self._leave.put_nowait(None)


async def settled() -> None:
    """Everybody has gone as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_no_more_at_once_than_the_limit_and_all_of_them_in_the_end() -> None:
    async def story() -> None:
        crowd = Crowd(Turns("t", limits(at_once=3, each=3)))
        tasks = [asyncio.create_task(crowd.come("a")) for _ in range(50)]
        await settled()
        crowd.leave(50)
        await asyncio.gather(*tasks)
        assert (crowd.most, len(crowd.came)) == (3, 50)

    run(story())


def test_one_with_a_hundred_keeps_another_waiting_for_one_of_his() -> None:
    async def story() -> None:
        crowd = Crowd(Turns("t", limits(at_once=1, each=1)))
        tasks = [asyncio.create_task(crowd.come("many")) for _ in range(100)]
        await settled()
        tasks.append(asyncio.create_task(crowd.come("one")))
        await settled()
        crowd.leave(2)
        await settled()
        assert crowd.came == ["many", "many", "one"]
        crowd.leave(99)
        await asyncio.gather(*tasks)

    run(story())


def test_what_one_may_have_at_once_leaves_room_for_others_without_any_wait() -> None:
    async def story() -> None:
        crowd = Crowd(Turns("t", limits(at_once=3, each=2)))
        tasks = [asyncio.create_task(crowd.come("many")) for _ in range(10)]
        await settled()
        tasks.append(asyncio.create_task(crowd.come("one")))
        await settled()
        assert crowd.came == ["many", "many", "one"]
        crowd.leave(11)
        await asyncio.gather(*tasks)

    run(story())


def test_a_callers_full_line_is_told_to_that_caller_alone() -> None:
    async def story() -> None:
        crowd = Crowd(turns := Turns("t", limits(at_once=2, each=1, waiting_each=3)))
        tasks = [asyncio.create_task(crowd.come("many")) for _ in range(4)]
        await settled()
        with pytest.raises(TooManyAtOnceError) as told:
            await turns.enter("many")
        assert (told.value.status, told.value.fields["retry_after"]) == (429, 2)
        tasks.append(asyncio.create_task(crowd.come("one")))
        await settled()
        assert crowd.came == ["many", "one"]
        crowd.leave(5)
        await asyncio.gather(*tasks)

    run(story())


def test_a_full_line_is_told_to_everybody_as_busy() -> None:
    async def story() -> None:
        crowd = Crowd(turns := Turns("t", limits(at_once=1, each=1, waiting=3)))
        tasks = [asyncio.create_task(crowd.come(str(number))) for number in range(4)]
        await settled()
        with pytest.raises(BusyError) as told:
            await turns.enter("another")
        assert told.value.status == 503
        crowd.leave(4)
        await asyncio.gather(*tasks)

    run(story())


@pytest.mark.parametrize(("each", "error"), [(1, TooManyAtOnceError), (2, BusyError)])
def test_too_long_a_wait_is_told_and_keeps_no_place(each: int, error: type[Exception]) -> None:
    """It is the caller's own doing where all that he may have at once is under way, and everybody's otherwise."""

    async def story() -> None:
        turns = Turns("t", limits(at_once=each, each=each, seconds=0.01))
        others = ["a"] if each == 1 else ["a", "b"]
        for other in others:
            await turns.enter(other)
        with pytest.raises(error):
            await turns.enter("a")
        assert turns.waiting == 0
        for other in others:
            turns.leave(other)
        assert (turns.going, turns.callers) == (0, 0)

    run(story())


def test_whoever_stops_waiting_leaves_no_trace_and_takes_no_turn() -> None:
    async def story() -> None:
        crowd = Crowd(turns := Turns("t", limits(at_once=1, each=1)))
        first = asyncio.create_task(crowd.come("a"))
        gone = [asyncio.create_task(crowd.come(str(number))) for number in range(20)]
        last = asyncio.create_task(crowd.come("z"))
        await settled()
        for task in gone:
            task.cancel()
        await settled()
        crowd.leave(2)
        await asyncio.gather(first, last)
        assert crowd.came == ["a", "z"]
        assert (turns.going, turns.waiting, turns.callers) == (0, 0, 0)

    run(story())


def test_a_turn_that_came_to_somebody_who_was_just_leaving_is_passed_on() -> None:
    async def story() -> None:
        turns = Turns("t", limits(at_once=1, each=1))
        await turns.enter("a")
        waits = asyncio.create_task(turns.enter("b"))
        await settled()
        turns.leave("a")  # b's turn, of which its task has not heard
        waits.cancel()
        with suppress(asyncio.CancelledError):
            await waits
        assert (turns.going, turns.callers) == (0, 0)

    run(story())


def test_a_pool_runs_by_turns_in_threads_of_its_own() -> None:
    async def story() -> None:
        pool, held, names = Pool("own", limits(at_once=2, each=1)), threading.Event(), []

        def work() -> str:
            names.append(threading.current_thread().name)
            held.wait(PATIENCE_SECONDS)
            return "done"

        many = [asyncio.create_task(pool.run("many", work)) for _ in range(5)]
        one = asyncio.create_task(pool.run("one", work))
        while len(names) < 2:
            await asyncio.sleep(0.001)
        await settled()
        assert (pool.turns.going, pool.turns.waiting) == (2, 4)
        held.set()
        assert await asyncio.gather(one, *many) == ["done"] * 6
        assert all(name.startswith("own") for name in names)

    run(story())


def test_work_that_nobody_waits_for_any_more_keeps_its_turn_until_it_ends() -> None:
    async def story() -> None:
        pool, held = Pool("own", limits(at_once=1, each=1)), threading.Event()
        task = asyncio.create_task(pool.run("a", held.wait, 10))
        while not pool.turns.going:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert pool.turns.going == 1
        held.set()
        while pool.turns.going:
            await asyncio.sleep(0.001)

    run(story())


def test_what_fails_gives_its_turn_back() -> None:
    async def story() -> None:
        pool = Pool("own", limits())
        with pytest.raises(ZeroDivisionError):
            await pool.run("a", lambda: 1 // 0)
        while pool.turns.going:
            await asyncio.sleep(0.001)
        assert pool.turns.callers == 0

    run(story())
