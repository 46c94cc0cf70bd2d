"""Every route of the fake Stripe: the API, the control API and the pages."""

from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, Router

from fake_stripe.api import Api
from fake_stripe.control import Control
from fake_stripe.events import API_VERSION
from fake_stripe.pages.routes import page_routes
from fake_stripe.product import Product
from fake_stripe.storage.database import Database

# Where the pages are on the fake Stripe's own port, whatever path browsers see through a proxy.
OWN_PATH = "/_sandbox"
_METHODS = ["GET", "POST", "DELETE"]


def build_app(database: Database, public_url: str) -> Starlette:
    """The application; pages answer under their own path and under that of `public_url`."""
    control = Control(database, public_url)
    pages = page_routes(database, public_url)
    own = [Mount("/control", routes=control.routes()), Product().route(), *pages]
    paths = {OWN_PATH, urlsplit(public_url).path or "/"}
    home = next(route.endpoint for route in pages if route.path == "/")
    app = Starlette(
        routes=[
            Route("/health", _health),
            Route("/v1/{path:path}", Api(database, public_url).respond, methods=_METHODS),
            *(Route(path, home) for path in paths if path != "/"),
            # Its redirects to an address with a slash are made of whatever `Host` a request said: none of them.
            *(Mount(path, Router(own, redirect_slashes=False)) for path in sorted(paths, key=len, reverse=True)),
        ]
    )
    app.router.redirect_slashes = False
    return app


async def _health(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok", "api_version": API_VERSION})
