"""Websockets of pages: whose they are, how many there may be, and what they may send.

A socket costs memory as long as it is open: its own, and that of the page's state in Reflex. So each is counted, for
the session that it brought or, without one, for the address that it comes from. Who is refused is told why, in words
that the page shows: a `connect_error` of Socket.IO, since browsers tell a page nothing about a handshake that failed.

A tab names its state by a token that it keeps while people come and go. Inside it is another one, made of that token
and the session: nobody reaches a state of another session, whatever they know, and a tab that somebody else signed in
at begins with nothing (docs/decisions/0019).

Before all that, the handshake: no session token gets into Reflex's state, and no other site opens its websocket.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from billing_app.log import get_logger
from billing_app.services.access.cookies import HASH_NAME, for_reflex, session_hash_in

EVENTS = "/_event"
"""Where Reflex has its websocket, and the name of the namespace in it."""

NOBODYS = "nobody-"
"""How tokens of sockets without a session begin."""

TOKEN = re.compile(r"[!-~]{1,100}")
"""What a page sends is a UUID."""

KEPT_HEADERS = frozenset(("host", "origin", "user-agent", "accept-language", "upgrade", "connection"))
"""What Reflex needs of a handshake, beside `sec-websocket-...` and our cookie. It keeps them in every state, twice."""

MAX_HEADER_BYTES = 1_024
"""A header that is longer is left out."""

TRY_AGAIN_LATER = 1013
TOO_BIG = 1009
POLICY = 1008
"""Closing codes of RFC 6455."""

log = get_logger("billing.requests")


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one web process keeps open and reads. A state takes about 75 kB."""

    nobody_at_one_address: int = 60
    """People of an office who look at the sign-in page at one time; 5 MB."""
    nobody_in_all: int = 600
    """45 MB, whoever asks for them."""
    of_one_session: int = 40
    """Tabs of one browser, with room for those whose connection was lost without a word."""
    nobody_seconds: float = 900.0
    """Longer than it takes to sign in. A page that is still open then connects anew by itself."""
    nobody_messages: int = 300
    """In that time; a page without a session sends a handful, and an answer to a ping each minute."""
    nobody_bytes: int = 8_192
    """The longest message of a page without a session: ten times what its pages send."""
    session_bytes: int = 65_536
    """The longest form is an organization's profile: twenty fields of at most 2 000 characters."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a socket is not opened, or not kept."""

    code: int
    reason: str


class Sockets:
    """Counts the websockets of pages and bounds what each of them sends."""

    def __init__(
        self,
        app: ASGIApp,
        client: Callable[[HTTPConnection], str],
        alive: Callable[[str], bool],
        limits: SocketLimits | None = None,
    ) -> None:
        """Wraps `app`, below `Handshakes`. `client` gives the address of a request, `alive` whether a session is."""
        self.app = app
        self.client = client
        self.alive = alive
        self.limits = limits or SocketLimits()
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one websocket; requests pass."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        session_hash = await self._session(scope)
        owner = f"session {session_hash}" if session_hash else f"address {self.client(HTTPConnection(scope))}"
        inner = _inner_token(scope, session_hash)
        refusal = self._refusal(owner, session_hash) if inner else Refusal(POLICY, "This page is too old. Reload it.")
        if refusal is not None:
            log.info("socket_refused", reason=refusal.reason)
            await refuse(scope, receive, send, refusal)
            return
        with _Counted(self._open, (owner,) if session_hash else (owner, NOBODYS)):
            bounded = _Bounded(receive, send, self.limits, nobody=not session_hash)
            await self.app(_reduced(scope, session_hash, inner), bounded.receive, bounded.send)

    async def _session(self, scope: Scope) -> str:
        """The hash of the session that the socket brought, if it is still one. Handshakes has put it there."""
        cookies = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
        found = session_hash_in(cookies)
        return found if found and await asyncio.to_thread(self.alive, found) else ""

    def _refusal(self, owner: str, session_hash: str) -> Refusal | None:
        if session_hash:
            if self._open[owner] < self.limits.of_one_session:
                return None
            many = self.limits.of_one_session
            return Refusal(TRY_AGAIN_LATER, f"{many} tabs are open in this browser. Close some, then reload this one.")
        if self._open[owner] >= self.limits.nobody_at_one_address:
            return Refusal(
                TRY_AGAIN_LATER, "Too many pages are open from your network by people who are not signed in. Wait."
            )
        if self._open[NOBODYS] >= self.limits.nobody_in_all:
            return Refusal(TRY_AGAIN_LATER, "Too many people are about to sign in right now. Wait a minute.")
        return None


