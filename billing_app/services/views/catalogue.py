"""What the catalogue editor sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing_app.domain.catalog import CatalogChange


@dataclass(frozen=True, slots=True)
class CatalogueView:
    """The version that an edit begins with. `file_conflict` are the places in which plans.json would undo edits."""

    version: int
    effective_at: datetime
    source: str
    document: Mapping[str, Any]
    now: datetime
    file_conflict: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckView:
    """What is known of an edit while it is made: mistakes as (place, message), changes, and how many feel it.

    `newer` is the version that somebody else saved meanwhile, or 0.
    """

    mistakes: tuple[tuple[str, str], ...] = ()
    changes: tuple[CatalogChange, ...] = ()
    affected: int = 0
    newer: int = 0
