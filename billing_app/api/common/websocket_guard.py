"""What stands between a browser and Reflex: no token gets into its state, no other site opens its websocket."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from billing_app.services.access.cookies import for_reflex


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
