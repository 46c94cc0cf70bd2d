"""The one port of the console, and free ones for its children."""

from __future__ import annotations

import errno
import os
import socket

from billing_app.domain.common.errors import UnavailableError


def require_free(host: str, port: int) -> None:
    """Refuses a port that this process cannot listen on."""
    with socket.socket(_family(host)) as probe:
        if os.name == "posix":
            # As the server does: connections of an earlier run that are still closing are no other program.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UnavailableError(_why(host, port, error)) from None


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is taken by another program, perhaps a console that already runs: stop it, "
            f"or choose another port with PORT={port + 1}."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for the system: choose one above 1023, such as PORT=3000."
    return f"Nothing can listen on {host}, port {port}: {error.strerror}."
