"""`python -m fake_stripe`: serve the fake Stripe alone."""

import argparse
import logging
import sys
from pathlib import Path

from fake_stripe.deliveries import RETRY_DELAYS_SECONDS
from fake_stripe.server import LiveKeyNearby, run
from fake_stripe.storage.database import WrongDatabase


def _delays(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",") if part)


def main() -> int:
    """Read the command line and serve; the process's exit status."""
    parser = argparse.ArgumentParser(prog="fake_stripe", description="A fake Stripe on this machine.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--database", type=Path, default=Path("var/sandbox.db"), help="its state; made if absent")
    parser.add_argument(
        "--public-url", help="from where browsers reach its pages (default: its own address and /_sandbox)"
    )
    parser.add_argument("--parent-pid", type=int, help="stop when this process is gone")
    parser.add_argument(
        "--retry-delays",
        type=_delays,
        default=RETRY_DELAYS_SECONDS,
        help="seconds between webhook attempts, comma separated",
    )
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    public_url = chosen.public_url or f"http://{chosen.host}:{chosen.port}/_sandbox"
    try:
        run(chosen.host, chosen.port, chosen.database, public_url, chosen.parent_pid, chosen.retry_delays)
    except (OSError, WrongDatabase, LiveKeyNearby) as error:
        sys.stderr.write(f"The fake Stripe cannot start: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
