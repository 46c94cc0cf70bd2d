"""The pages of processes and of features: from the view to what the screen shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.domain.catalogue import VotingType
from billing_app.domain.organizations.limits import LimitUse
from billing_app.domain.processes.processes import ProcessState
from billing_app.domain.processes.voting import DESCRIPTIONS, Option, OptionKind, OptionState
from billing_app.services.overview.views_frame import FrameView
from billing_app.services.processes.views import OptionsView, ProcessesView, ProcessLine
from billing_app.ui import routes
from billing_app.ui.frame.text import buying_address
from billing_app.ui.kit.formats import Formats, day, listed, long_day
from billing_app.ui.kit.records import Choice

STATES = {
    ProcessState.DRAFT: ("Draft", ""),
    ProcessState.PUBLISHED: ("Published", "good"),
    ProcessState.CLOSED: ("Closed", ""),
    ProcessState.CANCELLED: ("Cancelled", ""),
}
"""Name and tone of each state."""

FILTERS = (("all", "All"), *((state.value, name) for state, (name, _) in STATES.items()))

UNNAMED = "Untitled process"


@dataclass(frozen=True)
class LimitRow:
    """ "4 of 10 processes" and how full that is; `tone` is "blocked" when none is free."""

    label: str = ""
    value: str = ""
    share: str = "0%"
    tone: str = ""
    unlimited: bool = False


@dataclass(frozen=True)
class ProcessRow:
    """One process."""

    title: str = ""
    state: str = ""
    tone: str = ""
    voting_type: str = ""
    census: str = ""
    when: str = ""
    href: str = ""


@dataclass(frozen=True)
class ProcessesScreen:
    """The page."""

    ready: bool = False
    rows: list[ProcessRow] = field(default_factory=list)
    empty: bool = False
    """There is none at all."""
    filters: list[Choice] = field(default_factory=list)
    filter: str = "all"
    filter_base: str = ""
    older_href: str = ""
    limits: list[LimitRow] = field(default_factory=list)
    may_change: bool = False
    new_href: str = ""


def processes_screen(view: ProcessesView, frame: FrameView, formats: Formats, *, state: str) -> ProcessesScreen:
    """A page of the list."""
    address = frame.organization.address
    chosen = state if state in set(ProcessState) else ""
    return ProcessesScreen(
        ready=True,
        rows=[_row(line, view, address, formats) for line in view.lines],
        empty=not view.lines and not chosen,
        filters=[Choice(value, name) for value, name in FILTERS],
        filter=chosen or "all",
        filter_base=f"{routes.processes(address)}?state=",
        older_href=routes.processes(address, state=chosen, cursor=view.next_cursor) if view.next_cursor else "",
        limits=[
            limit_row("Running processes", view.processes, formats),
            limit_row("Drafts", view.drafts, formats),
        ],
        may_change=view.may_change,
        new_href=routes.process(address),
    )


def limit_row(label: str, use: LimitUse, formats: Formats) -> LimitRow:
    """How much of a limit is taken."""
    used = formats.number(use.used)
    if use.maximum is None:
        return LimitRow(label, used, unlimited=True)
    share = 100 if not use.maximum else min(100, round(100 * use.used / use.maximum))
    tone = "blocked" if use.used >= use.maximum else ""
    return LimitRow(label, f"{used} of {formats.number(use.maximum)}", f"{share}%", tone)


def _row(line: ProcessLine, view: ProcessesView, address: str, formats: Formats) -> ProcessRow:
    name, tone = STATES[ProcessState(line.state)]
    return ProcessRow(
        title=line.title or UNNAMED,
        state=name,
        tone=tone,
        voting_type=DESCRIPTIONS[VotingType(line.voting_type)][0],
        census=formats.number(line.census) if line.census else "\N{EM DASH}",
        when=_when(line, view),
        href=routes.process(address, process=line.id),
    )


def _when(line: ProcessLine, view: ProcessesView) -> str:
    if line.ended_at:
        return f"ended {day(line.ended_at, view.now)}"
    if line.state == ProcessState.DRAFT:
        return f"changed {day(line.changed_at, view.now)}"
    if line.ends_at:
        verb = "until" if line.ends_at > view.now else "was to end"
        return f"{verb} {day(line.ends_at, view.now)}"
    return f"since {day(line.published_at or line.changed_at, view.now)}"


@dataclass(frozen=True)
class OptionRow:
    """One feature or way of voting. `tone` is "on", "off" or "locked"; `note` says why, `plans` who has it."""

    id: str = ""
    kind: str = ""
    name: str = ""
    description: str = ""
    tone: str = "locked"
    note: str = ""
    on: bool = False
    locked: bool = True
    plan_href: str = ""


@dataclass(frozen=True)
class FeaturesScreen:
    """The page."""

    ready: bool = False
    summary: str = ""
    features: list[OptionRow] = field(default_factory=list)
    voting_types: list[OptionRow] = field(default_factory=list)
    why_not: str = ""
    """Why nothing can be switched; empty when it can."""


def features_screen(view: OptionsView, frame: FrameView, _formats: Formats) -> FeaturesScreen:
    """The page of an organization."""
    plan_href = routes.plan(buying_address(frame))
    usable = sum(each.usable for each in view.options)
    return FeaturesScreen(
        ready=True,
        summary=f"{usable} of {len(view.options)} usable on {view.plan}",
        features=[option_row(each, view, plan_href) for each in view.options if each.kind is OptionKind.FEATURE],
        voting_types=[
            option_row(each, view, plan_href) for each in view.options if each.kind is OptionKind.VOTING_TYPE
        ],
        why_not="" if view.may_change else "Only an admin can switch these.",
    )


def option_row(option: Option, view: OptionsView, plan_href: str) -> OptionRow:
    """One line; `plan_href` is where the plan can be changed."""
    return OptionRow(
        id=option.id,
        kind=option.kind.value,
        name=option.name,
        description=option.description,
        tone=option.state.value,
        note=_note(option, view),
        on=option.usable,
        locked=option.state is OptionState.LOCKED,
        plan_href=plan_href if option.state is OptionState.LOCKED else "",
    )


def _note(option: Option, view: OptionsView) -> str:
    if option.state is OptionState.LOCKED:
        return plans_with(option, view)
    if option.overridden:
        until = f" until {long_day(option.until)}" if option.until else ""
        return f"Given to you{until}"
    return f"In {view.plan}"


def plans_with(option: Option, view: OptionsView) -> str:
    """ "In Pro and Custom"; or that no plan on offer has it."""
    names = [view.plan_names.get(plan, plan) for plan in option.plans]
    if not names:
        return "In no plan on offer"
    return f"In {listed(names)}"
