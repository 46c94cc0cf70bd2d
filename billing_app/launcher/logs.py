"""Where the web processes write what they do: lines of JSON, on stderr or in a file."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from billing_app import private_files

FILE_VARIABLE = "BILLING_LOG_FILE"
"""Names the file, from the process that starts to those that serve. With the demo, the terminal stays readable."""

SHARED = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)

TRACES = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
"""Where it broke, without what was in the variables there: a password, a key, a Cookie header."""

PLAIN = (
    *SHARED,
    structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
)
"""The same for commands, which people read. structlog's own form prints every variable, which can take minutes."""


def configure() -> None:
    """Sends structlog's lines and the standard library's warnings to one place, in one form."""
    stream = _stream()
    render = (TRACES, structlog.processors.JSONRenderer())
    structlog.configure(
        processors=[*SHARED, *render],
        logger_factory=structlog.WriteLoggerFactory(stream),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*SHARED, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _stream() -> TextIO:
    file = os.environ.get(FILE_VARIABLE, "")
    # Line by line, so that a kill loses none and several processes do not mix theirs.
    if not file:
        return sys.stderr
    return open(file, "a", encoding="utf-8", buffering=1, opener=private_files.opener)
