"""Where the console finds what belongs to it, in a checkout and installed from a wheel, and where it may write.

In a checkout plans.json, migrations and assets lie beside the package; a wheel carries them inside it (pyproject.toml),
where nothing is ever written.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent

_CARRIED = PACKAGE / "project"
"""Made by the wheel's build; no checkout has it."""

INSTALLED = _CARRIED.is_dir()

ROOT = _CARRIED if INSTALLED else PACKAGE.parent
"""The folder of plans.json, migrations, assets, reflex.lock and rxconfig.py."""

CODE = PACKAGE.parent
"""The folder of the package itself."""

HOME = "BILLING_HOME"

PREFIX = "/_sandbox"
"""Where on the console's own port its fake Stripe is (billing_app.forwarding)."""

FAKE_STRIPE = "BILLING_FAKE_STRIPE"
"""Set by the launcher for its web processes where it started a fake Stripe: `billing serve` never does."""


def started_in() -> Path:
    """The folder of `.env`, and from which relative names in the settings count: BILLING_HOME, or where we are."""
    told = os.environ.get(HOME, "").strip()
    return Path(told).expanduser().absolute() if told else Path.cwd()


def home() -> Path:
    """The folder of `var/` and of built pages: BILLING_HOME, else the checkout, else where we are."""
    return started_in() if INSTALLED or os.environ.get(HOME, "").strip() else ROOT


VAR = home() / "var"
"""Where databases, keys and logs lie unless the command line says otherwise."""


def catalogue_file() -> Path:
    """The plans.json that is loaded unless the settings name another: one's own, else the one that came along."""
    own = home() / "plans.json"
    return own if own.is_file() else ROOT / "plans.json"


def env_file() -> Path:
    """The settings' file."""
    return started_in() / ".env"
