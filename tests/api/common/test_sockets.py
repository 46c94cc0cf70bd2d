"""Websockets of pages: whose they are, how many there may be, what they may send, and what Reflex sees of them."""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, MutableMapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, ParamSpec
from urllib.parse import parse_qs

import pytest
from reflex.app import _decode_asgi_headers

from billing_app.api.common.sockets import NOBODYS, Handshakes, SocketLimits, Sockets
from billing_app.services.access.cookies import HASH_NAME, for_reflex, session_hash_in, token_in
from billing_app.services.common.secrets import digest
from tests.support.patience import PATIENCE_SECONDS

ORIGIN = "http://127.0.0.1:3000"
TOKEN = "the-token-of-ada"
STORED = digest(TOKEN)
"""What is in the database, and so in a backup of it."""
FEW = SocketLimits(
    nobody_at_one_address=3, nobody_in_all=5, of_one_session=2, nobody_seconds=PATIENCE_SECONDS, nobody_messages=4,
    nobody_bytes=50, session_bytes=100,
)  # fmt: skip

P = ParamSpec("P")


def in_a_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Runs a test in an event loop of its own."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


Message = MutableMapping[str, Any]
Inside = Callable[[Any, Any, Any], Awaitable[None]]


class Reflex:
    """What stands for it: accepts, keeps what it was shown, and hears until the socket closes."""

    def __init__(self) -> None:
        self.scopes: list[MutableMapping[str, Any]] = []
        self.heard: list[Message] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            message = await receive()
            self.heard.append(message)
            if message["type"] == "websocket.disconnect":
                return

    @property
    def cookies(self) -> str:
        """The Cookie header as Reflex decodes it."""
        return _decode_asgi_headers(self.scopes[-1]["headers"]).get("cookie", "")

    @property
    def token(self) -> str:
        """The tab's name inside."""
        return parse_qs(self.scopes[-1]["query_string"].decode())["token"][0]


class Tab:
    """One socket of a browser."""

    def __init__(self, app: Inside, *, cookie: bytes = b"", token: str = "tab", client: str = "192.0.2.1") -> None:
        self.told: list[Message] = []
        self._says: asyncio.Queue[Message] = asyncio.Queue()
        self.say({"type": "websocket.connect"})
        headers = [(b"host", b"127.0.0.1:3000"), (b"origin", ORIGIN.encode()), (b"x-large", b"x" * 5_000)]
        scope = {
            "type": "websocket", "path": "/_event", "query_string": f"EIO=4&transport=websocket&token={token}".encode(),
            "headers": [*headers, *([(b"cookie", cookie)] if cookie else [])], "client": (client, 1),
            "subprotocols": ["0.10.1"],
        }  # fmt: skip
        self.task = asyncio.ensure_future(app(scope, self._says.get, self._hear))

    def say(self, message: Message) -> None:
        self._says.put_nowait(message)

    def text(self, text: str) -> None:
        self.say({"type": "websocket.receive", "text": text})

    async def _hear(self, message: Message) -> None:
        self.told.append(message)

    @property
    def refusal(self) -> str:
        """The reason in the `connect_error`, as the page gets it."""
        texts = [message["text"] for message in self.told if message["type"] == "websocket.send"]
        return next((json.loads(text.partition(",")[2])["message"] for text in texts if text.startswith("44")), "")

    @property
    def closed(self) -> int:
        return next((message["code"] for message in self.told if message["type"] == "websocket.close"), 0)


class Console:
    """The layers before Reflex, as the product joins them."""

    def __init__(self, limits: SocketLimits = FEW, *, secure: bool = False) -> None:
        self.reflex = Reflex()
        self.alive = {STORED, *(digest(f"token-{number}") for number in range(9))}
        self.sockets = Sockets(
            self.reflex, lambda asked: asked.client.host if asked.client else "", self._alive, limits
        )
        self.app = Handshakes(self.sockets, (ORIGIN,), "/api/v1", secure=secure)
        self.tabs: list[Tab] = []

    def _alive(self, session_hash: str) -> bool:
        return session_hash in self.alive

    async def opens(self, **given: Any) -> Tab:
        tab = Tab(self.app, **given)
        self.tabs.append(tab)
        end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while not tab.told:  # whether its session is alive is asked in a thread
            assert asyncio.get_running_loop().time() < end, "the socket was neither opened nor refused"
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        return tab


