"""Tells organizations what has happened: fans messages out to who is to be told, and sends what is due."""

from __future__ import annotations

import time

from sqlalchemy.exc import SQLAlchemyError

from billing_app import clock, monitoring
from billing_app.db import Database
from billing_app.gateways.mail import mailer_of
from billing_app.gateways.webhooks import HttpWebhookSender, reachable
from billing_app.log import get_logger
from billing_app.services.notifications import deliveries, fan_out, operator_mails
from billing_app.services.notifications.deliveries import Courier, Delivered
from billing_app.settings import Settings

EVERY_SECONDS = 3
"""Between two looks: somebody who sends a test is waiting for it."""

ORGANIZATIONS = 200
"""Fanned out in one run; what is left waits for the next."""

QUIET_SECONDS = 60.0
"""While the database cannot be reached, a line of log a minute is enough."""

log = get_logger()

_last_complaint = [0.0]


def courier_of(database: Database, settings: Settings) -> Courier:
    """What sends on this process's behalf."""
    return Courier(
        transaction=database.writing,
        reading=database.reading,
        sender=HttpWebhookSender(reachable(settings)),
        mailer=mailer_of(settings),
        now=clock.now,
        public_url=settings.public_url,
    )


def run(database: Database, settings: Settings) -> Delivered:
    """One look: fan out, then send. A database that does not answer is complained about once a minute."""
    try:
        fan_out_all(database, mailing=settings.mailing)
        courier = courier_of(database, settings)
        if courier.mailer is not None:
            operator_mails.send(courier.transaction, courier.mailer, courier.now, courier.public_url)
        done = deliveries.deliver(courier)
    except SQLAlchemyError as error:
        if time.monotonic() - _last_complaint[0] >= QUIET_SECONDS:
            _last_complaint[0] = time.monotonic()
            log.warning("notifications_wait", reason=type(error).__name__)
        return Delivered()
    monitoring.deliveries.labels("delivered").inc(done.delivered)
    monitoring.deliveries.labels("failed").inc(done.failed)
    return done


def fan_out_all(database: Database, *, mailing: bool) -> int:
    """Fans out what waits, one transaction for each organization; answers how many messages there were."""
    with database.reading() as session:
        waiting = fan_out.waiting(session, ORGANIZATIONS)
    told = 0
    for owner in waiting:
        with database.writing() as session:
            told += fan_out.fan_out(session, owner, clock.now(), mailing=mailing)
    return told
