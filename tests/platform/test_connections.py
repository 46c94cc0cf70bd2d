"""How many connections a process takes: more than it serves at once, so that each is answered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from billing_app.api.common.lanes import DECIDING, OTHERS
from billing_app.launcher import server
from billing_app.settings import Settings


class Files:
    """The system's limit of open files."""

    RLIMIT_NOFILE, RLIM_INFINITY = 7, -1

    def __init__(self, soft: int, hard: int) -> None:
        self.soft, self.hard = soft, hard

    def getrlimit(self, _which: int) -> tuple[int, int]:
        return self.soft, self.hard

    def setrlimit(self, _which: int, limits: tuple[int, int]) -> None:
        assert limits[1] == self.hard
        self.soft = limits[0]


@pytest.mark.parametrize(
    ("soft", "hard", "taken", "raised"),
    [
        (1024, 1_048_576, 16_384, 16_640),
        (1024, 4096, 3840, 4096),
        (1024, -1, 16_384, 16_640),
        (65_536, 65_536, 16_384, 65_536),
        (-1, -1, 16_384, -1),
        (256, 256, 256, 256),
    ],
)
def test_as_many_as_files_may_be_open(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, taken: int, raised: int
) -> None:
    files = Files(soft, hard)
    monkeypatch.setattr(server, "resource", files)
    assert server.connections() == taken
    assert files.soft == raised


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the server is started with; nothing is started."""
    told: dict[str, Any] = {}

    def respawning(*_given: Any, **named: Any) -> SimpleNamespace:
        told.update(named)
        return SimpleNamespace(serve=bool)

    monkeypatch.setattr(server, "Respawning", respawning)
    monkeypatch.setattr(server.os, "chdir", lambda _folder: None)
    monkeypatch.setattr(server.multiprocessing, "set_start_method", lambda *_given, **_named: None)
    monkeypatch.setattr(server, "announce", lambda *_given: None)
    before = dict(os.environ)
    yield told
    os.environ.clear()
    os.environ.update(before)


def test_more_are_accepted_than_all_lines_hold(started: dict[str, Any], tmp_path: Path) -> None:
    """Otherwise those beyond would wait without a word, and not be told 503."""
    server.serve("127.0.0.1", Settings(_env_file=None), tmp_path, lambda: None)
    held = sum(limits.at_once + limits.waiting for limits in (*DECIDING.values(), *OTHERS.values()))
    assert started["backpressure"] == server.connections()
    assert held < started["backpressure"] <= server.CONNECTIONS
    assert started["backlog"] >= 4096
