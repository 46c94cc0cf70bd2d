"""Charging an auto top-up: an attempt is written down, then carried out at Stripe as an invoice with the saved card.

One attempt may be open per organization and metric, by a unique key. Each step reads the invoice first and does what is
still missing, with keys of the attempt's own; so whoever goes on after a crash charges nobody twice. The grant comes
with the news that the invoice is paid, from here or from the webhook, whoever is first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from billing_app.domain.common.errors import BillingError, ConflictError, InvalidError, NotFoundError, UnavailableError
from billing_app.domain.purchases import top_ups as domain
from billing_app.domain.purchases.top_ups import AttemptState
from billing_app.gateways.invoices import Invoice, InvoiceStatus, NewInvoice
from billing_app.gateways.payments import Offer, Payments
from billing_app.log import get_logger
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context, Transaction, entering
from billing_app.services.payments import payment_account, stripe_catalogue
from billing_app.services.purchases import customers, saved_cards, top_up_attempts
from billing_app.services.purchases.top_up_attempts import OWN, begin
from billing_app.store.common import locks
from billing_app.store.purchases import top_ups as store
from billing_app.store.tables.purchases import TopUpAttempt

log = get_logger()

PROCESSING = timedelta(hours=1)
"""Between two looks at a payment that the bank still works on."""

SWEEP = 20
"""Metrics that one sweep charges: at some calls each it stays below what test mode allows per second."""


@dataclass(frozen=True, slots=True)
class Work:
    """An attempt as it was read, and what Stripe has to be told of it."""

    attempt: TopUpAttempt
    address: str
    offer: Offer
    room_cents: int
    """What the month's cap still allows."""
    refusal: str = ""
    """Why nobody may be charged any more, if so: it was turned off, or the organization is over."""


def sweep(transaction: Transaction, payments: Payments, now: Callable[[], datetime]) -> int:
    """Continues attempts that were left behind, then begins those that are due; answers how many it worked on.

    Raises UnavailableError when Stripe does not answer: the rest can wait until it does.
    """
    with transaction() as session:
        left = store.left_behind(session, now(), SWEEP)
    worked = [_go_on(transaction, payments, owner, attempt_id, now) for owner, attempt_id in left]
    with transaction() as session:
        due = store.to_look_at(session, now(), SWEEP)
    for owner, metric in due:
        with transaction() as session:
            begun = begin(session, owner, metric, now())
        if begun is not None:
            worked.append(_work(transaction, payments, owner, begun, now))
    return len(worked)


def work(
    transaction: Transaction, payments: Payments, owner: int, attempt_id: str, now: Callable[[], datetime]
) -> AttemptState:
    """Carries an attempt out as far as it goes; what it came to. Never call it inside a transaction.

    Raises UnavailableError when Stripe does not answer: the attempt stays open and is continued.
    """
    try:
        return _carry_out(transaction, payments, owner, attempt_id, now)
    except (UnavailableError, ConflictError):
        raise
    except BillingError as error:
        # Stripe will say the same again: a card that is gone, a price that cannot be made.
        reason = _missing(transaction, payments, owner, attempt_id, now) or error.detail
        return _close(transaction, owner, attempt_id, reason, now)


def _missing(
    transaction: Transaction, payments: Payments, owner: int, attempt_id: str, now: Callable[[], datetime]
) -> str:
    """Whether the customer or the card of an attempt is not at Stripe any more, which is noted, and said; or empty."""
    with transaction() as session:
        attempt = store.attempt(session, owner, attempt_id)
    if attempt is None or payments.card_there(attempt.payment_method_id, attempt.customer_id):
        return ""
    if not payments.customer_there(attempt.customer_id):
        customers.missed(entering(transaction, owner, now), payments, attempt.customer_id)
    with transaction() as session:
        locks.hold(session, owner, now())
        saved_cards.forget(session, owner, attempt.payment_method_id)
    return "The saved card does not exist at Stripe any more. Save a card, and auto top-up resumes."


