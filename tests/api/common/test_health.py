"""/healthz tells the truth: 503 after the event loop was held up, and again 200 when that is some time ago."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import httpx
import pytest

from billing_app.api.app import create_api
from billing_app.api.common import health
from billing_app.api.common.health import BEAT_S, LATE_S, REMEMBERED_S, Pulse
from billing_app.db import Database
from billing_app.settings import Settings
from tests.api.conftest import Api
from tests.api.serving import Site


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def beaten(clock: Clock) -> Pulse:
    """A pulse whose beat is due in BEAT_S."""
    pulse = Pulse(clock)

    async def once() -> None:
        task = asyncio.create_task(pulse.beat())
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(once())
    return pulse


def test_a_beat_in_time_is_nothing_to_tell() -> None:
    clock = Clock()
    pulse = beaten(clock)
    clock.seconds += BEAT_S + LATE_S
    assert pulse.held_up() == 0


def test_what_did_not_beat_is_told_at_once_and_for_a_while() -> None:
    clock = Clock()
    pulse = beaten(clock)
    clock.seconds += BEAT_S + LATE_S + 1
    assert pulse.held_up() == LATE_S + 1
    pulse._due = clock.seconds + BEAT_S  # it beats again
    clock.seconds += REMEMBERED_S
    pulse._due = clock.seconds
    assert pulse.held_up() == LATE_S + 1
    clock.seconds += 0.001
    assert pulse.held_up() == 0


def test_a_process_that_does_not_beat_yet_is_well() -> None:
    assert Pulse(Clock()).held_up() == 0


def test_healthz_says_so_after_the_loop_was_blocked(api: Api, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that computes on the event loop, or a queue that does not end, is what this is for."""
    pulse = Pulse()
    monkeypatch.setattr(health, "PULSE", pulse)
    monkeypatch.setattr(health, "LATE_S", 0.3)
    assert httpx.get(f"{api.url}/healthz").json() == {"status": "ok"}

    async def story() -> None:
        task = asyncio.create_task(pulse.beat())
        await asyncio.sleep(0)
        time.sleep(BEAT_S + 0.5)
        await asyncio.sleep(0)
        task.cancel()

    site.run(story())
    answer = httpx.get(f"{api.url}/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "held up")
    assert answer.json()["detail"].startswith("Nothing was answered for")


def test_readiness_says_when_redis_is_gone(api: Api, site: Site, redis_url: str) -> None:
    for url, status in ((redis_url, 200), ("redis://127.0.0.1:1/0", 503)):
        site.app = create_api(api.database, api.settings.model_copy(update={"redis_url": url}))
        answer = httpx.get(f"{api.url}/readyz")
        assert answer.status_code == status
        assert (answer.json()["checks"]["redis"] == "ok") is (status == 200)


def test_readiness_says_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path / 'b.db'}")
    assert health.disk_has_room(database) == ""
    free = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free._replace(free=3 * 2**20))
    assert "only 3 MB are free" in health.disk_has_room(database)
    assert "disk" in health.checks_of(Settings(_env_file=None))
    database.close()
