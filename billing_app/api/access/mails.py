"""Mails that a route sends after its answer has gone, so that the answer's time says nothing of what they say."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from billing_app.domain.common.errors import BusyError, TooManyAtOnceError
from billing_app.gateways.mail import Mail, Mailer, MailRefusedError
from billing_app.turns import Limits, Pool

MAILS = Limits(at_once=2, each=1, waiting=100, waiting_each=10, seconds=60.0)
"""Mails on their way at once: a mail server that hangs must hold up nothing else. Callers are addresses of clients."""

MAIL_POOL = Pool("entrance-mails", MAILS)

log = structlog.get_logger("billing.mail")


async def post(client: str, mailer: Mailer, write: Callable[[], Mail | None]) -> None:
    """Sends what `write` gives, if anything, in a thread of its own. Too many at once are not sent."""
    try:
        await MAIL_POOL.run(client, _send, mailer, write)
    except (BusyError, TooManyAtOnceError):
        log.warning("mail_not_sent", reason="too many wait to be sent")
    except Exception:
        # The answer has gone: whoever asked asks again for a mail that does not come.
        log.exception("mail_not_sent")


def _send(mailer: Mailer, write: Callable[[], Mail | None]) -> None:
    mail = write()
    if mail is None:
        return
    try:
        mailer.send(mail)
    except MailRefusedError as refused:
        log.warning("mail_refused", reason=refused.reason)
