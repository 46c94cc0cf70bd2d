"""How many of each an organization may have at once: the plan's limits, and what the operator put in their place.

None is unlimited, 0 is none. `max_census_size` is not counted up: it bounds each process by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from billing_app.domain.catalogue import PlanLimits


class Limit(StrEnum):
    """The limits of the plan object, as `plans.json` and the API name them."""

    MEMBERSHIPS = "memberships"
    SUB_ORGS = "subOrgs"
    PROCESSES = "maxProcesses"
    CENSUS = "max_census_size"
    CUSTOM_URL = "customURL"
    DRAFTS = "drafts"


COUNTED = (Limit.MEMBERSHIPS, Limit.SUB_ORGS, Limit.PROCESSES, Limit.DRAFTS)
"""Limits on how many there are at once."""


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One limit and how much of it is taken; of the census, how large the largest is. `maximum` None is unlimited.

    `overridden` says that the maximum is the operator's, in place of the plan's.
    """

    limit: Limit
    maximum: int | None
    used: int
    overridden: bool = False

    def fits(self, requested: int = 1) -> bool:
        """Whether so many more may be created: all of them, or none."""
        taken = 0 if self.limit is Limit.CENSUS else self.used
        return self.maximum is None or taken + requested <= self.maximum

    @property
    def over(self) -> int:
        """How many there are more than the plan allows, after a smaller one."""
        return 0 if self.maximum is None else max(0, self.used - self.maximum)


def maximum(limits: PlanLimits, overrides: Mapping[str, int | None], limit: Limit) -> int | None:
    """What holds: an override where there is one, else the plan. customURL is 1 or 0."""
    if limit.value in overrides:
        return overrides[limit.value]
    if limit is Limit.CUSTOM_URL:
        return int(limits.custom_url)
    return {
        Limit.MEMBERSHIPS: limits.memberships,
        Limit.SUB_ORGS: limits.sub_orgs,
        Limit.PROCESSES: limits.max_processes,
        Limit.CENSUS: limits.max_census_size,
        Limit.DRAFTS: limits.drafts,
    }[limit]


NOUNS = {
    Limit.MEMBERSHIPS: ("member", "members"),
    Limit.SUB_ORGS: ("sub-organization", "sub-organizations"),
    Limit.PROCESSES: ("process", "processes"),
    Limit.CENSUS: ("voter", "voters"),
    Limit.DRAFTS: ("draft", "drafts"),
}


def why_full(plan: str, use: LimitUse, requested: int = 1) -> str:
    """Why nothing more fits into a limit, for whoever is refused and for whoever would be; `plan` is its name."""
    if use.limit is Limit.CUSTOM_URL:
        return f"The plan {plan} does not include a web address of your own. A larger plan does."
    one, many = NOUNS[use.limit]
    if use.overridden:
        return _overridden(plan, use, requested)
    if use.limit is Limit.CENSUS:
        return f"The plan {plan} allows {use.maximum} {many} in a process; this one has {requested}."
    if not use.maximum:
        return f"The plan {plan} includes no {many}. A larger plan does."
    noun = one if use.maximum == 1 else many
    return f"The plan {plan} allows {use.maximum} {noun}, and {use.used} are taken. Choose a larger plan for more."


def _overridden(plan: str, use: LimitUse, requested: int) -> str:
    """What the operator put in place of the plan's limit is never said to be the plan's."""
    one, many = NOUNS[use.limit]
    noun = one if use.maximum == 1 else many
    given = f"The operator has set {use.maximum} {noun} in place of what the plan {plan} says"
    if use.limit is Limit.CENSUS:
        return f"{given}, for each process; this one has {requested}. Ask the operator for more."
    return f"{given}, and {use.used} are taken. Ask the operator for more."
