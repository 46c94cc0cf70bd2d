"""The ledger follows from the facts, and each of its rows from those before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlmodel import Session

from billing_app.domain.credits.facts import History
from billing_app.domain.credits.postings import buckets, differences, entry_kind, parse_bucket_name
from billing_app.services.usage import accounts, meters, recounts
from billing_app.services.verification.usage import Finding
from billing_app.store.credits import ledger as store
from billing_app.store.tables.credits import LedgerEntry
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.organizations import Organization


def rows(session: Session, organization: Organization) -> Iterator[tuple[str, Finding]]:
    """Numbers without a gap, running sums, and what a row says of itself beside what its bucket says; by metric."""
    last = 0
    balances: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    for entry in store.all_entries(session, organization.pk):
        what = f"ledger entry {entry.number}"
        if entry.number != last + 1:
            yield entry.metric, (f"number of the entry after {last}", str(entry.number), str(last + 1))
        last = entry.number
        balances[entry.metric] += entry.quantity
        counted[entry.bucket] += 1
        if entry.balance_after != balances[entry.metric]:
            found = (f"balance after {what}", str(entry.balance_after), str(balances[entry.metric]))
            balances[entry.metric] = entry.balance_after  # one wrong row is one difference, not all that follow
            yield entry.metric, found
        for name, have, want in _of_bucket(entry, counted[entry.bucket]):
            if have != want:
                yield entry.metric, (f"{name} of {what}", have, want)


def _of_bucket(entry: LedgerEntry, count: int) -> Iterator[Finding]:
    kind, grant_id, _origin = parse_bucket_name(entry.bucket)
    yield "kind", entry.kind, entry_kind(kind, entry.quantity)
    yield "grant", entry.grant_id or "none", grant_id or "none"
    yield "key", entry.idempotency_key, f"{entry.bucket}#{count}"
    if kind == "burn":
        yield "period", str(entry.period), entry.bucket.split(":")[1]


def sums(
    session: Session, organization: Organization, metric: str, row: MeterRow | None, facts: History
) -> Iterator[Finding]:
    """Every bucket, where nothing is waiting to be posted, and that the next boundary will be posted when it passes."""
    if row is None or row.changed or row.posted_at is None:
        return  # the next recount posts what came since
    owner = organization.pk
    state = accounts.traced(facts, row.posted_at)
    held = recounts.held_buckets(session, owner, store.bucket_sums(session, owner, metric), facts)
    for posting in differences(buckets(state), held, None):
        name = posting.bucket.name
        have = held[name].quantity if name in held else 0
        yield f"ledger bucket {name}", str(have), str(have + posting.quantity)
    due = meters.next_look(facts, row.posted_at)
    if row.post_due_at is None or row.post_due_at > due:
        yield "next posting", "none" if row.post_due_at is None else row.post_due_at.isoformat(), due.isoformat()
