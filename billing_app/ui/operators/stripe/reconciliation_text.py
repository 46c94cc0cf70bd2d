"""The comparison with Stripe, for an operator."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from billing_app.services.operators.views_operations import FindingAnswer, ReconciliationView, RunAnswer
from billing_app.ui import operator_routes
from billing_app.ui.kit.formats import Formats, clock, moment_text, plain_day

TITLES = {
    "event_missed": "Never arrived",
    "event_failed": "Could not be handled",
    "payment_not_granted": "Paid, not granted",
    "order_left_open": "Order left open",
    "reversal_missed": "Refund or dispute unknown",
    "customer_differs": "Customer differed",
    "subscription_differs": "Subscription differed",
    "invoice_not_granted": "Invoice not granted",
    "not_repaired": "Not repaired",
    "unknown_organization": "Paid by nobody here",
    "unknown_order": "Order unknown",
    "payment_missing": "Payment unknown to Stripe",
    "amount_differs": "Amount differs",
    "grants_differ": "Grants differ",
    "price_without_pack": "Price without a pack",
    "price_differs": "Price differs",
    "unknown_price": "Unknown price",
    "second_subscription": "Another subscription",
}
"""Codes in words."""

TRIGGERS = {"schedule": "by itself", "demand": "asked for"}


@dataclass(frozen=True)
class FindingRow:
    """One finding."""

    title: str = ""
    detail: str = ""
    object_id: str = ""
    organization: str = ""
    href: str = ""


@dataclass(frozen=True)
class RunRow:
    """One run of the history."""

    when: str = ""
    trigger: str = ""
    compared: str = ""
    repaired: str = ""
    remaining: str = ""
    needs_you: bool = False
    state: str = ""
    tone: str = ""
    href: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class ReconciliationScreen:
    """The page. `sentence` is the answer in one line; `running` has its progress in `share` and `stage`."""

    ready: bool = False
    selling: bool = False
    empty: bool = False
    sentence: str = ""
    tone: str = ""
    note: str = ""
    running: bool = False
    share: str = "0%"
    stage: str = ""
    problem: str = ""
    needs_you: list[FindingRow] = field(default_factory=list)
    repaired: list[FindingRow] = field(default_factory=list)
    repaired_title: str = "Repaired"
    repaired_count: str = ""
    runs: list[RunRow] = field(default_factory=list)
    older_href: str = ""
    next_run: str = ""


def reconciliation_screen(view: ReconciliationView, formats: Formats, cursor: str) -> ReconciliationScreen:
    """The page as the screen has it."""
    run = view.report
    next_run = f"Next by itself at {clock(view.next_run)} UTC"
    if run is None:
        return ReconciliationScreen(ready=True, selling=view.selling, empty=True, next_run=next_run)
    needs = [_finding(each) for each in run.findings if not each.repaired]
    repaired = _alike([each for each in run.findings if each.repaired])
    sentence, tone = _sentence(run, formats)
    return ReconciliationScreen(
        ready=True,
        selling=view.selling,
        sentence=sentence,
        tone=tone,
        note=_note(run, formats),
        running=run.state == "running",
        share=f"{100 * run.stage / run.stages:.0f}%",
        stage=f"Comparing {run.stage_name}" if run.stage_name else "",
        problem=run.error,
        needs_you=needs,
        repaired=repaired,
        repaired_count=formats.number(run.repaired),
        repaired_title="Would be repaired" if run.dry else "Repaired",
        runs=[_run(each, formats, each.id == run.id) for each in view.runs],
        older_href=operator_routes.reconciliation(cursor=view.next_cursor) if view.next_cursor else "",
        next_run=next_run,
    )


def _sentence(run: RunAnswer, formats: Formats) -> tuple[str, str]:
    """The answer first: does everything agree?"""
    if run.state == "running":
        return "Comparing everything with Stripe now", ""
    if run.state in ("stopped", "failed"):
        return "The last comparison was stopped. The next one continues where it was.", "soon"
    if run.remaining:
        verb = "difference needs" if run.remaining == 1 else "differences need"
        return f"{formats.number(run.remaining)} {verb} you", "blocked"
    if run.repaired:
        done = "would be repaired" if run.dry else "repaired"
        noun = "difference" if run.repaired == 1 else "differences"
        return f"{formats.number(run.repaired)} {noun} {done}. Everything agrees with Stripe.", ""
    return "Everything agrees with Stripe", ""


def _note(run: RunAnswer, formats: Formats) -> str:
    when = moment_text(run.finished_at or run.started_at)
    compared = f"{formats.number(run.compared)} objects since {plain_day(run.since)}"
    return f"{when} \N{MIDDLE DOT} {compared}"


def _alike(findings: list[FindingAnswer]) -> list[FindingRow]:
    """What was repaired, one row for all of the same kind and organization: nobody has to do anything about them."""
    groups: dict[tuple[str, str], list[FindingAnswer]] = {}
    for each in findings:
        groups.setdefault((each.code, each.address), []).append(each)
    rows = []
    for group in groups.values():
        row = _finding(group[0])
        others = len(group) - 1
        more = f" And {others} more like it." if others else ""
        rows.append(replace(row, detail=row.detail + more))
    return rows


def _finding(each: FindingAnswer) -> FindingRow:
    return FindingRow(
        title=TITLES.get(each.code, each.code.replace("_", " ").capitalize()),
        detail=each.detail,
        object_id=each.object_id,
        organization=each.organization,
        href=operator_routes.organization(each.address) if each.address else "",
    )


def _run(run: RunAnswer, formats: Formats, chosen: bool) -> RunRow:
    state, tone = {
        "running": ("Running", "credits"),
        "stopped": ("Stopped", "soon"),
        "failed": ("Failed", "soon"),
        "finished": ("Dry run", "quiet") if run.dry else ("", ""),
    }[run.state]
    return RunRow(
        when=moment_text(run.started_at),
        trigger=TRIGGERS.get(run.trigger, run.trigger),
        compared=formats.number(run.compared),
        repaired=formats.number(run.repaired),
        remaining=formats.number(run.remaining),
        needs_you=run.remaining > 0,
        state=state,
        tone=tone,
        href=operator_routes.reconciliation(run=run.id),
        chosen=chosen,
    )