def _go_on(
    transaction: Transaction, payments: Payments, owner: int, attempt_id: str, now: Callable[[], datetime]
) -> AttemptState:
    """Takes over an attempt that nobody works on any more, unless another was faster."""
    with transaction() as session:
        moment = locks.hold(session, owner, now())
        attempt = store.attempt(session, owner, attempt_id)
        if attempt is None or attempt.worked_until is None or attempt.worked_until > moment:
            return AttemptState.OPEN
        attempt.worked_until = moment + OWN
        session.add(attempt)
    return _work(transaction, payments, owner, attempt_id, now)


def _work(
    transaction: Transaction, payments: Payments, owner: int, attempt_id: str, now: Callable[[], datetime]
) -> AttemptState:
    try:
        return work(transaction, payments, owner, attempt_id, now)
    except ConflictError as error:
        log.info("top_up_left_to_another_worker", attempt=attempt_id, detail=error.detail)
        return AttemptState.OPEN


def _carry_out(
    transaction: Transaction, payments: Payments, owner: int, attempt_id: str, now: Callable[[], datetime]
) -> AttemptState:
    account = payments.account()
    with transaction() as session:
        payment_account.confirm(session, account, now())
        found = _read(session, owner, attempt_id, now())
    if found.attempt.state != AttemptState.OPEN:
        return AttemptState(found.attempt.state)
    try:
        invoice = payments.invoice(found.attempt.invoice_id or _invoice(transaction, payments, found, now()))
    except NotFoundError:  # somebody deleted the draft: nobody was asked for money
        invoice = payments.invoice(_invoice(transaction, payments, found, now()))
    if invoice.status is InvoiceStatus.DRAFT:
        invoice = _complete(payments, found, invoice)
    if invoice.status is InvoiceStatus.OPEN:  # nobody is charged for what stood when this was begun
        with transaction() as session:
            found = _read(session, owner, attempt_id, now())
        if found.attempt.state != AttemptState.OPEN:
            return AttemptState(found.attempt.state)
    if invoice.status is InvoiceStatus.OPEN and found.refusal:
        payments.void_invoice(f"{attempt_id}:void", invoice.id)
        return _close(transaction, owner, attempt_id, found.refusal, now)
    if invoice.status is InvoiceStatus.OPEN and invoice.total_cents > found.room_cents:
        payments.void_invoice(f"{attempt_id}:void:{invoice.id}", invoice.id)
        return _close(transaction, owner, attempt_id, "With taxes it would exceed the month's cap.", now)
    if invoice.status is InvoiceStatus.OPEN:
        invoice = _pay(payments, found, invoice)
    if invoice.status is InvoiceStatus.PAID:
        with transaction() as session:
            top_up_attempts.paid(Context(session, organizations.by_id(session, owner), now()), invoice)
        return AttemptState.PAID
    if invoice.status is InvoiceStatus.OPEN and not (invoice.failure or invoice.needs_payer):
        return _wait(transaction, owner, attempt_id, now)
    return _give_up(transaction, payments, owner, attempt_id, invoice, now)


def _read(session: Session, owner: int, attempt_id: str, now: datetime) -> Work:
    attempt = store.attempt(session, owner, attempt_id)
    if attempt is None:
        raise NotFoundError("There is no such attempt.", code="attempt_not_found")
    organization = organizations.by_id(session, owner)
    current = versions.current(session, now)
    setting = store.setting(session, owner, attempt.metric)
    start, end = domain.month_of(now)
    paid = store.paid_between(session, owner, attempt.metric, start, end)
    offer = stripe_catalogue.pack_offer(current, current.pack(attempt.pack))
    refusal = "" if organization.active else "The organization is ending and buys nothing any more."
    if organization.active and (setting is None or not setting.enabled):
        refusal = "It was turned off before the card was charged."
    return Work(attempt, organization.address, offer, (setting.cap_cents if setting else 0) - paid, refusal)


