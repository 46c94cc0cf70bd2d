"""Usage as lines of JSON that may go on for as long as they come: `POST .../usage` with `application/x-ndjson`.

The body is never there as a whole: BLOCK lines at a time are a request of their own, to the same route by the same way
(lane, access, validation), and one transaction. Its answer is a line as soon as that is committed, so that whoever is
cut off knows what was recorded; ids make it safe to send all of it again.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billing_app.api.common.body_limits import BODY_SECONDS, MAX_BODY_BYTES
from billing_app.api.common.problems import CODES, problem
from billing_app.api.usage.schemas import LINES
from billing_app.services.usage.reporting import MAX_BATCH

PATH = re.compile(r"/organizations/[^/]+/usage")

MAX_LINE_BYTES = 64 * 1024
"""Of one line: far above any event."""

MAX_REJECTED = 10_000
"""Lines that one request may have rejected, each of which is named in the answer."""

BOM = b"\xef\xbb\xbf"

TOO_LONG = {"code": "invalid_row", "detail": f"The line has more than {MAX_LINE_BYTES} bytes."}

PLACEHOLDER = b"null"
"""In the place of a line that is too long: it is rejected by the route, too."""


class UsageLines:
    """Answers usage that comes in lines; everything else passes."""

    def __init__(self, app: ASGIApp, prefix: str, seconds: float = BODY_SECONDS) -> None:
        """Wraps `app`, whose API is under `prefix`; a block that is not there in so many seconds goes on as it is."""
        self.app = app
        self.prefix = prefix
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        path = scope["path"] if scope["type"] == "http" and scope["method"] == "POST" else ""
        if not path.startswith(self.prefix) or not PATH.fullmatch(path.removeprefix(self.prefix)) or not _lines(scope):
            await self.app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            await self._serve(scope, _Blocks(receive, self.seconds), answer)
        finally:
            await answer.end()

    async def _serve(self, scope: Scope, blocks: _Blocks, answer: _Answer) -> None:
        totals = {"lines": 0, "accepted": 0, "duplicates": 0, "rejected": 0}
        while (block := await blocks.take()) is not None:
            inner = await _Inner.of(self.app, scope, block)
            if inner.status != HTTPStatus.ACCEPTED and not answer.begun:
                await answer.instead(inner.messages)
                return
            if inner.status != HTTPStatus.ACCEPTED:
                answer.say({**totals, "complete": False, **_problem(inner.content)})
                return
            told = block.told(inner.content)
            answer.say(told)
            totals["lines"] = block.last
            for name in ("accepted", "duplicates"):
                totals[name] += told[name]
            totals["rejected"] += len(told["rejected"])
            if totals["rejected"] > MAX_REJECTED:
                detail = f"More than {MAX_REJECTED} lines were rejected. What was accepted is recorded; mend the rest."
                answer.say({**totals, "complete": False, "code": "too_many_rejected", "detail": detail})
                return
        if blocks.cut:
            return  # nobody is there any more
        if not answer.begun and blocks.late:
            detail = "No line of the body arrived in time."
            await answer.by(problem(scope.get("state", {}).get("request_id"), 408, CODES[408], detail), scope)
        elif not answer.begun:  # nothing was sent: the route says what is wrong with that
            await answer.by(self.app, scope)
        else:
            answer.say({**totals, "lines": blocks.number, "complete": not blocks.late} | (LATE if blocks.late else {}))


LATE = {"code": CODES[408], "detail": "No more lines arrived in time. What was accepted is recorded."}


@dataclass(slots=True)
class _Block:
    """Lines that are recorded together, with their numbers in the body."""

    first: int
    last: int = 0
    lines: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    too_long: set[int] = field(default_factory=set)

    def told(self, content: bytes) -> dict[str, Any]:
        """What became of them, in the numbers of the body."""
        report = json.loads(content)
        rejected = [self._rejected(each) for each in report["rejected"]]
        differing = sum(each["differs"] for each in report["duplicates"])
        return {
            "first_line": self.first,
            "last_line": self.last,
            "accepted": report["accepted"],
            "duplicates": len(report["duplicates"]) - differing,
            "rejected": rejected,
        }

    def _rejected(self, each: dict[str, Any]) -> dict[str, Any]:
        number = self.numbers[each["index"]]
        said = TOO_LONG if number in self.too_long else {"code": each["code"], "detail": each["detail"]}
        return {"line": number, **said}


class _Blocks:
    """The body, a block at a time; no more of it is held than a block and what came with its end."""

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive = receive
        self._seconds = seconds
        self._ready: deque[tuple[bytes, bool]] = deque()
        self._rest = b""
        self._skipping = False
        self._more = True
        self.number = 0
        self.cut = False
        self.late = False

    async def take(self) -> _Block | None:
        """The next lines that say anything, as many as there are in time; None at the end."""
        block, size = _Block(self.number + 1), 0
        ends = asyncio.get_running_loop().time() + self._seconds
        while True:
            while self._ready:
                line, too_long = self._ready[0]
                if size + len(line) >= MAX_BODY_BYTES:
                    return block
                self._ready.popleft()
                self.number += 1
                if line.strip():
                    block.lines.append(line)
                    block.numbers.append(self.number)
                    size += len(line) + 1
                if too_long:
                    block.too_long.add(self.number)
                block.last = self.number
                if len(block.lines) == MAX_BATCH:
                    return block
            if not self._more:
                return block if block.lines and not self.cut else None
            try:
                async with asyncio.timeout_at(ends):
                    self._add(await self._receive())
            except TimeoutError:
                if not block.lines:
                    self.late, self._more = True, False
                    return None
                return block

    def _add(self, message: Message) -> None:
        self.cut = message["type"] != "http.request"
        self._more = not self.cut and message.get("more_body", False)
        *whole, self._rest = (self._rest + message.get("body", b"")).split(b"\n")
        if not self._more and self._rest:
            whole.append(self._rest)
            self._rest = b""
        if whole and self._skipping:  # the end of a line of which nothing was kept
            self._skipping = False
            whole = whole[1:]
        for line in whole:
            self._line(line)
        if self._skipping:
            self._rest = b""
        elif len(self._rest) > MAX_LINE_BYTES:
            self._ready.append((PLACEHOLDER, True))
            self._skipping, self._rest = True, b""

    def _line(self, line: bytes) -> None:
        if not self.number and not self._ready:
            line = line.removeprefix(BOM)
        too_long = len(line) > MAX_LINE_BYTES
        self._ready.append((PLACEHOLDER if too_long else line, too_long))


@dataclass(slots=True)
class _Inner:
    """What the route said of a block."""

    status: int = 0
    messages: list[Message] = field(default_factory=list)

    @property
    def content(self) -> bytes:
        return b"".join(each.get("body", b"") for each in self.messages)

    @classmethod
    async def of(cls, app: ASGIApp, scope: Scope, block: _Block) -> _Inner:
        found, body = cls(), b"\n".join(block.lines)
        dropped = (b"content-length", b"transfer-encoding")
        headers = [each for each in scope["headers"] if each[0] not in dropped]
        inner = {**scope, "headers": [*headers, (b"content-length", str(len(body)).encode())]}

        async def hear(message: Message) -> None:
            if message["type"] == "http.response.start":
                found.status = message["status"]
            found.messages.append(message)

        await app(inner, _whole(body), hear)
        scope.update({name: inner[name] for name in ("route", "endpoint") if name in inner})  # for whoever counts
        return found


class _Answer:
    """The lines of the answer. They wait here for whoever reads none before all was sent."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.begun = False
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._sender: asyncio.Task[None] | None = None

    def say(self, told: dict[str, Any]) -> None:
        """One more line."""
        if self._sender is None:
            self.begun, self._sender = True, asyncio.create_task(self._send_all())
        self._waiting.put_nowait(json.dumps(told).encode() + b"\n")

    async def instead(self, messages: Iterable[Message]) -> None:
        """Another answer, as nothing was recorded."""
        self.begun = True
        for message in messages:
            await self.send(message)

    async def by(self, app: ASGIApp, scope: Scope) -> None:
        """The answer of an app to an empty body."""
        self.begun = True
        await app(scope, _whole(b""), self.send)

    async def end(self) -> None:
        """Waits until all of it is sent."""
        if self._sender is not None:
            self._waiting.put_nowait(None)
            await self._sender

    async def _send_all(self) -> None:
        headers = [(b"content-type", LINES.encode())]
        await self.send({"type": "http.response.start", "status": int(HTTPStatus.ACCEPTED), "headers": headers})
        while (line := await self._waiting.get()) is not None:
            await self.send({"type": "http.response.body", "body": line, "more_body": True})
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})


def _lines(scope: Scope) -> bool:
    sent = [value for name, value in scope["headers"] if name == b"content-type"]
    return len(sent) == 1 and sent[0].partition(b";")[0].strip().lower() == LINES.encode()


def _problem(content: bytes) -> dict[str, Any]:
    said = json.loads(content)
    return {"code": said["code"], "detail": said["detail"]}


def _whole(body: bytes) -> Receive:
    messages = deque([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        return messages.popleft() if messages else await _nothing()

    return receive


async def _nothing() -> Message:
    return await asyncio.get_running_loop().create_future()
