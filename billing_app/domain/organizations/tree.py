"""The tree of organizations: where one may be placed, and who pays for it when (credits.md, rule 14).

An organization without a parent always pays for itself. A part of another pays for itself while it holds a plan of its
own; else the nearest organization above it that does pays for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from billing_app.domain.common.errors import ConflictError

MAX_LEVELS = 3
"""An organization, its parts, and their parts."""

NO_PLAN = ""
"""Stands in the record of plans for "none of its own any more"."""


def level(parents: Mapping[int, int], organization: int) -> int:
    """How deep it lies: 1 without a parent. `parents` names the parent of each that has one."""
    found = 1
    while organization in parents:
        organization = parents[organization]
        found += 1
        if found > MAX_LEVELS:
            break
    return found


def height(parents: Mapping[int, int], organization: int) -> int:
    """How many levels it takes up with what lies under it: 1 alone."""
    below = [each for each, parent in parents.items() if parent == organization]
    return 1 + max((height(parents, each) for each in below), default=0)


def require_place(parents: Mapping[int, int], organization: int, parent: int) -> None:
    """Whether `organization`, with what lies under it, may become a part of `parent`.

    Raises ConflictError `parent_cycle` or `too_many_levels`.
    """
    above: int | None = parent
    while above is not None:
        if above == organization:
            raise ConflictError("An organization can't be a part of itself or of its own parts.", code="parent_cycle")
        above = parents.get(above)
    if level(parents, parent) + height(parents, organization) > MAX_LEVELS:
        raise ConflictError(
            f"Organizations have at most {MAX_LEVELS} levels: one, its parts, and their parts.", code="too_many_levels"
        )


@dataclass(frozen=True, slots=True)
class Lineage:
    """Parents and plans of one organization and of all that it was ever a part of, by time.

    `parents` has the dated parents of each that has any, the first of which has always been held; `plans` whether a
    plan of its own is held from a moment on. Both in order of time.
    """

    parents: Mapping[int, Sequence[tuple[datetime, int]]] = field(default_factory=dict)
    plans: Mapping[int, Sequence[tuple[datetime, bool]]] = field(default_factory=dict)

    def parent_at(self, organization: int, moment: datetime) -> int | None:
        """What it was a part of at `moment`."""
        held = self.parents.get(organization, ())
        found = held[0][1] if held else None
        for at, parent in held:
            if at <= moment:
                found = parent
        return found

    def holds_plan(self, organization: int, moment: datetime) -> bool:
        """Whether it had a plan of its own at `moment`."""
        found = False
        for at, holds in self.plans.get(organization, ()):
            if at <= moment:
                found = holds
        return found

    def payer_at(self, organization: int, moment: datetime) -> int:
        """Whose plan and credits paid for its use at `moment`."""
        for _ in range(MAX_LEVELS):
            parent = self.parent_at(organization, moment)
            if parent is None or self.holds_plan(organization, moment):
                break
            organization = parent
        return organization
