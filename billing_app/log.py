"""Loggers that import structlog with their first line: it brings rich and asyncio, and most commands say nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

_preparations: list[Callable[[], None]] = []


def prepare(how: Callable[[], None]) -> None:
    """Sets how structlog is configured before the first line of a process that has not done it itself."""
    _preparations[:] = [how]


class Logger:
    """structlog's logger of a name, made when something is logged."""

    def __init__(self, *name: str) -> None:
        self._name = name

    @cached_property
    def _logger(self) -> Any:
        import structlog

        while _preparations:
            _preparations.pop()()
        return structlog.get_logger(*self._name)

    def __getattr__(self, method: str) -> Any:
        return getattr(self._logger, method)


def get_logger(*name: str) -> Logger:
    """A logger that costs nothing until it is used; without a `name` it is the console's."""
    return Logger(*name)
