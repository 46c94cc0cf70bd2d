"""Ways of voting, and whether an organization may use one: the same question as for a feature, so the same answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing_app.domain.catalogue import Catalog, Plan, VotingType
from billing_app.domain.common.errors import InvalidError

DESCRIPTIONS = {
    VotingType.SINGLE: ("Single choice", "One answer to each question."),
    VotingType.MULTIPLE: ("Multiple choice", "Several answers to each question."),
    VotingType.APPROVAL: ("Approval", "Yes or no to each answer."),
    VotingType.CUMULATIVE: ("Cumulative", "Points that are shared out among the answers."),
    VotingType.RANKED: ("Ranked", "The answers in order of preference."),
    VotingType.WEIGHTED: ("Weighted", "Some votes count more than others."),
}
"""Name and sentence of each way of voting. Features bring theirs in the catalogue."""

EMAIL_REMINDER, SMS_NOTIFICATION = "emailReminder", "smsNotification"
"""Features whose use is counted: each message is one of the metric."""

EMAILS, SMS = "emails", "sms"
"""The metrics that a process uses."""


class OptionKind(StrEnum):
    """What a plan includes or does not."""

    FEATURE = "feature"
    VOTING_TYPE = "voting_type"


def option_kind(text: str) -> OptionKind:
    """Raises InvalidError `unknown_feature` for a word that is none."""
    if text not in set(OptionKind):
        raise InvalidError("There is nothing of this kind to switch.", code="unknown_feature")
    return OptionKind(text)


class OptionState(StrEnum):
    """Whether something may be used now."""

    ON = "on"
    OFF = "off"
    """The plan has it; an admin has switched it off."""
    LOCKED = "locked"
    """Neither the plan nor an override has it."""


@dataclass(frozen=True, slots=True)
class Option:
    """A feature or way of voting as one organization has it.

    `plans` are the ids of plans on offer that include it; `until` is when the override that gives or takes it ends.
    """

    kind: OptionKind
    id: str
    name: str
    description: str
    state: OptionState
    plans: tuple[str, ...]
    overridden: bool = False
    until: datetime | None = None

    @property
    def usable(self) -> bool:
        """Whether it may be used now."""
        return self.state is OptionState.ON


@dataclass(frozen=True, slots=True)
class Given:
    """An override: whether the organization has it, whatever its plan says, until a moment (None: without end)."""

    has: bool
    until: datetime | None


def options(
    catalog: Catalog,
    plan: Plan,
    given: dict[tuple[OptionKind, str], Given],
    switched_off: Iterable[tuple[OptionKind, str]],
) -> tuple[Option, ...]:
    """Every feature, then every way of voting, as an organization with this plan has it."""
    off = frozenset(switched_off)
    features = [(OptionKind.FEATURE, each.id, each.name, each.description) for each in catalog.features]
    voting = [(OptionKind.VOTING_TYPE, each.value, *DESCRIPTIONS[each]) for each in VotingType]
    found = []
    for kind, name, title, sentence in [*features, *voting]:
        override = given.get((kind, name))
        has = includes(plan, kind, name) if override is None else override.has
        state = OptionState.LOCKED if not has else OptionState.OFF if (kind, name) in off else OptionState.ON
        plans = tuple(each.id for each in catalog.plans if each.offered and includes(each, kind, name))
        until = override.until if override else None
        found.append(Option(kind, name, title, sentence, state, plans, override is not None, until))
    return tuple(found)


def includes(plan: Plan, kind: OptionKind, name: str) -> bool:
    """Whether the plan itself has it."""
    return name in (plan.features if kind is OptionKind.FEATURE else plan.voting_types)