@asynccontextmanager
async def a_console(**given: Any) -> AsyncGenerator[Console]:
    console = Console(**given)
    yield console
    for tab in console.tabs:
        tab.say({"type": "websocket.disconnect", "code": 1001})
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(tab.task, 2)
    assert not console.sockets._open, "a socket that is closed counts no longer"


SPACES = [
    " ", "\t", "\u2003", "\u00a0", "\u3000", "\u2028", "\u2029", "\u200b", "\ufeff", "\u0085", "\u1680", "\u202f",
    "\x0b", "\x0c", "\x1c", "\x1f", "\x00", "\u180e", '"', "$", "a=b,", "a=b\r\n", "%20", "\\",
]  # fmt: skip
"""What some parser takes for nothing, or for the end of what was before."""
PLACES = [
    "{space}{name}={value}", "{name}{space}={value}", "{name}={space}{value}", "a=b; {space}{name}={value}; c=d",
]  # fmt: skip


class TestTheStoredHash:
    """Whoever can read a backup has hashes, and gets in by none of them."""

    @pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16-le"])
    @pytest.mark.parametrize("name", [HASH_NAME, HASH_NAME.upper(), "Billing_Session_Hash", "billing_session"])
    @in_a_loop
    async def test_no_way_of_writing_it_is_read_as_ours(self, name: str, encoding: str) -> None:
        for space, place in itertools.product(SPACES, PLACES):
            written = place.format(space=space, name=name, value=STORED)
            async with a_console() as console:
                await console.opens(cookie=written.encode(encoding, "ignore"))
                assert session_hash_in(console.reflex.cookies) is None
                assert STORED not in str(console.reflex.scopes[-1]["headers"])
                assert console.reflex.token.startswith(NOBODYS)
            assert session_hash_in(for_reflex(written, secure=False)) != STORED

    @pytest.mark.parametrize("header", [b"x-cookie", b"cookie2", b"set-cookie", b"asgi-scope-client", b"-cookie"])
    @in_a_loop
    async def test_no_other_header_carries_it(self, header: bytes) -> None:
        async with a_console() as console:
            tab = Tab(console.app)
            console.tabs.append(tab)
            scope_headers = [(header, f"{HASH_NAME}={STORED}".encode())]
            other = Tab(_with_headers(console.app, scope_headers))
            console.tabs.append(other)
            await asyncio.sleep(0.03)
            assert STORED not in str(console.reflex.scopes)

    @in_a_loop
    async def test_the_token_opens_and_neither_it_nor_other_cookies_go_on(self) -> None:
        async with a_console() as console:
            await console.opens(cookie=f"theme=dark; billing_session={TOKEN}; other=secret".encode())
            assert session_hash_in(console.reflex.cookies) == STORED
            shown = str(console.reflex.scopes[-1]["headers"])
            assert TOKEN not in shown
            assert "secret" not in shown
            assert "xxx" not in shown

    @in_a_loop
    async def test_a_session_that_has_ended_is_nobodys_from_the_handshake_on(self) -> None:
        async with a_console() as console:
            console.alive.clear()
            await console.opens(cookie=f"billing_session={TOKEN}".encode())
            assert console.reflex.cookies == ""
            assert console.reflex.token.startswith(NOBODYS)

    def test_two_cookies_of_our_name_that_differ_are_none(self) -> None:
        assert token_in("billing_session=planted; billing_session=ours", secure=False) is None
        assert token_in("billing_session=ours; a=b; billing_session=ours", secure=False) == "ours"

    def test_under_https_only_the_host_cookie_is_read(self) -> None:
        assert token_in("billing_session=planted; __Host-billing_session=ours", secure=True) == "ours"
        assert token_in("__host-billing_session=ours", secure=True) is None
        assert token_in("\u2003__Host-billing_session=ours", secure=True) is None


class TestTokens:
    """A tab's name inside is made of its own and of the session."""

    @in_a_loop
    async def test_each_session_has_another_state_in_the_same_tab(self) -> None:
        async with a_console() as console:
            names = set()
            for cookie in (b"", f"billing_session={TOKEN}".encode(), b"billing_session=token-1"):
                await console.opens(cookie=cookie)
                names.add(console.reflex.token)
            assert len(names) == 3

    @in_a_loop
    async def test_the_same_session_finds_its_state_again(self) -> None:
        async with a_console() as console:
            await console.opens(cookie=f"billing_session={TOKEN}".encode())
            first = console.reflex.token
            await console.opens(cookie=f"a=b; billing_session={TOKEN}".encode())
            assert console.reflex.token == first

    @in_a_loop
    async def test_the_inner_name_opens_nothing_from_outside(self) -> None:
        async with a_console() as console:
            await console.opens(cookie=f"billing_session={TOKEN}".encode())
            inner = console.reflex.token
            await console.opens(token=inner)
            assert console.reflex.token not in (inner, f"{NOBODYS}{inner}")

    @pytest.mark.parametrize("token", ["", "a&token=b", "a b", "x" * 101, "%C3%A9", "%00"])
    @in_a_loop
    async def test_what_is_no_token_is_refused_with_the_reason(self, token: str) -> None:
        async with a_console() as console:
            tab = await console.opens(token=token)
            assert "Reload" in tab.refusal
            assert console.reflex.scopes == []


