"""Sends what is due: by webhook and by mail, at least once, tried again for three days.

Each delivery is claimed, sent outside of any transaction, and recorded. A claim keeps every other worker away until it
ends; a worker that dies leaves a claim that ends by itself, and the next one sends again. Receivers tell two copies of
a message by their one id.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from billing_app.gateways.mail import Mail, Mailer, MailRefusedError
from billing_app.gateways.webhooks import Answer, WebhookSender, signed
from billing_app.log import get_logger
from billing_app.services.access import mails
from billing_app.services.common import organizations
from billing_app.services.common.context import Transaction
from billing_app.services.notifications import webhook_endpoints
from billing_app.services.notifications.fan_out import WEBHOOK
from billing_app.store.notifications import choices
from billing_app.store.notifications import deliveries as store
from billing_app.store.tables.notifications import Delivery, DeliveryAttempt, OutboxMessage, WebhookEndpoint
from billing_app.store.tables.organizations import Organization

log = get_logger()

DELAYS = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""Until the next try, after each that failed: 5 s, 5 min, 30 min, 2, 5, 10, 14, 20, 24 h; a little over three days."""

CLAIM_TIME = timedelta(minutes=2)
"""Many times as long as one try can take, name look-up included."""

AT_ONCE = 8
"""Receivers spoken to at the same time by one process."""

PER_RUN = 200
"""Deliveries begun in one run; what is left waits for the next, a few seconds later."""

MAX_ANSWER = 500
"""Characters of an answer that are kept."""


@dataclass(frozen=True, slots=True)
class Courier:
    """What delivering needs. `holder` names this worker among all of all processes; without `mailer` nothing is mailed.

    `reading` opens a transaction that only reads, so that looking for work keeps no writer waiting.
    """

    transaction: Transaction
    reading: Transaction
    sender: WebhookSender
    mailer: Mailer | None
    now: Callable[[], datetime]
    public_url: str
    holder: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed delivery with everything that sending it needs. `refused` says why it is not sent after all."""

    delivery: Delivery
    message: OutboxMessage
    organization: Organization
    endpoint: WebhookEndpoint | None
    signing: tuple[str, ...] = field(default=(), repr=False)
    mail: Mail | None = None
    refused: str = ""


@dataclass(slots=True)
class Delivered:
    """What a run did."""

    delivered: int = 0
    failed: int = 0


def deliver(courier: Courier, per_run: int = PER_RUN) -> Delivered:
    """Sends what is due. Organizations take turns, one delivery of each at a time.

    A receiver that failed is left alone for the rest of the run, so that one that hangs costs the others little.
    """
    done, avoided, begun = Delivered(), set[UUID](), 0
    at_work: dict[Future[tuple[UUID, bool] | None], int] = {}
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="courier") as pool:
        while True:
            room = min(AT_ONCE - len(at_work), per_run - begun)
            for owner in _whose_turn(courier, set(at_work.values()), avoided, room):
                at_work[pool.submit(_one, courier, owner, frozenset(avoided))] = owner
                begun += 1
            if not at_work:
                return done
            for future in wait(at_work, return_when=FIRST_COMPLETED).done:
                del at_work[future]
                result = future.result()
                if result is None:
                    continue
                target, arrived = result
                done.delivered += arrived
                done.failed += not arrived
                if not arrived:
                    avoided.add(target)


def body(message: OutboxMessage, organization: Organization) -> str:
    """What a webhook says; the same at every try."""
    return json.dumps(
        {
            "type": message.kind,
            "timestamp": message.occurred_at.isoformat().replace("+00:00", "Z"),
            "data": {"organization": organization.address, **json.loads(message.payload)},
        },
        ensure_ascii=False,
    )


def webhook_id(message: OutboxMessage) -> str:
    """The id by which receivers tell that they have a message already."""
    return f"msg_{message.id.hex}"


def _whose_turn(courier: Courier, busy: set[int], avoided: set[UUID], room: int) -> list[int]:
    if room <= 0:
        return []
    with courier.reading() as session:
        return store.due_organizations(session, courier.now(), busy, avoided, room)


def _one(courier: Courier, owner: int, avoided: frozenset[UUID]) -> tuple[UUID, bool] | None:
    """Claims, sends and records one delivery; the receiver and whether it arrived, or None if there was none."""
    with courier.transaction() as session:
        now = courier.now()
        delivery = store.claim(session, owner, now, courier.holder, now + CLAIM_TIME, avoided)
    if delivery is None:
        return None
    began = courier.now()
    answer = _tried(courier, delivery, began)
    with courier.transaction() as session:
        _record(session, delivery, answer, began, courier.now())
    return delivery.target, answer.ok


def _tried(courier: Courier, delivery: Delivery, now: datetime) -> Answer:
    """What came of one try. Whatever breaks is this delivery's alone: the others go on, and it comes again later."""
    try:
        with courier.reading() as session:
            parcel = _packed(session, courier, delivery, now)
        return Answer(None, parcel.refused, "", 0, gone=True) if parcel.refused else _sent(courier, parcel, now)
    except Exception:
        log.exception("delivery_broke", organization=delivery.organization_id, delivery=str(delivery.id))
        return Answer(None, "It could not be sent; the console's log has more.", "", 0)


