"""The demo's Stripe key and webhook secret: random, made at first start, readable by their owner only."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from billing_app.domain.common.errors import UnavailableError


@dataclass(frozen=True)
class DemoKeys:
    """What the console and its fake Stripe share."""

    api_secret: str
    webhook_secret: str


def demo_keys(file: Path) -> DemoKeys:
    """Reads the keys, or makes them if this is the first start."""
    if not file.exists():
        made = DemoKeys(
            api_secret=f"sk_test_{secrets.token_urlsafe(32).replace('-', '').replace('_', '')}",
            webhook_secret=f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}",
        )
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            json.dump(asdict(made), opened)
        return made
    try:
        return DemoKeys(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise UnavailableError(
            f"{file} cannot be read: `make reset-demo` starts the demo anew, without the demo remove the file."
        ) from None
