"""Builds the pages over samples and serves them: `python -m tests.ui.serve_samples [--no-build] [PORT]`."""

from __future__ import annotations

import os
import subprocess
import sys

from billing_app.launcher.frontend import environment
from billing_app.locations import ROOT

ENVIRONMENT = {
    "REFLEX_APP_MODULE_IMPORT": "tests.ui.sample_app",
    "PYTHONPATH": str(ROOT),
    # Its own folder, so that the product's built pages stay as they are.
    "REFLEX_WEB_WORKDIR": str(ROOT / "var" / "samples-web"),
}


def main() -> None:
    """Build unless told not to, then serve on one port until stopped."""
    port = next((one for one in sys.argv[1:] if one.isdigit()), "3111")
    env = environment() | ENVIRONMENT | {"BILLING_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    env["REFLEX_API_URL"] = f"http://127.0.0.1:{port}"
    if "--no-build" not in sys.argv:
        command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip", "--env", "prod"]
        subprocess.run(command, cwd=ROOT, env=env, check=True)
    env |= {"REFLEX_ENV_MODE": "prod", "__REFLEX_SKIP_COMPILE": "true", "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true"}
    server = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--port", port]
    os.chdir(ROOT)
    os.execve(sys.executable, [*server, "--log-level", "warning", "tests.ui.sample_app:app"], env)


if __name__ == "__main__":
    main()
