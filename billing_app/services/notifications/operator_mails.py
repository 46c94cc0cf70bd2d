"""Sends operators what was written down for them (`common/operator_mails`): by a job, tried for three days."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from billing_app.gateways.mail import Mailer, MailRefusedError
from billing_app.log import get_logger
from billing_app.services.access import mails
from billing_app.services.common.context import Transaction
from billing_app.store.notifications import operator_mails as store

log = get_logger()

OLD_NEWS = timedelta(days=3)
"""What could not be mailed for so long, or waited for a mail server, is not mailed any more: the pages show it."""

DELAYS = tuple(timedelta(seconds=seconds) for seconds in (60, 600, 3_600, 14_400))
"""Until the next try, after each that failed; the last one stays."""

CLAIM_TIME = timedelta(minutes=2)
"""Many times as long as one try can take."""

PER_RUN = 20
"""Mails sent in one run; what is left waits for the next, a few seconds later."""


def send(transaction: Transaction, mailer: Mailer, now: Callable[[], datetime], public_url: str) -> int:
    """Sends what is due, each outside of any transaction; answers how many arrived."""
    with transaction() as session:
        waiting = [
            (mail.key, mail.user_id, mail.subject, mail.text, mail.page, email)
            for mail, email in store.due(session, now(), now() - OLD_NEWS, PER_RUN)
        ]
    sent = 0
    for key, user_id, title, text, page, email in waiting:
        with transaction() as session:
            ours = store.claim(session, key, user_id, now(), now() + CLAIM_TIME)
        if not ours:
            continue
        mail_id = hashlib.sha256(f"{key}:{user_id}".encode()).hexdigest()[:32]
        try:
            mailer.send(mails.to_operator(email, title, text, public_url.rstrip("/") + page, mail_id))
        except MailRefusedError as refused:
            _failed(transaction, key, user_id, refused, now())
            continue
        sent += 1
        with transaction() as session:
            mail = store.one(session, key, user_id)
            if mail is not None:
                mail.sent_at, mail.next_try_at, mail.error = now(), None, ""
                session.add(mail)
    return sent


def _failed(transaction: Transaction, key: str, user_id: UUID, refused: MailRefusedError, now: datetime) -> None:
    log.warning("operator_mail_refused", key=key, reason=refused.reason)
    with transaction() as session:
        mail = store.one(session, key, user_id)
        if mail is not None:
            mail.error = refused.reason[:500]
            mail.next_try_at = None if refused.final else now + DELAYS[min(mail.tries, len(DELAYS)) - 1]
            session.add(mail)
