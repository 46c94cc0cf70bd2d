"""Explains a balance at any moment as the sum of everything that made it. Reads only.

The steps are the ledger's buckets: every grant, what each period burned, everything else by what it happened to. Their
sum is what is left minus what is owed, at any moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.credits.forecast import MetricForecast
from billing_app.domain.credits.postings import RANK, Bucket, buckets, differences
from billing_app.services.catalogue import versions
from billing_app.services.common import kept
from billing_app.services.common.context import Context
from billing_app.services.credits import forecasts, labels
from billing_app.services.credits.late_facts import LateFacts
from billing_app.services.credits.read_grants import grant_views, totals, with_tokens
from billing_app.services.credits.views import ExplainStep, ExplainView, GrantLabel
from billing_app.services.usage import recounts
from billing_app.store.credits import grants as credit_store
from billing_app.store.credits import ledger as store
from billing_app.store.tables.organizations import Organization

MAX_STEPS = 16
"""More bars than these cannot be told apart on a laptop; older ones are summed up in the first."""

UNPOSTED = "unposted"
"""The step of what the next recount will add to the ledger."""


def explain(context: Context, metric_id: str, at: datetime) -> ExplainView:
    """The balance of a metric at `at`, with all facts known now; a moment to come is now.

    `metric_id` empty is what is blocked or runs out first. Raises NotFoundError `metric_not_found`.
    """
    session, organization, now = context.session, context.organization, context.now
    past = at if at < now else None

    def read() -> kept.Fresh[ExplainView]:
        return kept.Fresh(_explain(context, metric_id, past))

    view = kept.get(session, (organization,), now, ("explain", metric_id, past), read)
    return view if past else _at_moment(view, now)


def _at_moment(view: ExplainView, now: datetime) -> ExplainView:
    """A balance that still stands, as one of this moment."""
    steps = tuple(replace(step, at=now) if step.kind == UNPOSTED else step for step in view.steps)
    return replace(view, now=now, at=now, steps=steps)


def _explain(context: Context, metric_id: str, past: datetime | None) -> ExplainView:
    session, organization = context.session, context.organization
    current = versions.current(session, context.now)
    metric = labels.metric_with_credits(context, current, metric_id)
    if past is None:
        look = forecasts.shared(context, [metric.id])[metric.id]
        now = look.now
    else:
        look, now = forecasts.of_metric(replace(context, now=past), metric.id, forecasts.plans(context)), context.now
    rows = credit_store.grants(session, organization.pk)
    own = [row for row in rows if row.metric == metric.id]
    late_facts = LateFacts(session, organization, metric.id, look)
    made_of = _parts(session, organization, metric.id, look, ended=past is not None)
    steps, left_out = _shown(_steps(made_of, {row.id: labels.grant_label(row) for row in own}, look.now))
    sums = totals(look)
    return ExplainView(
        now=now,
        metric=metric,
        metrics=with_tokens(current, rows),
        at=look.now,
        left=look.account.left,
        granted=sums.granted,
        burned=sums.burned,
        expired=sums.expired,
        voided=sums.voided,
        clawed_back=sums.clawed_back,
        held=sums.held,
        debt=look.account.debt,
        steps=tuple(_with_late_share(step, look, late_facts) for step in steps),
        steps_left_out=left_out,
        where=tuple(view for view in grant_views(look, own) if view.left),
        later=late_facts.later(now),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a balance is made of: buckets, the number of the last ledger entry of each, and what is not posted yet."""

    buckets: Mapping[str, Bucket]
    numbers: Mapping[str, int]
    unposted: int = 0


def _parts(session: Session, organization: Organization, metric: str, look: MetricForecast, *, ended: bool) -> _Parts:
    """Of a past moment what the engine says; of now what the ledger holds, and what the next recount will add."""
    owner = organization.pk
    if ended:
        return _Parts(buckets(look.state, look.facts.anchor), store.last_numbers(session, owner, metric, look.now))
    sums = store.bucket_sums(session, owner, metric)
    held = recounts.held_buckets(session, owner, sums, look.facts)
    waiting = differences(buckets(look.state, look.facts.anchor), held, None)
    numbers = {name: each.last_number for name, each in sums.items()}
    return _Parts(held, numbers, sum(posting.quantity for posting in waiting))


def _steps(made_of: _Parts, named: Mapping[str, GrantLabel], moment: datetime) -> list[ExplainStep]:
    """One step per bucket, all burns of a period as one, each with the balance after it."""
    found: dict[str, ExplainStep] = {}
    for name, bucket in made_of.buckets.items():
        burn = bucket.kind == "burn"
        step = ExplainStep(
            kind=bucket.kind,
            at=bucket.moved_at,
            period=bucket.period if burn else None,
            quantity=bucket.quantity,
            balance=0,
            label=None if burn else named.get(bucket.grant_id or bucket.origin or ""),
            entry=made_of.numbers.get(name),
        )
        key = f"burn:{bucket.period.number}" if burn else name
        found[key] = _together(found[key], step) if key in found else step
    ordered = sorted((step for step in found.values() if step.quantity), key=_place)
    if made_of.unposted:
        ordered.append(ExplainStep(UNPOSTED, moment, None, made_of.unposted, 0))
    return list(_balanced(ordered))


def _together(one: ExplainStep, other: ExplainStep) -> ExplainStep:
    """Two burns of one period as one step, told when the later one happened."""
    entries = [step.entry for step in (one, other) if step.entry is not None]
    return replace(
        one,
        at=max(one.at, other.at),
        quantity=one.quantity + other.quantity,
        entry=max(entries, default=None),
    )


def _place(step: ExplainStep) -> tuple[datetime, int]:
    """Steps by time; of one moment in the order in which the ledger writes them."""
    return step.at, RANK.get(step.kind, len(RANK))


def _balanced(steps: Iterable[ExplainStep]) -> Iterable[ExplainStep]:
    balance = 0
    for step in steps:
        balance += step.quantity
        yield replace(step, balance=balance)


def _shown(steps: list[ExplainStep]) -> tuple[list[ExplainStep], int]:
    """The newest steps; the older ones are summed up in the first, and counted."""
    if len(steps) <= MAX_STEPS:
        return steps, 0
    older, newer = steps[: -MAX_STEPS + 1], steps[-MAX_STEPS + 1 :]
    before = ExplainStep("earlier", older[-1].at, None, older[-1].balance, older[-1].balance)
    return [before, *newer], len(older)


def _with_late_share(step: ExplainStep, look: MetricForecast, late_facts: LateFacts) -> ExplainStep:
    """A period's burns with what was reported only after the period had ended."""
    if step.period is None:
        return step
    late = late_facts.late_share(look.account.month(step.period))
    return step if late is None else replace(step, late_quantity=late[0], late_recorded_at=late[1])
