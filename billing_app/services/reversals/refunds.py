"""Refunds made on our pages: decided and written down, asked of Stripe under the request's id, then recorded.

A crash at any point leaves an open request, which the sweep continues: Stripe is first asked whether the refund is
there already (its metadata names the request), so that the same money never goes back twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.common.errors import BillingError, InvalidError, NotFoundError, UnavailableError
from billing_app.domain.common.texts import required_reason
from billing_app.gateways.payments import Payments
from billing_app.gateways.reversals import NewRefund
from billing_app.log import get_logger
from billing_app.services.common import organizations
from billing_app.services.common.answers import filled
from billing_app.services.common.context import EnterAsOperator, OperatorContext, Transaction
from billing_app.services.payments import payment_account
from billing_app.services.reversals import refundable, reversals
from billing_app.services.reversals.refundable import OPEN
from billing_app.services.reversals.views import RefundAnswer
from billing_app.store.common import locks
from billing_app.store.purchases import reversals as store
from billing_app.store.tables.reversals import RefundRequest

log = get_logger()

FIRST_TRY = timedelta(minutes=1)
"""When the sweep takes over from whoever asked: long after Stripe has answered, or has not."""

NEXT_TRY = timedelta(minutes=10)
"""Between two tries of the sweep."""

SWEEP = 50
"""Requests that one sweep continues."""

DONE, REFUSED = "done", "refused"


def make(
    enter: EnterAsOperator, payments: Payments, grant_id: str, amount_cents: int | None, reason: str, key: str
) -> RefundAnswer:
    """Gives money back for a grant, once per `key`. Talks to Stripe; takes two transactions.

    Raises what `refundable.preview` and `Payments` raise, InvalidError `reason_required` or `idempotency_mismatch`, and
    InvalidError `payments_refused` with Stripe's reason, which is kept with the request.
    """
    with enter() as context:
        begun = _begun(_decide(context, grant_id, amount_cents, reason, key))
        known, now = payment_account.known(context.session), context.now
    if begun.state == OPEN:
        payment_account.compare(known, payments.account())
        _go_on(lambda: _inside(enter), payments, begun, lambda: now)
    with enter() as context:
        found = store.request(context.session, begun.owner, begun.id)
        if found is None:
            raise NotFoundError("There is no such refund.", code="refund_not_found")
        if found.state == REFUSED:
            raise InvalidError(found.error, code="payments_refused")
        return view(context.session, found)


def sweep(transaction: Transaction, payments: Payments, now: Callable[[], datetime]) -> int:
    """Continues refunds that a crash left in their middle; answers how many.

    Raises UnavailableError when Stripe does not answer: the next sweep goes on.
    """
    with transaction() as session:
        waiting = [_begun(each) for each in store.due_requests(session, now(), SWEEP)]
    for begun in waiting:
        with transaction() as session:
            moment = locks.hold(session, begun.owner, now())
            row = store.request(session, begun.owner, begun.id)
            if row is not None and row.next_try_at is not None:
                row.next_try_at = moment + NEXT_TRY
                session.add(row)
        try:
            _go_on(transaction, payments, begun, now)
        except UnavailableError:
            raise
        except BillingError as error:
            log.warning("refund_not_made", request=begun.id, code=error.code, detail=error.detail)
    return len(waiting)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A request that was written down, as it is carried over transactions."""

    owner: int
    id: str
    metadata: dict[str, str]
    payment_id: str
    amount_cents: int
    state: str


def _begun(row: RefundRequest) -> _Begun:
    metadata = {reversals.GRANT: row.grant_id, reversals.REQUEST: row.id}
    return _Begun(row.organization_id, row.id, metadata, row.payment_id, row.amount_cents, row.state)


@contextmanager
def _inside(enter: EnterAsOperator) -> Generator[Session]:
    with enter() as context:
        yield context.session


def _decide(context: OperatorContext, grant_id: str, amount_cents: int | None, reason: str, key: str) -> RefundRequest:
    """Writes down what is to be given back; a repeated key gives the request that it made."""
    session, text = context.session, required_reason(reason)
    grant = refundable.refundable(session, grant_id)
    owner = grant.organization_id
    now = locks.hold(session, owner, context.now)
    earlier = store.request_by_key(session, owner, key)
    if earlier is not None:
        same = (earlier.grant_id, earlier.reason) == (grant_id, text) and amount_cents in (None, earlier.amount_cents)
        if not same:
            raise InvalidError(
                "This key was used for another refund. A new refund takes a new key.",
                code="idempotency_mismatch",
                status=422,
            )
        return earlier
    taken = store.actions_on(session, owner, [grant.id])
    row = RefundRequest(
        organization_id=owner,
        id=f"rr_{secrets.token_hex(12)}",
        key=key,
        grant_id=grant.id,
        payment_id=grant.payment_id,
        amount_cents=refundable.amount(grant, amount_cents, refundable.room(session, grant, taken)),
        currency=grant.currency,
        reason=text,
        actor=context.actor,
        state=OPEN,
        created_at=now,
        next_try_at=now + FIRST_TRY,
    )
    session.add(row)
    session.flush()
    return row


def _go_on(transaction: Transaction, payments: Payments, begun: _Begun, now: Callable[[], datetime]) -> None:
    """Has the money given back, unless it was, and records everything that went back of the payment since."""
    before = reversals.read(payments, begun.payment_id)
    made = (
        next((each for each in before.reversals.refunds if each.metadata.get(reversals.REQUEST) == begun.id), None)
        if before
        else None
    )
    try:
        made = made or payments.create_refund(
            NewRefund(f"refund:{begun.id}", begun.payment_id, begun.amount_cents, begun.metadata)
        )
    except InvalidError as error:
        with transaction() as session:
            _close(session, begun, REFUSED, now(), error=error.detail)
        return
    after = reversals.read(payments, begun.payment_id)
    with transaction() as session:
        if after is not None:
            reversals.settle(session, after, now())
        _close(session, begun, DONE, now(), refund_id=made.id)


def _close(session: Session, begun: _Begun, state: str, now: datetime, *, refund_id: str = "", error: str = "") -> None:
    now = locks.hold(session, begun.owner, now)
    row = store.request(session, begun.owner, begun.id)
    if row is None or row.state != OPEN:
        return
    row.state, row.refund_id, row.error, row.closed_at, row.next_try_at = state, refund_id, error, now, None
    session.add(row)
    session.flush()


def of_grants(session: Session, organization_id: int, grant_ids: list[str]) -> list[RefundAnswer]:
    """Refunds that were set out to be made of these grants, oldest first."""
    return [view(session, each) for each in store.requests_on(session, organization_id, grant_ids)]


def view(session: Session, row: RefundRequest) -> RefundAnswer:
    """A request as it is shown."""
    return filled(RefundAnswer, row, address=organizations.by_id(session, row.organization_id).address)
