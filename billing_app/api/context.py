"""What every route needs from the process that serves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from billing_app.db import Database
from billing_app.settings import Settings

PREFIX = "/api/v1"
"""Where the API lives on the one port that pages and API share."""

LOOPBACK = ("127.0.0.1", "localhost")
"""The names of one's own machine, by either of which a person may open a console that runs there."""


@dataclass(frozen=True, slots=True)
class Context:
    """The database, the settings and the clock of this process."""

    database: Database
    settings: Settings
    clock: Callable[[], datetime]

    @property
    def origin(self) -> str:
        """Where browsers find us."""
        return origin_of(self.settings.public_url)

    @property
    def origins(self) -> tuple[str, ...]:
        """The only origins from which browsers may change anything."""
        return own_origins(self.settings.public_url)

    @property
    def lifetime(self) -> timedelta:
        """How long a sign-in lasts."""
        return timedelta(days=self.settings.session_days)


def context_of(connection: HTTPConnection) -> Context:
    """The context of the app that a request reached."""
    return connection.app.state.context


def own_origins(url: str) -> tuple[str, ...]:
    """The origin of the public address; on one's own machine under each of its names, at the same port."""
    host = urlsplit(url).hostname or ""
    if host not in LOOPBACK:
        return (origin_of(url),)
    names = (host, *(name for name in LOOPBACK if name != host))
    return tuple(origin_of(urlsplit(url)._replace(netloc=_netloc(url, name)).geturl()) for name in names)


def _netloc(url: str, host: str) -> str:
    port = urlsplit(url).port
    return host if port is None else f"{host}:{port}"


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, as browsers write them in `Origin`: a default port is left out."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
