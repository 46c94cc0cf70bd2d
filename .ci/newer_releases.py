"""A package index on this machine that has a newer release of every package which the locks ask for with an extra.

What is installed in a year from now meets newer releases of everything. Older pips look at them even where a lock pins
another version, and refuse to install anything. `python3 .ci/newer_releases.py LOCK...` prints the index's address and
serves until it is stopped.
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERSION = "9999.0"
"""Newer than any release of any package."""

EXTRAS = ("argon2", "binary", "httpx", "reload", "standard")


def names(locks: list[Path]) -> set[str]:
    """The packages that the locks ask for with an extra, all of whose extras the newer release has too."""
    return {name for lock in locks for name in re.findall(r"^([a-z0-9-]+)\[[^]]+\]==", lock.read_text(), re.MULTILINE)}


def wheel(name: str) -> bytes:
    """A package of that name with nothing in it, whose extras need nothing."""
    folder = f"{name.replace('-', '_')}-{VERSION}.dist-info"
    extras = "".join(f"Provides-Extra: {extra}\n" for extra in EXTRAS)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n{extras}")
        archive.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{folder}/RECORD", "")
    return content.getvalue()


class Index(BaseHTTPRequestHandler):
    """Answers as the simple repository API says; whatever it does not have is elsewhere."""

    offered: set[str]

    def do_GET(self) -> None:
        """A package's page, or its only file."""
        name = self.path.strip("/").split("/")[0]
        if name not in self.offered:
            self.send_error(404)
        elif self.path.endswith(".whl"):
            self._answer("application/octet-stream", wheel(name))
        else:
            file = f"{name.replace('-', '_')}-{VERSION}-py3-none-any.whl"
            self._answer("text/html", f'<!DOCTYPE html><a href="/{name}/{file}">{file}</a>'.encode())

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def main() -> None:
    """Prints the address and serves."""
    Index.offered = names([Path(argument) for argument in sys.argv[1:]])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}/\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
