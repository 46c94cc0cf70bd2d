"""What the pages of features and processes show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.organizations.limits import LimitUse
from billing_app.domain.processes.processes import Content, Missing
from billing_app.domain.processes.voting import Option
from billing_app.services.credits.views_shared import OfferView


@dataclass(frozen=True, slots=True)
class OptionsView:
    """Every feature and way of voting; `plan_names` are of the plans that options name."""

    plan: str
    options: tuple[Option, ...]
    plan_names: Mapping[str, str]
    may_change: bool


@dataclass(frozen=True, slots=True)
class ProcessLine:
    """One process of the list."""

    id: str
    title: str
    state: str
    census: int
    voting_type: str
    starts_at: datetime | None
    ends_at: datetime | None
    changed_at: datetime
    published_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProcessesView:
    """A page of the list, with the limits that it counts against."""

    now: datetime
    lines: tuple[ProcessLine, ...]
    next_cursor: str
    processes: LimitUse
    drafts: LimitUse
    may_change: bool


@dataclass(frozen=True, slots=True)
class UseView:
    """What a process uses of one metric: out of the plan, out of credits, and what is missing.

    `available` is what could be taken now, None without end; `offer` covers what is missing.
    """

    metric: Metric
    needed: int
    by_plan: int
    by_credits: int
    missing: int
    available: int | None
    offer: OfferView | None


@dataclass(frozen=True, slots=True)
class ProcessView:
    """One process in the wizard: what was filled in, what it may use, and what publishing takes."""

    now: datetime
    id: str
    state: str
    revision: int
    content: Content
    changed_at: datetime | None
    published_at: datetime | None
    ended_at: datetime | None
    taken: Mapping[str, int]
    options: OptionsView
    processes: LimitUse
    drafts: LimitUse
    census: LimitUse
    uses: tuple[UseView, ...]
    missing: tuple[Missing, ...]
    metrics: Mapping[str, Metric]
