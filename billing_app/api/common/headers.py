"""Security headers of every answer: pages, API and what Reflex serves."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = {
    "default-src": "'self'",
    # Reflex starts its pages by inline scripts, and its components write inline styles.
    "script-src": "'self' 'unsafe-inline'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}

API_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""For what is not a page of Reflex; the documentation page brings one inline style sheet."""

ONE_YEAR_S = 31_536_000

BUILT = "/assets/"
"""Where the pages' scripts and styles are: each has a name of its own as soon as it says something else."""

KEPT = "public, max-age=604800, immutable"
"""For a week browsers use those without asking, where a reload asked for each of fifty: a release may repair how they
are finished (launcher/frontend.py), which their names do not tell."""


class SecurityHeaders:
    """Adds the headers that an answer does not have yet."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...], prefix: str) -> None:
        """Wraps `app`, which browsers reach at `origins` and whose API is under `prefix`."""
        self.app = app
        self.prefix = prefix
        # 'self' does not cover websockets in every browser.
        sockets = " ".join(origin.replace("http", "ws", 1) for origin in origins)
        policy = {**PAGE_POLICY, "connect-src": f"'self' {sockets}"}
        self._pages = "; ".join(f"{name} {value}" for name, value in policy.items())
        self._common = {
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            # Not `no-referrer`: under it browsers send `Origin: null` with our own forms, which are then refused.
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if origins[0].startswith("https://"):
            self._common["Strict-Transport-Security"] = f"max-age={ONE_YEAR_S}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        of_api = scope["path"].startswith(self.prefix)
        built = scope["path"].startswith(BUILT)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._common.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", API_POLICY if of_api else self._pages)
                if of_api:
                    headers.setdefault("Cache-Control", "no-store")
                elif built and message["status"] in (200, 304):
                    headers.setdefault("Cache-Control", KEPT)
            await send(message)

        await self.app(scope, receive, with_headers)
