"""One of several servers of the API: `python -m tests.support.api_server DATABASE_URL PORT [STRIPE_KEY STRIPE_URL]`."""

from __future__ import annotations

import asyncio
import sys

from granian.constants import Interfaces
from granian.server.embed import Server

from billing_app.api.app import create_api
from billing_app.db import Database
from billing_app.settings import Settings


def main(url: str, port: str, key: str = "", stripe: str = "") -> None:
    """Serves until it is told to end."""
    secrets = {"stripe_api_secret": key, "stripe_webhook_secret": "whsec_unused", "stripe_api_base": stripe}
    settings = Settings(
        _env_file=None,
        public_url=f"http://127.0.0.1:{port}",
        rate_limit_per_minute=100_000,
        **(secrets if key else {}),  # ty: ignore[invalid-argument-type]
    )
    app = create_api(Database(url), settings)
    asyncio.run(Server(app, port=int(port), interface=Interfaces.ASGI, log_enabled=False).serve())


if __name__ == "__main__":
    main(*sys.argv[1:])
