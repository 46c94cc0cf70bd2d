"""What the catalogue editor sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from billing_app.domain.catalogue import CatalogChange, Metric
from billing_app.domain.credits.entitlements import MeterState
from billing_app.domain.organizations.limits import LimitUse
from billing_app.services.catalogue.versions import LoadResult
from billing_app.services.common.answers import Internal


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
class CatalogueAnswer:
    """A version of the catalogue, whole."""

    version: int
    effective_at: datetime
    source: str
    document: Mapping[str, Any]
    now: Internal[datetime]
    file: Internal[FileView] = FileView()
    """How plans.json stands to it."""


@dataclass(frozen=True, slots=True)
class CheckView:
    """What is known of an edit while it is made: mistakes as (place, message), changes, and how many feel it.

    `newer` is the version that somebody else saved meanwhile, or 0.
    """

    mistakes: tuple[tuple[str, str], ...] = ()
    changes: tuple[CatalogChange, ...] = ()
    affected: int = 0
    newer: int = 0


@dataclass(frozen=True, slots=True)
class MetricEffect:
    """What an edit does to a metric of an organization, at the moment of saving."""

    metric: Metric
    allowance: tuple[int | None, int | None]
    left: tuple[int, int]
    deficit: tuple[int, int]
    state: tuple[MeterState, MeterState]


@dataclass(frozen=True, slots=True)
class Affected:
    """An organization that feels an edit: the changes of its plan, and what they do to its credits."""

    address: str
    name: str
    plan: str
    plan_name: str
    changes: tuple[CatalogChange, ...]
    metrics: tuple[MetricEffect, ...]
    next_period: datetime
    over: tuple[LimitUse, ...] = ()
    """Limits of which they have more than the edit allows; nothing of it goes, and nothing more can be made."""

    @property
    def blocked_by_it(self) -> bool:
        """Whether something that works now stops."""
        return any(each.state[1] is MeterState.BLOCKED is not each.state[0] for each in self.metrics)


@dataclass(frozen=True, slots=True)
class Preview:
    """What saving an edit would do. `affected` has the details of the first, `count` is how many there are."""

    result: LoadResult
    affected: tuple[Affected, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Version:
    """One version: where it came from, and what it changed of the one before. `in_force` holds now."""

    version: int
    effective_at: datetime
    recorded_at: datetime
    source: str
    corrects: int | None
    corrected_by: int | None
    in_force: bool
    changes: tuple[CatalogChange, ...]
