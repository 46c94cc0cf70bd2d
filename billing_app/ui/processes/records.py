"""The records that the wizard of a process is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.ui.kit.records import MetricLabel


@dataclass(frozen=True)
class WizardStep:
    """One step; `lacks` is how much is missing in it."""

    id: str = ""
    name: str = ""
    number: str = ""
    here: bool = False
    done: bool = False
    lacks: str = ""


@dataclass(frozen=True)
class QuestionRow:
    """One question. `place` is its place among all, from 0."""

    place: int = 0
    name: str = ""
    title: str = ""
    answers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ChoiceRow:
    """A way of voting or feature that may be chosen, or says why not."""

    id: str = ""
    name: str = ""
    description: str = ""
    chosen: bool = False
    open: bool = False
    note: str = ""


@dataclass(frozen=True)
class UseRow:
    """What publishing takes of a metric."""

    metric: MetricLabel = field(default_factory=MetricLabel)
    needed: str = ""
    split: str = ""
    short: str = ""
    offer: str = ""
    offer_href: str = ""
