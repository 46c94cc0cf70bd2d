"""Explains a balance at any moment as the sum of everything that made it. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.engine_state import State
from billing_app.domain.forecast import Outlook
from billing_app.domain.periods import Period, period_at, period_containing
from billing_app.domain.postings import bucket_name
from billing_app.domain.running import Step
from billing_app.services import accounts, catalog, labels, outlooks, recounts
from billing_app.services.reading_grants import grant_views
from billing_app.services.reasons import is_late
from billing_app.services.views import ExplainStep, ExplainView, GrantLabel, LateLine, LaterView
from billing_app.store import credits as credit_store
from billing_app.store import ledger as ledger_store
from billing_app.store.tables.ledger import LedgerEntry
from billing_app.store.tables.orgs import Organization

MAX_STEPS = 16
"""More bars than these cannot be told apart on a laptop; older ones are summed up in the first."""

TICK = timedelta(microseconds=1)


def explain(session: Session, organization: Organization, metric_id: str, at: datetime, now: datetime) -> ExplainView:
    """The balance of a metric at `at`, with all facts known now; a moment to come is now.

    `metric_id` empty is the catalogue's first. Raises NotFoundError `metric_not_found`.
    """
    owner = accounts.organization_id(organization)
    moment = min(at, now)
    current = catalog.current(session, now)
    metric = current.metric(metric_id) if metric_id else current.metrics[0]
    look = outlooks.outlook(session, organization, metric.id, moment)
    rows = [row for row in credit_store.grants(session, owner, metric.id) if row.effective_at <= moment]
    entries = ledger_store.of_metric(session, owner, metric.id)
    named = {row.id: labels.grant_label(row) for row in rows}
    steps = _steps(look, named, entries)
    if moment == now:
        _, pending = recounts.balance_of(session, organization, metric.id, look.facts, look.state)
        steps = _with_unposted(steps, look.period, pending, now)
    steps = _with_balances(steps)
    shown, left_out = _shortened(steps)
    account = look.account
    return ExplainView(
        now=now,
        metric=metric,
        metrics=current.metrics,
        at=moment,
        left=account.left,
        granted=sum(grant.quantity - grant.pending for grant in account.grants.values()),
        burned=account.burned,
        expired=account.expired,
        voided=account.voided,
        clawed_back=account.clawed_back,
        held=account.held,
        debt=account.debt,
        steps=tuple(shown),
        steps_left_out=left_out,
        where=tuple(view for view in grant_views(look, rows) if view.left),
        later=_later(look, entries, moment),
    )


def _steps(look: Outlook, named: dict[str, GrantLabel], entries: list[LedgerEntry]) -> list[ExplainStep]:
    """One step per grant and moment, and one for all that a period burned and released."""
    found: dict[tuple[str, ...], ExplainStep] = {}
    last = {entry.bucket: entry.number for entry in entries}
    for step in look.state.trace or ():
        if step.grant_id is None:
            continue  # movements of debt change what is owed, not what is left
        burn = step.kind in ("burn", "release")
        key = ("burn", str(step.period)) if burn else (step.kind, step.grant_id, step.at.isoformat())
        before = found.pop(key, None)
        period = period_at(look.facts.anchor, step.period) if burn else None
        found[key] = ExplainStep(
            kind="burn" if burn else step.kind,
            at=step.at,
            period=period,
            quantity=step.quantity + (before.quantity if before else 0),
            balance=0,
            label=None if burn else named.get(step.grant_id),
            entry=_latest(before, last.get(_bucket(step))),
        )
    steps = [_with_late_part(step, entries) for step in found.values() if step.quantity]
    return sorted(steps, key=lambda step: step.at)


def _bucket(step: Step) -> str:
    kind = {"release": "burn", "unhold": "hold"}.get(step.kind, step.kind)
    return bucket_name(kind, step.grant_id, step.origin, step.period if kind == "burn" else None)


def _latest(before: ExplainStep | None, number: int | None) -> int | None:
    numbers = [each for each in (before.entry if before else None, number) if each is not None]
    return max(numbers, default=None)


def _with_late_part(step: ExplainStep, entries: Iterable[LedgerEntry]) -> ExplainStep:
    """Of a period's burns, what was heard of only after the period had ended."""
    if step.period is None:
        return step
    late = [entry for entry in entries if entry.period == step.period.number and is_late(entry.reason)]
    if not late:
        return step
    quantity = -sum(entry.quantity for entry in late)
    return replace(step, late_quantity=quantity, late_recorded_at=max(entry.recorded_at for entry in late))


def _with_unposted(steps: list[ExplainStep], period: Period, pending: int, now: datetime) -> list[ExplainStep]:
    """Takes what is not posted yet out of the running period's burns, as a step of its own."""
    running = next((step for step in steps if step.period == period), None)
    if not pending or running is None or running.quantity > pending:
        return steps
    rest = replace(running, quantity=running.quantity - pending)
    others = [step for step in steps if step is not running] + ([rest] if rest.quantity else [])
    unposted = ExplainStep("unposted", now, None, pending, 0)
    return [*sorted(others, key=lambda step: step.at), unposted]


def _with_balances(steps: list[ExplainStep]) -> list[ExplainStep]:
    balance, found = 0, []
    for step in steps:
        balance += step.quantity
        found.append(replace(step, balance=balance))
    return found


def _shortened(steps: list[ExplainStep]) -> tuple[list[ExplainStep], int]:
    """The newest steps; the older ones are summed up in the first, and counted."""
    if len(steps) <= MAX_STEPS:
        return steps, 0
    older, newer = steps[: -MAX_STEPS + 1], steps[-MAX_STEPS + 1 :]
    carried = replace(older[-1], kind="before", quantity=older[-1].balance, label=None, period=None, entry=None)
    return [carried, *newer], len(older)


def _later(look: Outlook, entries: list[LedgerEntry], moment: datetime) -> LaterView | None:
    """The newest period end up to `moment` whose balance has become another one through late facts."""
    number = period_containing(look.facts.anchor, moment).number
    ended = [entry.period for entry in entries if is_late(entry.reason) and entry.period < number]
    if not ended:
        return None
    end = period_at(look.facts.anchor, max(ended)).end
    late = [entry for entry in entries if is_late(entry.reason) and entry.occurred_at < end <= entry.recorded_at]
    known = _left_before(look.state, end)
    lines = tuple(LateLine("burn", entry.recorded_at, entry.quantity) for entry in late)
    return LaterView(end - TICK, known - sum(line.quantity for line in lines), lines, known)


def _left_before(state: State, moment: datetime) -> int:
    """What was spendable right before a moment, with all facts known now."""
    return sum(step.quantity for step in state.trace or () if step.grant_id is not None and step.at < moment)
