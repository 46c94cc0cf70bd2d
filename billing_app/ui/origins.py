"""Which pages may open the websocket: our own, wherever a browser may rightly have found them."""

from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost")


def own_origins(public_url: str) -> list[str]:
    """The origin of the public address; on one's own machine under both of its names."""
    parts = urlsplit(public_url)
    port = f":{parts.port}" if parts.port else ""
    hosts = LOOPBACK if parts.hostname in LOOPBACK else (parts.hostname or "",)
    return [f"{parts.scheme}://{host}{port}" for host in hosts]
