"""Asking for a new password."""

from __future__ import annotations

import structlog
from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.responses import Response

from billing_app.api.browsers import Browser, Entered, FromBrowser
from billing_app.api.documented import problems
from billing_app.api.routes.sign_in import Field, GoOn
from billing_app.domain.errors import BusyError, InvalidError, TooManyAtOnceError, UnavailableError
from billing_app.gateways.mail import Mailer, MailRefusedError, mailer_of
from billing_app.services import forgotten
from billing_app.turns import Limits, Pool

router = APIRouter(tags=["sign-in"])

PAGE = "/forgot-password"

MAILS = Limits(at_once=2, each=1, waiting=100, waiting_each=10, seconds=60.0)
"""Mails on their way at once: a mail server that hangs must hold up nothing else. Callers are addresses of clients."""

_mails = Pool("password-mails", MAILS)

log = structlog.get_logger("billing.mail")


@router.post("/forgot-password", response_model=GoOn, responses=problems(303, 403, 422, 503))
def forgot_password(browser: FromBrowser, email: Field = "") -> Response:
    """Mails a link to a new password, if there is such an account. The answer is the same in either case."""
    mailer = mailer_of(browser.context.settings)

    def work() -> Entered:
        if mailer is None:
            raise UnavailableError("This server sends no mail. Ask its operator for a link.", code="mail_unavailable")
        if not email.strip():
            raise InvalidError("Type your e-mail address.", code="fields_missing")
        return Entered(f"{PAGE}?sent=1")

    answer = browser.answer(PAGE, work)
    if mailer is not None and answer.headers.get("location", f"{PAGE}?sent=1") == f"{PAGE}?sent=1":
        answer.background = BackgroundTask(_post, browser, mailer, email)
    return answer


async def _post(browser: Browser, mailer: Mailer, email: str) -> None:
    """After the answer has gone, which says the same whether a mail does or not: too many at once are not sent."""
    try:
        await _mails.run(browser.client, _send, browser, mailer, email)
    except (BusyError, TooManyAtOnceError):
        log.warning("password_mail_not_sent", reason="too many wait to be sent")


def _send(browser: Browser, mailer: Mailer, email: str) -> None:
    """In a thread of its own."""
    context = browser.context
    with context.database.writing() as session:
        mail = forgotten.ask(session, email, browser.client, browser.now, context.settings.public_url)
    if mail is None:
        return
    try:
        mailer.send(mail)
    except MailRefusedError as refused:
        log.warning("password_mail_refused", reason=refused.reason)
