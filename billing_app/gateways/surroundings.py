"""Whether what a console needs besides its database is there: Redis, a mail server, room on the disk.

Each question is answered with what is wrong, in a few words without secrets, or with nothing.
"""

from __future__ import annotations

import os
import shutil
import smtplib
import ssl
from pathlib import Path
from urllib.parse import unquote, urlsplit

SECONDS = 3.0
"""How long one is waited for: readiness is asked often, and nobody waits longer for a start than he must."""

LEAST_FREE_MB = 16
"""Below it a commit may fail at any moment: SQLite's log grows by as much between two of its clearings."""

SMTP_PORTS = {"smtp": 587, "smtps": 465}


def redis_problem(url: str) -> str:
    """Why pages' state cannot be kept there."""
    import redis

    try:
        with redis.Redis.from_url(url, socket_connect_timeout=SECONDS, socket_timeout=SECONDS) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        return f"Redis does not answer ({_first_line(error)})"
    return ""


def mail_problem(url: str) -> str:
    """Why no mail can be handed over: connects and signs in, and sends nothing."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or SMTP_PORTS.get(parts.scheme, 0)
    context = ssl.create_default_context()
    try:
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=SECONDS)
        with server:
            if parts.scheme == "smtp" and host not in ("127.0.0.1", "::1", "localhost"):
                server.starttls(context=context)
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
    except smtplib.SMTPAuthenticationError:
        return f"the mail server {host}:{port} refuses the user or password"
    except (smtplib.SMTPException, OSError) as error:
        return f"the mail server {host}:{port} does not answer ({_first_line(error)})"
    return ""


def disk_problem(file: Path, least_mb: int = LEAST_FREE_MB) -> str:
    """Why nothing can be written where `file` lies, or nearly nothing."""
    folder = file.absolute().parent
    try:
        free_mb = shutil.disk_usage(folder).free // 2**20
    except OSError as error:
        return f"{folder} cannot be looked at ({error.strerror})"
    if free_mb < least_mb:
        return f"only {free_mb} MB are free where {folder} lies"
    if not os.access(folder, os.W_OK) or (file.exists() and not os.access(file, os.W_OK)):
        return f"{file} cannot be written"
    return ""


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
