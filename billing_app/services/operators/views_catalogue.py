"""What the catalogue editor sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from billing_app.domain.catalogue import CatalogChange


class FileState(StrEnum):
    """What the next start would do with plans.json."""

    KNOWN = "known"
    """Nothing: it says nothing new."""
    WAITING = "waiting"
    """Load it."""
    CONFLICT = "conflict"
    """Leave it and say so: it would undo what was edited since."""
    BROKEN = "broken"
    """Refuse to start."""


@dataclass(frozen=True, slots=True)
class FileView:
    """plans.json beside the catalogue in force; `says` are the places that it changes or undoes, or its mistakes."""

    state: FileState = FileState.KNOWN
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogueView:
    """The version that an edit begins with, and how plans.json stands to it."""

    version: int
    effective_at: datetime
    source: str
    document: Mapping[str, Any]
    now: datetime
    file: FileView = FileView()


@dataclass(frozen=True, slots=True)
class CheckView:
    """What is known of an edit while it is made: mistakes as (place, message), changes, and how many feel it.

    `newer` is the version that somebody else saved meanwhile, or 0.
    """

    mistakes: tuple[tuple[str, str], ...] = ()
    changes: tuple[CatalogChange, ...] = ()
    affected: int = 0
    newer: int = 0
