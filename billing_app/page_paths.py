"""Pages answer at the address that was asked for, with or without a slash at its end: nobody is sent anywhere."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

FRONTEND = "frontend"
"""What Reflex calls the mount of the built pages."""


def without_redirects(app: ASGIApp) -> ASGIApp:
    """Reflex's app, whose files and routes redirect no more.

    Starlette's redirects to the address with a slash are absolute, made of whatever `Host` a request said, and of http
    where TLS ends before us: an invitation's secret would go there in clear.
    """
    if isinstance(app, Starlette):
        app.router.redirect_slashes = False
        for route in app.routes:
            if isinstance(route, Mount) and route.name == FRONTEND:
                route.app = WithSlash(route.app)
    return app


class WithSlash:
    """Says that each path ends with a slash, as the built pages' folders want it; to a file it makes no difference."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps the files' app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        path = scope.get("path", "")
        await self._app(scope if path.endswith("/") else {**scope, "path": f"{path}/"}, receive, send)
