"""Runs of the recount, for an operator."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.services.operators.views_operations import RecountAnswer, RecountsView
from billing_app.ui import operator_routes
from billing_app.ui.kit.formats import Formats, clock, moment_text

TRIGGERS = {"schedule": "by itself", "catch_up": "caught up after a stop", "demand": "asked for"}


@dataclass(frozen=True)
class RecountRow:
    """One run."""

    when: str = ""
    trigger: str = ""
    seen: str = ""
    changed: str = ""
    written: str = ""
    took: str = ""
    state: str = ""
    tone: str = ""
    error: str = ""


@dataclass(frozen=True)
class RecountsScreen:
    """The page."""

    ready: bool = False
    sentence: str = ""
    note: str = ""
    rows: list[RecountRow] = field(default_factory=list)
    older_href: str = ""
    newest_href: str = ""


def recounts_screen(view: RecountsView, formats: Formats, cursor: str) -> RecountsScreen:
    """The page as the screen has it."""
    if view.behind:
        noun = "organization is" if view.behind == 1 else "organizations are"
        sentence = f"{formats.number(view.behind)} {noun} behind the facts"
    else:
        sentence = "Every ledger is up to date"
    return RecountsScreen(
        ready=True,
        sentence=sentence,
        note=f"Next by itself at {clock(view.next_run)} UTC. Balances and checks are right in between, too.",
        rows=[_row(each, formats) for each in view.runs],
        older_href=operator_routes.recounts(cursor=view.next_cursor) if view.next_cursor else "",
        newest_href=operator_routes.recounts() if cursor else "",
    )


def _row(run: RecountAnswer, formats: Formats) -> RecountRow:
    state, tone = ("Running", "credits") if run.finished_at is None else ("", "")
    if run.error:
        state, tone = "Failed", "blocked"
    elif run.repaired:
        state, tone = "Repaired", "credits"
    return RecountRow(
        when=moment_text(run.started_at),
        trigger=TRIGGERS.get(run.trigger, run.trigger),
        seen=formats.number(run.organizations_seen),
        changed=formats.number(run.organizations_changed),
        written=formats.number(run.entries),
        took="" if run.duration_ms is None else _took(run.duration_ms, formats),
        state=state,
        tone=tone,
        error=run.error or _repaired(run.repaired, formats),
    )


def _repaired(organizations: int, formats: Formats) -> str:
    """What a run put right (docs/decisions/0021)."""
    if not organizations:
        return ""
    noun = "organization" if organizations == 1 else "organizations"
    return f"A clock was ahead: figures of {formats.number(organizations)} {noun} were put right."


def _took(milliseconds: int, formats: Formats) -> str:
    if milliseconds < 1_000:
        return f"{formats.number(milliseconds)} ms"
    return f"{formats.number(milliseconds // 1_000)} s"
