"""The page of features: what the plan includes, switched on or off, and which plan has the rest."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.domain.processes.voting import Option, OptionKind, OptionState
from billing_app.services.overview.views_frame import FrameView
from billing_app.services.processes.views import OptionsView
from billing_app.ui import routes
from billing_app.ui.frame.text import buying_address
from billing_app.ui.kit.formats import Formats, long_day


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
    plan: str = ""
    summary: str = ""
    features: list[OptionRow] = field(default_factory=list)
    voting_types: list[OptionRow] = field(default_factory=list)
    may_change: bool = False
    why_not: str = ""
    """Why nothing can be switched; empty when it can."""


def features_screen(view: OptionsView, frame: FrameView, _formats: Formats) -> FeaturesScreen:
    """The page of an organization."""
    plan_href = routes.plan(buying_address(frame))
    usable = sum(each.usable for each in view.options)
    return FeaturesScreen(
        ready=True,
        plan=view.plan,
        summary=f"{usable} of {len(view.options)} usable on {view.plan}",
        features=[option_row(each, view, plan_href) for each in view.options if each.kind is OptionKind.FEATURE],
        voting_types=[
            option_row(each, view, plan_href) for each in view.options if each.kind is OptionKind.VOTING_TYPE
        ],
        may_change=view.may_change,
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
    return f"In {names[0]}" if len(names) == 1 else f"In {', '.join(names[:-1])} and {names[-1]}"
