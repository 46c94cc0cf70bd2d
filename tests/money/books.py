"""The product's books of one organization against the accountant's: equal to the cent and to the credit."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.usage import accounts, plans_in_force
from billing_app.services.verification import verification
from billing_app.store.credits import grants as credit_store
from billing_app.store.credits import ledger
from billing_app.store.purchases import reversals as reversal_store
from billing_app.store.tables.organizations import Organization
from tests.money.accountant import COUNTED, Customer

BOUGHT = ("purchase", "recurring", "top_up")
"""Sources of what somebody has bought, also what a promotion code made free."""


def compare(session: Session, address: str, known: Customer, overage: dict[str, int], now: datetime) -> list[str]:
    """Every difference, as a line; `overage` is what the organization used above its plan, by metric."""
    organization = organizations.by_address(session, address)
    return [
        f"{address}: {line}"
        for part in (
            _grants(session, organization, known),
            _metrics(session, organization, known, overage, now),
            _reversals(session, organization, known),
            _plan(session, organization, known, now),
            [str(each) for each in verification.verify(Context(session, organization, now))],
        )
        for line in part
    ]


def _grants(session: Session, organization: Organization, known: Customer) -> list[str]:
    """One grant for each paid line, and none beside."""
    ours = {
        (grant.source_key, grant.metric, grant.quantity, grant.paid_cents, grant.payment_id)
        for grant in credit_store.grants(session, organization.pk)
        if grant.source in BOUGHT
    }
    theirs = {(one.key, one.metric, one.quantity, one.paid_cents, one.payment) for one in known.bought}
    return [
        *(f"granted without a payment: {each}" for each in sorted(ours - theirs)),
        *(f"paid and not granted: {each}" for each in sorted(theirs - ours)),
    ]


def _metrics(
    session: Session, organization: Organization, known: Customer, overage: dict[str, int], now: datetime
) -> list[str]:
    found = []
    for metric in versions.current(session, now).metric_ids:
        book = accounts.account(session, organization, metric, now)
        free = sum(
            grant.quantity
            for grant in credit_store.grants(session, organization.pk)
            if grant.metric == metric and grant.source not in BOUGHT
        )
        bought, taken, used = (
            known.total(metric, "quantity") + free,
            known.total(metric, "taken"),
            overage.get(metric, 0),
        )
        checks = {
            "granted": (sum(grant.quantity for grant in book.grants.values()), bought),
            "taken back or owed": (book.clawed_back + book.debt, taken),
            "burned": (book.burned, used),
            "left, held and owed": (book.left + book.held - book.debt, bought - taken - used),
            "expired and voided": (book.expired + book.voided, 0),
            "unpaid": (book.deficit + book.uncovered, 0),
            "ledger": (ledger.balance(session, organization.pk, metric), bought - taken - used - book.held),
        }
        if not used:
            checks["held"] = (book.held, known.held(metric))
        found += [f"{metric} {name}: {ours}, not {theirs}" for name, (ours, theirs) in checks.items() if ours != theirs]
    return found


def _plan(session: Session, organization: Organization, known: Customer, now: datetime) -> list[str]:
    ours = plans_in_force.plans(session, organization.pk).subscribed_at(now)
    theirs = known.plan or "free"
    return [] if ours == theirs else [f"on the plan {ours}, not {theirs}"]


def _reversals(session: Session, organization: Organization, known: Customer) -> list[str]:
    """Every refund and dispute is known, as it stands."""
    owner = organization.pk
    refunds = {
        row.id: (row.amount_cents, row.status) for row in reversal_store.refunds_of(session, owner, known.payments)
    }
    disputes = {row.id: row.status for row in reversal_store.disputes_of(session, owner, known.payments)}
    found = []
    if refunds != known.refunds:
        found.append(f"refunds: {sorted(refunds.items())}, not {sorted(known.refunds.items())}")
    if disputes != known.disputes:
        found.append(f"disputes: {sorted(disputes.items())}, not {sorted(known.disputes.items())}")
    if known.charged_cents != known.invoiced_cents:
        found.append(f"charged {known.charged_cents} cents for {known.invoiced_cents}")
    if sum(cents for cents, status in refunds.values() if status in COUNTED) > known.charged_cents:
        found.append("more was given back than was paid")
    return found