def _packed(session: Session, courier: Courier, delivery: Delivery, now: datetime) -> Parcel:
    owner = delivery.organization_id
    message = store.message(session, owner, delivery.message_id)
    organization = organizations.by_id(session, owner)
    if delivery.channel == WEBHOOK:
        endpoint = choices.endpoint(session, owner, delivery.target)
        if endpoint is None or endpoint.disabled_at is not None:
            return Parcel(delivery, message, organization, None, refused="The endpoint is switched off or deleted.")
        return Parcel(delivery, message, organization, endpoint, tuple(webhook_endpoints.secrets_of(endpoint, now)))
    if courier.mailer is None:
        return Parcel(delivery, message, organization, None, refused="Mail is not set up any more.")
    if not choices.members(session, owner, (), (delivery.target,)):
        return Parcel(delivery, message, organization, None, refused="No member of the organization any more.")
    mail = mails.notification(session, message, organization, delivery, courier.public_url, now)
    return Parcel(delivery, message, organization, None, mail=mail)


def _sent(courier: Courier, parcel: Parcel, now: datetime) -> Answer:
    """Tries once, outside of any transaction."""
    if parcel.endpoint is not None:
        text = body(parcel.message, parcel.organization)
        headers = signed(webhook_id(parcel.message), now, text, parcel.signing)
        return courier.sender.send(parcel.endpoint.url, headers, text)
    if parcel.mail is None or courier.mailer is None:
        raise ValueError("a parcel is a webhook or a mail")
    try:
        said = courier.mailer.send(parcel.mail)
    except MailRefusedError as refused:
        return Answer(None, refused.reason, "", _milliseconds(courier.now() - now), gone=refused.final)
    return Answer(None, "", said, _milliseconds(courier.now() - now))


def _record(session: Session, delivery: Delivery, answer: Answer, began: datetime, now: datetime) -> None:
    """How the try ended, in the log and in the delivery; an endpoint that takes nothing for days is switched off."""
    attempt = DeliveryAttempt(
        organization_id=delivery.organization_id, delivery_id=delivery.id, number=delivery.attempts, started_at=began,
        duration_ms=answer.duration_ms, status=answer.status, error=answer.error, answer=answer.text[:MAX_ANSWER],
    )  # fmt: skip
    store.add_attempt(session, attempt)
    again = None
    if not answer.ok and not answer.gone and delivery.tries <= len(DELAYS):
        again = now + DELAYS[delivery.tries - 1]
    state = "delivered" if answer.ok else "waiting" if again else "failed"
    ours = store.finish_attempt(session, delivery, state, again, now)
    if ours and delivery.channel == WEBHOOK:
        _note(session, delivery, answer, began, now)
    organizations.raise_revision(session, delivery.organization_id)


def _note(session: Session, delivery: Delivery, answer: Answer, began: datetime, now: datetime) -> None:
    """What the try says about the endpoint."""
    endpoint = choices.endpoint(session, delivery.organization_id, delivery.target)
    if endpoint is None or endpoint.disabled_at is not None:
        return
    if answer.ok:
        endpoint.failing_since = None
        session.add(endpoint)
        session.flush()
        return
    since = choices.note_failure(session, endpoint, began)
    if answer.gone:
        webhook_endpoints.disable(session, endpoint, answer.error, now)
    elif now - since >= webhook_endpoints.PERSISTENT:
        webhook_endpoints.disable(session, endpoint, f"Nothing arrived for three days. Last: {answer.error}", now)


def _milliseconds(took: timedelta) -> int:
    return int(took / timedelta(milliseconds=1))
