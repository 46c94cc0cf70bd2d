"""Proves that what is stored follows from grants and raw usage (credits.md, The ledger: `billing verify`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, select

from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.credits.engine_state import State
from billing_app.domain.credits.facts import History
from billing_app.domain.usage.aggregation import fold
from billing_app.services.catalogue import versions
from billing_app.services.common.context import Context
from billing_app.services.usage import accounts, meters, plans_in_force
from billing_app.services.usage.plans_in_force import Plans
from billing_app.services.verification import allowed, ledger, usage
from billing_app.services.verification.usage import Finding, Tally
from billing_app.store.credits import grants as credit_store
from billing_app.store.credits import ledger as ledger_store
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.usage import events as usage_store
from billing_app.store.usage import meters as meter_store


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where stored and computed differ. `where` names organization, metric and what was compared."""

    organization: str
    metric: str
    what: str
    stored: str
    computed: str

    def __str__(self) -> str:
        """The difference as a line for a person."""
        return f"{self.organization} {self.metric}: {self.what}: stored {self.stored}, computed {self.computed}"


def organizations(session: Session) -> list[str]:
    """The addresses of all organizations, in order."""
    return list(session.exec(select(Organization.address).order_by(col(Organization.address))))


def verify(context: Context) -> Iterator[Difference]:
    """Recomputes everything of one organization from its facts, and yields every difference. Writes nothing."""
    session, organization, now = context.session, context.organization, context.now
    held = plans_in_force.plans(session, organization.pk)
    rows = {row.metric: row for row in meter_store.of_organization(session, organization.pk)}
    for metric in (*versions.current(session, now).metric_ids, *_others(context)):
        for finding in _verify_metric(context, metric, rows.get(metric), held):
            yield Difference(organization.address, metric, *finding)
    for metric, finding in ledger.rows(session, organization):
        yield Difference(organization.address, metric, *finding)
    for finding in usage.keys(session, organization):
        yield Difference(organization.address, "usage", *finding)


def _others(context: Context) -> list[str]:
    """Metrics with meters, grants or entries that the catalogue does not count by itself, such as tokens."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    known = {row.metric for row in meter_store.of_organization(session, owner)}
    known |= set(ledger_store.balances(session, owner))
    known |= {grant.metric for grant in credit_store.grants(session, owner)}
    return sorted(known - set(versions.current(session, now).metric_ids))


def _verify_metric(context: Context, metric: str, row: MeterRow | None, held: Plans) -> Iterator[Finding]:
    """The engine on raw events is what everything else is compared with."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    try:
        stored = accounts.history(session, organization, metric, now, held=held)
    except NotFoundError:
        yield "metric", "something of it", "none in the catalogue"
        return
    tally = Tally(stored.aggregation, organization.anchor)
    raw = fold(stored.aggregation, organization.anchor, tally.passing(usage_store.recorded(session, owner, metric)))
    facts = replace(stored, usage=raw)
    yield from tally.findings(session, owner, metric)
    yield from _verify_conservation(accounts.traced(facts, now), facts, now)
    if row is not None:
        yield from _verify_meter(session, row, facts, now)
    elif facts.grants or facts.usage:
        yield "meter", "none", "one"
    yield from ledger.sums(session, organization, metric, row, facts)
    yield from allowed.findings(context, metric, facts)


def _verify_conservation(state: State, facts: History, now: datetime) -> Iterator[Finding]:
    """quantity = pending + left + burned + held + expired + voided + clawed back, none negative."""
    for grant in state.account(facts, now).grants.values():
        parts = (
            grant.pending, grant.left, grant.burned, grant.held, grant.expired, grant.voided, grant.clawed_back,
        )  # fmt: skip
        if sum(parts) != grant.quantity or min(parts) < 0:
            yield f"conservation of grant {grant.id}", str(grant.quantity), str(parts)


def _verify_meter(session: Session, row: MeterRow, facts: History, now: datetime) -> Iterator[Finding]:
    """A meter that may be used says what the engine says, and is not used beyond the next boundary."""
    if not meters.usable(row, now) or now < row.valid_from:
        return
    seen_at = meters.seen_at(row, now)
    account = accounts.traced(facts, seen_at).account(facts, seen_at)
    pairs = {
        "period": (row.period, account.period.number),
        "used": (row.used, account.used),
        "allowance": (row.allowance, account.allowance),
        "left": (row.left, account.left),
        "level": (row.level, account.level),
        "debt": (row.debt, account.debt),
        "deficit": (row.deficit, meters.shown_deficit(account)),
        "reserved": (row.reserved, meter_store.reserved(session, row.organization_id, row.metric, seen_at)[0]),
    }
    for what, (have, want) in pairs.items():
        if have != want:
            yield f"meter's {what}", str(have), str(want)
    boundary = meters.next_look(facts, seen_at)
    if row.valid_until > boundary:
        yield "meter's end", row.valid_until.isoformat(), boundary.isoformat()
