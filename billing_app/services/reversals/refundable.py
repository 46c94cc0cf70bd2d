"""What of a grant's price can be given back, and what doing so would take from its credits."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.common.errors import InvalidError, NotFoundError
from billing_app.domain.credits import engine
from billing_app.domain.credits.facts import DisputeStatus, Refund
from billing_app.services.common import organizations
from billing_app.services.reversals.views import RefundPreviewAnswer
from billing_app.services.usage import accounts
from billing_app.store.credits import grants as credit_store
from billing_app.store.purchases import reversals as store
from billing_app.store.tables.credits import GrantAction, GrantRow

OPEN = "open"
"""The state of a request whose money is on its way."""


def preview(session: Session, grant_id: str, amount_cents: int | None, now: datetime) -> RefundPreviewAnswer:
    """What giving `amount_cents` back (None: all that is left of its price) would do. Writes nothing.

    Raises NotFoundError `grant_not_found`, InvalidError `grant_not_paid` or `refund_too_large`.
    """
    grant = refundable(session, grant_id)
    organization = organizations.by_id(session, grant.organization_id)
    taken = store.actions_on(session, grant.organization_id, [grant.id])
    given, left = given_back(taken), room(session, grant, taken)
    giving = amount(grant, amount_cents, left)
    facts = accounts.history(session, organization, grant.metric, now)
    sequence = max((action.sequence for action in facts.actions), default=0) + 1
    wanted = replace(facts, actions=(*facts.actions, Refund(now, sequence, grant.id, given + giving)))
    before, after = engine.compute(facts, now), engine.compute(wanted, now)
    was, will = before.grants[grant.id], after.grants[grant.id]
    taken_back, debt = will.clawed_back - was.clawed_back, after.debt - before.debt
    demand = grant.quantity * (given + giving) // grant.paid_cents - grant.quantity * given // grant.paid_cents
    ended = min(demand - taken_back - debt, was.expired + was.voided)
    return RefundPreviewAnswer(
        grant_id=grant.id,
        address=organization.address,
        metric=grant.metric,
        quantity=grant.quantity,
        reason=grant.reason,
        paid_cents=grant.paid_cents,
        refunded_cents=given,
        refundable_cents=left,
        currency=grant.currency,
        amount_cents=giving,
        taken_back=taken_back,
        ended=max(0, ended),
        debt=debt,
        forgiven=max(0, demand - taken_back - debt - max(0, ended)),
        disputed=disputed(taken),
    )


def refundable(session: Session, grant_id: str) -> GrantRow:
    """A grant that was paid for through Stripe.

    Raises NotFoundError `grant_not_found`, InvalidError `grant_not_paid`.
    """
    grant = credit_store.grant_anywhere(session, grant_id)
    if grant is None:
        raise NotFoundError(f"There is no grant {grant_id!r}.", code="grant_not_found")
    if not grant.paid_cents or not grant.payment_id:
        raise InvalidError(
            "Nothing was paid for this grant through Stripe, so there is nothing to refund. Void it instead.",
            code="grant_not_paid",
        )
    return grant


def given_back(taken: list[GrantAction]) -> int:
    """Cents that were refunded so far."""
    return next((action.refunded_cents or 0 for action in reversed(taken) if action.kind == "refund"), 0)


def disputed(taken: list[GrantAction]) -> bool:
    """Whether a dispute is open."""
    last = {action.dispute_id: action.status for action in taken if action.kind == "dispute"}
    return DisputeStatus.OPENED in last.values()


def lost(taken: list[GrantAction]) -> int:
    """Cents that disputes took."""
    return sum(action.amount_cents or 0 for action in taken if action.status == DisputeStatus.LOST)


def room(session: Session, grant: GrantRow, taken: list[GrantAction]) -> int:
    """Cents that can still be given back: neither refunded, nor lost in a dispute, nor on their way."""
    under_way = sum(
        each.amount_cents
        for each in store.requests_on(session, grant.organization_id, [grant.id])
        if each.state == OPEN
    )
    return max(0, grant.paid_cents - given_back(taken) - lost(taken) - under_way)


def amount(grant: GrantRow, amount_cents: int | None, left: int) -> int:
    """Cents to give back of the `left` that can be; None is all. Raises InvalidError `refund_too_large`."""
    giving = left if amount_cents is None else amount_cents
    if left and 1 <= giving <= left:
        return giving
    if not left:
        detail = "All that was paid for this grant has been given back, or is being refunded."
    else:
        detail = f"Refund between 1 and {left} (of {grant.paid_cents}), in the smallest unit of {grant.currency}."
    raise InvalidError(detail, code="refund_too_large", refundable_cents=left)
