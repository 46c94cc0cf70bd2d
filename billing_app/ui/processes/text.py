"""The list of processes, with the limits that it counts against."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.domain.catalogue import VotingType
from billing_app.domain.organizations.limits import LimitUse
from billing_app.domain.processes.processes import ProcessState
from billing_app.domain.processes.voting import DESCRIPTIONS
from billing_app.services.overview.views_frame import FrameView
from billing_app.services.processes.views import ProcessesView, ProcessLine
from billing_app.ui import routes
from billing_app.ui.kit.formats import Formats, day
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

    id: str = ""
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
        id=line.id,
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
