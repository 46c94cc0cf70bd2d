"""A web process that ends by itself is started again: said, after growing pauses, and not for ever."""

from __future__ import annotations

import threading
import time

import pytest

from billing_app.launcher import respawning
from billing_app.launcher.respawning import RESTARTS, Respawning


class Ended:
    """A web process that has ended."""

    class inner:  # as Granian calls it
        exitcode = -9


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Respawning:
    monkeypatch.setattr(respawning, "PAUSE_SECONDS", 0.01)
    made = Respawning("nothing:here", factory=True, workers=1)
    made.wrks = [Ended()]
    made.started = []
    monkeypatch.setattr(made, "_respawn_workers", lambda indexes, *_: made.started.append(list(indexes)))
    return made


def end(server: Respawning) -> None:
    server.interrupt_children.append(0)
    server.main_loop_interrupt.set()


def test_it_is_started_again_and_that_is_said(server: Respawning, capsys: pytest.CaptureFixture[str]) -> None:
    serving = threading.Thread(target=server._serve_loop, args=(None, None))
    serving.start()
    for number in range(RESTARTS):
        end(server)
        until = time.monotonic() + 20
        while len(server.started) <= number and time.monotonic() < until:
            time.sleep(0.01)
        assert server.started == [[0]] * (number + 1)
    assert serving.is_alive()
    end(server)
    serving.join(20)
    assert not serving.is_alive()
    assert server.interrupt_children  # the console's exit code is that of a failure
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if "is started again" in line] == said[:RESTARTS]
    assert "keeps ending (exit code -9)" in said[-1]


def test_pauses_grow(server: Respawning, monkeypatch: pytest.MonkeyPatch) -> None:
    server._ends = {}
    monkeypatch.setattr(respawning, "PAUSE_SECONDS", 0.2)
    took = []
    for _ in range(3):
        before = time.monotonic()
        assert server._start_again([0], None, None)
        took.append(time.monotonic() - before)
    assert took[1] >= 0.2
    assert took[2] >= 0.4


def test_what_was_long_ago_does_not_count(server: Respawning, monkeypatch: pytest.MonkeyPatch) -> None:
    server._ends = {0: [time.monotonic() - respawning.WITHIN_SECONDS - 1] * 20}
    assert server._start_again([0], None, None)
    assert len(server._ends[0]) == 1


@pytest.mark.parametrize("ends", [0, 1])
def test_a_signal_ends_it_all_even_while_it_waits(
    ends: int, server: Respawning, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(respawning, "PAUSE_SECONDS", 60)
    server._ends = {}
    serving = threading.Thread(target=server._serve_loop, args=(None, None))
    serving.start()
    for _ in range(ends * 2):
        end(server)
        time.sleep(0.2)
    server.signal_handler_interrupt()
    serving.join(10)
    assert not serving.is_alive()
    assert not server.interrupt_children
