"""How many requests one key, or one signed-in browser, may make.

A bucket per caller that fills evenly (GCRA: one number each, exact at any pace). In this process, or in Redis where
several serve. Headers are those of the IETF's RateLimit draft (draft-ietf-httpapi-ratelimit-headers). Who sends no
credential is not counted here: what anyone may ask is cheap, signing in is throttled by itself, and Stripe is never
turned away.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import redis.asyncio as redis
from redis.exceptions import RedisError
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billing_app.api.common.client_address import caller_of
from billing_app.api.common.problems import problem
from billing_app.log import get_logger

WINDOW_S = 60
"""The span that a limit is named for. A caller who was quiet for so long may use all of it at once."""

MAX_CALLERS = 100_000
"""Buckets that one process remembers. Full ones are dropped first: they are as if they had never been."""

REDIS_TIMEOUT_S = 0.25
"""How long a request waits to be counted. Then it passes uncounted: a counter must not stop the product."""

NAME = "caller"
"""The name of the policy in the headers."""

log = get_logger("billing.requests")


@dataclass(frozen=True, slots=True)
class Limit:
    """`requests` per WINDOW_S."""

    requests: int

    @property
    def interval_us(self) -> int:
        """Microseconds in which one request's worth comes back."""
        return max(1, WINDOW_S * 1_000_000 // self.requests)

    @property
    def window_us(self) -> int:
        """Microseconds in which an empty bucket fills."""
        return self.requests * self.interval_us


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether a request may pass, and `backlog_us`: how long until the bucket is full again."""

    allowed: bool
    backlog_us: int


class Buckets(Protocol):
    """Where the callers' buckets are kept."""

    async def take(self, caller: str, limit: Limit) -> Taken:
        """Takes one request out of a caller's bucket, if there is one left."""


class MemoryBuckets:
    """In this process: exact where it is the only one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds, for tests."""
        self._clock = clock
        self._full_at: dict[str, int] = {}

    async def take(self, caller: str, limit: Limit) -> Taken:
        """Takes one request out of a caller's bucket, if there is one left."""
        now = int(self._clock() * 1_000_000)
        full_at = max(self._full_at.get(caller, now), now) + limit.interval_us
        if full_at - now > limit.window_us:
            return Taken(False, full_at - limit.interval_us - now)
        if len(self._full_at) >= MAX_CALLERS and caller not in self._full_at:
            self._forget(now)
        self._full_at[caller] = full_at
        return Taken(True, full_at - now)

    def _forget(self, now: int) -> None:
        self._full_at = {caller: at for caller, at in self._full_at.items() if at > now}
        if len(self._full_at) >= MAX_CALLERS:
            self._full_at.clear()


SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
if full_at - now > window then
  return {0, full_at - interval - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
return {1, full_at - now}
"""
"""The same in Redis, in one step and by Redis' own clock, so that all processes count alike."""


class RedisBuckets:
    """Shared by all processes."""

    def __init__(self, url: str) -> None:
        """Connects to the Redis at `url` when it is first needed."""
        timeouts = {"socket_timeout": REDIS_TIMEOUT_S, "socket_connect_timeout": REDIS_TIMEOUT_S}
        self._client = redis.from_url(url, **timeouts)
        self._script = self._client.register_script(SCRIPT)

    async def take(self, caller: str, limit: Limit) -> Taken:
        """Takes one request out of a caller's bucket; lets it pass if Redis does not answer."""
        try:
            allowed, backlog = await self._script([f"billing:rate:{caller}"], [limit.interval_us, limit.window_us])
        except (RedisError, OSError) as error:
            log.warning("rate_limit_not_counted", cause=type(error).__name__)
            return Taken(True, 0)
        return Taken(bool(allowed), int(backlog))

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()


def buckets_of(redis_url: str) -> Buckets:
    """Where buckets are kept: in Redis if there is one."""
    return RedisBuckets(redis_url) if redis_url else MemoryBuckets()


class RateLimits:
    """Refuses what comes too fast (429) before it costs anything, and tells every caller what is left."""

    def __init__(self, app: ASGIApp, prefix: str, limit: Limit, buckets: Buckets, *, secure: bool) -> None:
        """Wraps `app`; counts what is under `prefix`."""
        self.app = app
        self.prefix = prefix
        self.limit = limit
        self.buckets = buckets
        self.secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        caller = (
            caller_of(scope, secure=self.secure)
            if scope["type"] == "http" and scope["path"].startswith(self.prefix)
            else None
        )
        if caller is None:
            await self.app(scope, receive, send)
            return
        taken = await self.buckets.take(caller, self.limit)
        told = self._headers(taken)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in told.items():
                    headers[name] = value
            await send(message)

        if taken.allowed:
            await self.app(scope, receive, with_headers)
            return
        seconds = math.ceil((taken.backlog_us + self.limit.interval_us - self.limit.window_us) / 1_000_000)
        refused = problem(
            scope.get("state", {}).get("request_id"),
            429,
            "rate_limited",
            f"Too many requests: {self.limit.requests} a minute are allowed. Try again in {max(1, seconds)} s.",
            headers={"Retry-After": str(max(1, seconds))},
            limit=self.limit.requests,
        )
        await refused(scope, receive, with_headers)

    def _headers(self, taken: Taken) -> dict[str, str]:
        left = max(0, (self.limit.window_us - taken.backlog_us) // self.limit.interval_us)
        return {
            "RateLimit-Policy": f'"{NAME}";q={self.limit.requests};w={WINDOW_S}',
            "RateLimit": f'"{NAME}";r={left};t={math.ceil(taken.backlog_us / 1_000_000)}',
        }
