"""Whom this process trusts where it speaks TLS, for every program of its own that asks another by HTTP."""

from __future__ import annotations

import ssl
from functools import lru_cache


@lru_cache(maxsize=1)
def context() -> ssl.SSLContext:
    """The usual authorities. Reading them takes a tenth of a second, which httpx would do for every request: once."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)
