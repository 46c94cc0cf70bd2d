"""What Stripe sends: verified, stored and answered; worked on after the answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Header, Request
from pydantic import BaseModel

from billing_app import monitoring
from billing_app.api.common.body_limits import raw_body
from billing_app.api.common.problems import problems
from billing_app.api.common.process import application_of
from billing_app.domain.common.errors import BusyError, TooManyAtOnceError
from billing_app.gateways.stripe.payments import payments_of, verified_event
from billing_app.log import get_logger
from billing_app.services.stripe import inbox
from billing_app.services.stripe.inbox import Worker
from billing_app.turns import Limits, Pool

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

log = get_logger()

WORK = Limits(at_once=4, each=1, waiting=1_000, waiting_each=1_000, seconds=60.0)
"""Events that one process works on at once, of one subject one after the other. They mostly wait for Stripe. What does
not fit in is in the database, where the sweep finds it."""

_workers = Pool("stripe-events", WORK)


class Received(BaseModel):
    """The event is stored, now or from an earlier delivery."""

    received: bool = True


@router.post("/stripe", responses=problems(400, 408, 413, 503))
def receive_stripe(
    request: Request,
    background: BackgroundTasks,
    body: Annotated[bytes, Depends(raw_body)],
    signature: Annotated[str, Header(alias="Stripe-Signature")] = "",
) -> Received:
    """Receives one event from Stripe. Only Stripe can call it: the body is signed."""
    application = application_of(request)
    payments = payments_of(application.settings)
    event = verified_event(body, signature, application.settings.stripe_webhook_secret.get_secret_value())
    with application.database.writing() as session:
        due = inbox.receive(session, event, application.clock())
    monitoring.stripe_events.labels("received").inc()
    if due:
        worker = Worker(application.database.writing, payments, application.clock)
        background.add_task(_work, worker, inbox.subject_of(event))
    return Received()


async def _work(worker: Worker, subject: str) -> None:
    """After the answer has left. Whatever goes wrong here leaves the event for the sweep."""
    try:
        worked = await _workers.run(subject, inbox.work, worker, subject)
    except (BusyError, TooManyAtOnceError):
        log.info("events_left_to_the_sweep", subject=subject)
    except Exception:
        log.exception("events_left_to_the_sweep", subject=subject)
    else:
        monitoring.worked_on(worked.handled, worked.ignored, worked.failed)
