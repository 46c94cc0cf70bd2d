"""The pages' JavaScript: built by the Node of a Python package, and again only when what it is made of changed."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from billing_app.domain.errors import UnavailableError
from billing_app.settings import ROOT

BUILT = ROOT / ".web" / "build"
"""Reflex writes here, and empties it when a build begins: a half-made build has no stamp."""

STAMP = BUILT / "made-of.sha256"

MADE_OF = (
    "rxconfig.py",
    "requirements.lock",
    "reflex.lock",
    "assets",
    "billing_app/billing_app.py",
    "billing_app/settings.py",
    "billing_app/domain",
    "billing_app/ui",
)
"""What decides how the pages look before any data: everything else reaches them through state."""

ANY_ORIGIN = "http://console.invalid"
"""The address built into the pages, replaced afterwards by the address at which a browser found them."""

LAST_LINES = 15
"""How much of a failed build's output is shown."""


def ensure_built(log: Path, *, announce: bool = True) -> bool:
    """Builds the pages unless they are up to date; says whether it did."""
    wanted = fingerprint(ROOT)
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted:
        return False
    if announce:
        print("Building the pages; the first time takes about half a minute", flush=True)
    _export(log)
    for file in (BUILT / "client" / "assets").glob("reflex-env-*.js"):
        follow_any_origin(file)
    STAMP.write_text(wanted, encoding="utf-8")
    return True


def fingerprint(root: Path) -> str:
    """One hash of everything the pages are made of."""
    digest = hashlib.sha256()
    for file in _sources(root):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def follow_any_origin(file: Path) -> None:
    """Makes the built pages speak to the address they came from.

    Reflex builds its server's address in, port included, so that another port or host name would need another build.
    """
    source = file.read_text(encoding="utf-8")
    page, socket = re.escape(ANY_ORIGIN), re.escape(ANY_ORIGIN.replace("http", "ws"))
    source = re.sub(rf"([`'\"]){page}([^`'\"]*)\1", r'(globalThis.location?.origin??"http://localhost")+"\2"', source)
    source = re.sub(
        rf"([`'\"]){socket}([^`'\"]*)\1",
        r'(globalThis.location?.origin??"http://localhost").replace(/^http/,"ws")+"\2"',
        source,
    )
    file.write_text(source, encoding="utf-8")
    for packed in file.parent.glob(f"{file.name}.*"):
        packed.unlink()
    file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(source.encode(), mtime=0))


def environment() -> dict[str, str]:
    """The environment in which Reflex finds the package's Node and tells nobody about it."""
    programs = Path(sys.executable).parent
    search = f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"
    found = os.environ | {
        "PATH": search,
        "REFLEX_USE_NPM": "1",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "REFLEX_DIR": str(Path(sys.prefix) / "share" / "reflex"),
        "REFLEX_API_URL": ANY_ORIGIN,
    }
    # npm's own choice of registry; without it Reflex measures how fast several answer.
    if "NPM_CONFIG_REGISTRY" not in found and (registry := _npm_registry(programs, found)):
        found["NPM_CONFIG_REGISTRY"] = registry
    return found


def _npm_registry(programs: Path, found: dict[str, str]) -> str:
    npm = programs / "npm"
    if not npm.exists():
        raise UnavailableError("The Node package is missing from .venv: remove .venv and run make again.")
    asked = subprocess.run(
        [npm, "config", "get", "registry"],
        env=found,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip()


def _export(log: Path) -> None:
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip", "--env", "prod"]
    with log.open("wb") as output:
        done = subprocess.run(
            command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if done.returncode != 0 or not (BUILT / "client").exists():
        last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:])
        raise UnavailableError(f"{last}\n\nThe pages could not be built; all of the output is in {log}.")


def _sources(root: Path) -> Iterator[Path]:
    for name in MADE_OF:
        place = root / name
        if place.is_file():
            yield place
        elif place.is_dir():
            for file in sorted(place.rglob("*")):
                inside = file.relative_to(root).parts
                # Reflex itself links shared files into assets/external while it builds.
                if file.is_file() and "__pycache__" not in inside and inside[:2] != ("assets", "external"):
                    yield file
