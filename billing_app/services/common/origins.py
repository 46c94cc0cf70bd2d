"""The origins at which browsers may rightly have found our pages: whatever else they say they come from is refused."""

from __future__ import annotations

from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost")
"""The names of one's own machine, by either of which a person may open a console that runs there."""

DEFAULT_PORTS = {"http": 80, "https": 443}


def own_origins(url: str) -> tuple[str, ...]:
    """The origin of the public address first; on one's own machine under each of its names, at the same port."""
    host = urlsplit(url).hostname or ""
    if host not in LOOPBACK:
        return (origin_of(url),)
    names = (host, *(name for name in LOOPBACK if name != host))
    return tuple(origin_of(urlsplit(url)._replace(netloc=_netloc(url, name)).geturl()) for name in names)


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, as browsers write them in `Origin`: a default port is left out."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _netloc(url: str, host: str) -> str:
    port = urlsplit(url).port
    return host if port is None else f"{host}:{port}"