class TestLimits:
    """What sockets cost is bounded, and who is refused is told why."""

    @in_a_loop
    async def test_so_many_without_a_session_at_one_address(self) -> None:
        async with a_console() as console:
            for number in range(FEW.nobody_at_one_address):
                assert not (await console.opens(token=f"t{number}")).refusal
            refused = await console.opens(token="t9")
            assert "your network" in refused.refusal
            assert refused.closed == 1013
            assert refused.told[0] == {"type": "websocket.accept", "subprotocol": "0.10.1"}
            assert not (await console.opens(token="t9", client="192.0.2.2")).refusal
            assert not (await console.opens(token="t9", cookie=f"billing_session={TOKEN}".encode())).refusal

    @in_a_loop
    async def test_so_many_without_a_session_in_all(self) -> None:
        async with a_console() as console:
            for number in range(FEW.nobody_in_all):
                assert not (await console.opens(client=f"192.0.2.{number}")).refusal
            assert "in right now" in (await console.opens(client="192.0.2.99")).refusal

    @in_a_loop
    async def test_a_made_up_session_counts_as_nobody(self) -> None:
        async with a_console() as console:
            for number in range(FEW.nobody_at_one_address):
                await console.opens(cookie=f"billing_session=made-up-{number}".encode())
            assert (await console.opens(cookie=b"billing_session=made-up-9")).refusal

    @in_a_loop
    async def test_so_many_of_one_session(self) -> None:
        async with a_console() as console:
            cookie = f"billing_session={TOKEN}".encode()
            for number in range(FEW.of_one_session):
                assert not (await console.opens(cookie=cookie, token=f"t{number}")).refusal
            assert "tabs are open" in (await console.opens(cookie=cookie, token="t9")).refusal
            assert not (await console.opens(cookie=b"billing_session=token-2", token="t9")).refusal

    @in_a_loop
    async def test_a_closed_socket_makes_room(self) -> None:
        async with a_console() as console:
            tabs = [await console.opens(token=f"t{number}") for number in range(FEW.nobody_at_one_address)]
            tabs[0].say({"type": "websocket.disconnect", "code": 1001})
            await asyncio.sleep(0.03)
            assert not (await console.opens(token="t9")).refusal

    @pytest.mark.parametrize(("cookie", "most"), [(b"", FEW.nobody_bytes), (b"billing_session=token-1", 100)])
    @in_a_loop
    async def test_a_message_that_is_too_long_closes_the_socket_unread(self, cookie: bytes, most: int) -> None:
        async with a_console() as console:
            tab = await console.opens(cookie=cookie)
            tab.text("x" * most)
            await asyncio.sleep(0.03)
            tab.text("\u00e9" * (most // 2 + 1))
            await asyncio.sleep(0.03)
            assert tab.closed == 1009
            assert [message["type"] for message in console.reflex.heard] == [
                "websocket.receive",
                "websocket.disconnect",
            ]

    @in_a_loop
    async def test_nobody_sends_without_end(self) -> None:
        async with a_console() as console:
            tab = await console.opens()
            for _ in range(FEW.nobody_messages + 1):
                tab.text("3")
            await asyncio.sleep(0.03)
            assert tab.closed == 1008

    @in_a_loop
    async def test_nobodys_socket_has_an_end_and_a_persons_has_not(self) -> None:
        short = replace(FEW, nobody_seconds=0.2)
        async with a_console(limits=short) as console:
            nobody, ada = await console.opens(), await console.opens(cookie=b"billing_session=token-1")
            await asyncio.sleep(short.nobody_seconds + 0.1)
            assert (nobody.closed, ada.closed) == (1001, 0)


def _with_headers(app: Any, headers: list[tuple[bytes, bytes]]) -> Inside:
    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "headers": [*scope["headers"], *headers]}, receive, send)

    return wrapped