def _invoice(transaction: Transaction, payments: Payments, found: Work, now: datetime) -> str:
    """Makes the draft and notes its id before there is anything on it to pay."""
    attempt = found.attempt
    invoice_id = payments.create_invoice(
        NewInvoice(
            key=f"{attempt.id}:invoice",
            customer_id=attempt.customer_id,
            currency=attempt.currency,
            payment_method_id=attempt.payment_method_id,
            description="Auto top-up",
            metadata={
                top_up_attempts.ORGANIZATION: found.address,
                top_up_attempts.TOP_UP: attempt.id,
                top_up_attempts.KIND: top_up_attempts.TOP_UP,
            },
        )
    )
    with transaction() as session:
        locks.hold(session, attempt.organization_id, now)
        row = store.attempt(session, attempt.organization_id, attempt.id)
        if row is not None and row.invoice_id in (None, attempt.invoice_id):
            row.invoice_id = invoice_id
            session.add(row)
    return invoice_id


def _complete(payments: Payments, found: Work, invoice: Invoice) -> Invoice:
    """Puts the packs on the draft, unless they are there, and opens it. Nothing else may be on it."""
    attempt = found.attempt
    if not invoice.lines:
        if (found.offer.price_cents * attempt.count, dict(found.offer.metadata)) != (
            attempt.amount_cents,
            _sold(attempt),
        ):
            raise InvalidError("The pack has changed since it was to be bought.", code="prices_changed")
        price_id = stripe_catalogue.price_ids(payments, [found.offer])[found.offer.lookup_key]
        key = f"{attempt.id}:line:{invoice.id}"
        payments.add_invoice_line(key, invoice.id, attempt.customer_id, price_id, attempt.count)
        invoice = payments.invoice(invoice.id)
    billed = [(each.count, each.amount_cents, each.price and dict(each.price.metadata)) for each in invoice.lines]
    if billed != [(attempt.count, attempt.amount_cents, _sold(attempt))]:
        raise InvalidError("The invoice at Stripe does not say what was to be bought.", code="prices_changed")
    payments.finalize_invoice(f"{attempt.id}:open:{invoice.id}", invoice.id)
    return payments.invoice(invoice.id)


def _sold(attempt: TopUpAttempt) -> dict[str, str]:
    """What the price of an attempt's pack carries."""
    return {"pack": attempt.pack, "metric": attempt.metric, "quantity": str(attempt.quantity)}


def _pay(payments: Payments, found: Work, invoice: Invoice) -> Invoice:
    if invoice.failure or invoice.needs_payer:
        return invoice  # it was tried before the crash
    return payments.pay_invoice(f"{found.attempt.id}:pay:{invoice.id}", invoice.id, found.attempt.payment_method_id)


def _wait(transaction: Transaction, owner: int, attempt_id: str, now: Callable[[], datetime]) -> AttemptState:
    with transaction() as session:
        moment = locks.hold(session, owner, now())
        row = store.attempt(session, owner, attempt_id)
        if row is not None and row.state == AttemptState.OPEN:
            row.worked_until = moment + PROCESSING
            session.add(row)
    return AttemptState.OPEN


def _give_up(
    transaction: Transaction,
    payments: Payments,
    owner: int,
    attempt_id: str,
    invoice: Invoice,
    now: Callable[[], datetime],
) -> AttemptState:
    """Nobody can pay the invoice any more, so that a later month's cap holds; unless somebody just has."""
    if invoice.status is InvoiceStatus.OPEN:
        try:
            payments.void_invoice(f"{attempt_id}:void:{invoice.id}", invoice.id)
        except InvalidError:
            invoice = payments.invoice(invoice.id)
            if invoice.status is not InvoiceStatus.PAID:
                raise
            with transaction() as session:
                top_up_attempts.paid(Context(session, organizations.by_id(session, owner), now()), invoice)
            return AttemptState.PAID
    reason = (
        "The card requires authentication." if invoice.needs_payer else invoice.failure or "The card was not charged."
    )
    return _close(transaction, owner, attempt_id, reason, now)


def _close(
    transaction: Transaction, owner: int, attempt_id: str, reason: str, now: Callable[[], datetime]
) -> AttemptState:
    with transaction() as session:
        top_up_attempts.failed(session, owner, attempt_id, reason, now())
    return AttemptState.FAILED