async def refuse(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    """Lets the socket open so that its page can hear why it is closed, and keeps nothing of it."""
    await receive()
    subprotocols = scope.get("subprotocols") or [None]
    opening = {"sid": "refused", "upgrades": [], "pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": 1_000}
    error = {"message": refusal.reason, "data": {"code": refusal.code}}
    await send({"type": "websocket.accept", "subprotocol": subprotocols[0]})
    await send({"type": "websocket.send", "text": f"0{json.dumps(opening)}"})
    await send({"type": "websocket.send", "text": f"44{EVENTS},{json.dumps(error)}"})
    await send({"type": "websocket.close", "code": refusal.code, "reason": refusal.reason[:120]})


class _Counted:
    """One open socket in the counts."""

    def __init__(self, counts: Counter[str], names: tuple[str, ...]) -> None:
        self._counts = counts
        self._names = names

    def __enter__(self) -> None:
        self._counts.update(self._names)

    def __exit__(self, *_: object) -> None:
        self._counts.subtract(self._names)
        for name in self._names:
            if self._counts[name] <= 0:
                del self._counts[name]


class _Bounded:
    """What one socket receives: no message too long, and for nobody none after its time or beyond its number."""

    def __init__(self, receive: Receive, send: Send, limits: SocketLimits, *, nobody: bool) -> None:
        self._receive = receive
        self._send = send
        self._bytes = limits.nobody_bytes if nobody else limits.session_bytes
        self._left = limits.nobody_messages if nobody else None
        self._ends = asyncio.get_running_loop().time() + limits.nobody_seconds if nobody else None
        self._closed = False

    async def receive(self) -> Message:
        try:
            async with asyncio.timeout_at(self._ends):
                message = await self._receive()
        except TimeoutError:
            return await self._close(Refusal(1001, "The page waited for so long that it reconnects."))
        if message["type"] != "websocket.receive":
            return message
        said = message.get("text")
        length = len(message.get("bytes") or b"") if said is None else len(said.encode())
        if length > self._bytes:
            return await self._close(Refusal(TOO_BIG, f"A message of this page has at most {self._bytes} bytes."))
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                return await self._close(Refusal(POLICY, "This page sent too much without signing in."))
        return message

    async def send(self, message: Message) -> None:
        if not self._closed:
            await self._send(message)

    async def _close(self, refusal: Refusal) -> Message:
        await self.send({"type": "websocket.close", "code": refusal.code, "reason": refusal.reason})
        self._closed = True
        return {"type": "websocket.disconnect", "code": refusal.code, "reason": refusal.reason}


def _inner_token(scope: Scope, session_hash: str) -> str:
    """The token by which Reflex knows the tab; empty where the page sent none that is one."""
    sent = _query(scope).get("token", [])
    if len(sent) != 1 or not TOKEN.fullmatch(sent[0]):
        return ""
    made = hashlib.sha256(f"{session_hash} {sent[0]}".encode()).hexdigest()[:40]
    return f"{'' if session_hash else NOBODYS}{made}"


def _reduced(scope: Scope, session_hash: str, inner: str) -> Scope:
    """The handshake as Reflex may see it: our token in place of the tab's, our cookie in place of all others."""
    query = {name: values[0] for name, values in _query(scope).items() if name in {"EIO", "transport"}}
    headers = [(name, value) for name, value in scope["headers"] if _needed(name, value)]
    if session_hash:
        headers.append((b"cookie", f"{HASH_NAME}={session_hash}".encode()))
    return {**scope, "headers": headers, "query_string": urlencode({**query, "token": inner}).encode()}


def _query(scope: Scope) -> dict[str, list[str]]:
    return parse_qs(scope.get("query_string", b"").decode("latin-1"))


def _needed(name: bytes, value: bytes) -> bool:
    known = name.decode("latin-1")
    return len(value) <= MAX_HEADER_BYTES and (known in KEPT_HEADERS or known.startswith("sec-websocket-"))


class Handshakes:
    """Hides session tokens from everything that is not the API, and refuses websockets of other origins.

    Why tokens are hidden: services.access.cookies. Why origins matter: a browser sends cookies with a websocket that
    any site opens, and no preflight asks first.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...], prefix: str, *, secure: bool) -> None:
        """Wraps `app`, which browsers reach at `origins` and whose API is under `prefix`."""
        self.app = app
        self.origins = origins
        self.prefix = prefix
        self.secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or handshake."""
        of_api = scope["type"] == "http" and within(scope["path"], self.prefix)
        if scope["type"] not in {"http", "websocket"} or of_api:
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket" and not self._of_our_pages(scope):
            await receive()  # websocket.connect
            await send({"type": "websocket.close", "code": 4403, "reason": "another origin"})
            return
        await self.app({**scope, "headers": self._without_token(scope)}, receive, send)

    def _of_our_pages(self, scope: Scope) -> bool:
        """Programs send no origin and have no cookies of somebody else; a browser always sends one."""
        sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
        return not sent or (len(sent) == 1 and sent[0] in self.origins)

    def _without_token(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        # HTTP/2 may send cookies in several headers; they count as one.
        cookies = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
        others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        shown = for_reflex(cookies, secure=self.secure)
        return [*others, (b"cookie", shown.encode("latin-1"))] if shown else others


def within(path: str, prefix: str) -> bool:
    """Whether a path is the prefix or below it: `/api/v12` is a page's, whatever it begins with."""
    return path == prefix or path.startswith(f"{prefix}/")
