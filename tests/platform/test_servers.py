"""The servers that tests use are real."""

from __future__ import annotations

import redis


def test_redis_answers(redis_url: str) -> None:
    client = redis.from_url(redis_url)
    assert client.ping()
    client.close()
