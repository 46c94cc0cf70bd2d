"""What an operator may change manually for one organization."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing_app.domain.catalogue import Metric


@dataclass(frozen=True, slots=True)
class ManualChangesView:
    """`metrics` and `plans` (id, name) to choose from; `grants` (id, metric, left, name) that have something left.

    `overrides` are in force: kind, name, value, end. `choices` are what can be overridden: kind, name, label.
    """

    metrics: tuple[Metric, ...]
    plans: tuple[tuple[str, str], ...]
    plan: str
    grants: tuple[tuple[str, Metric, int, str], ...]
    overrides: tuple[tuple[str, str, int | None, datetime | None], ...]
    choices: tuple[tuple[str, str, str], ...]
