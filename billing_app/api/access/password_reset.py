"""Asking for a new password."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.responses import Response

from billing_app.api.access.mails import post
from billing_app.api.access.sign_in import Field, GoOn
from billing_app.api.common.browsers import Browser, Entered, FromBrowser
from billing_app.api.common.framing import FormRoute
from billing_app.api.common.responses import problems
from billing_app.domain.common.errors import InvalidError, UnavailableError
from billing_app.gateways.mail import Mail, mailer_of
from billing_app.services.access import password_reset

router = APIRouter(tags=["sign-in"], route_class=FormRoute)

PAGE = "/forgot-password"


@router.post("/forgot-password", response_model=GoOn, responses=problems(303, 403, 422, 503))
def forgot_password(browser: FromBrowser, email: Field = "") -> Response:
    """Mails a password reset link, if there is such an account. The answer is the same in either case."""
    mailer = mailer_of(browser.application.settings)

    def work() -> Entered:
        if mailer is None:
            raise UnavailableError("This server sends no mail. Ask its operator for a link.", code="mail_unavailable")
        if not email.strip():
            raise InvalidError("Type your e-mail address.", code="fields_missing")
        return Entered(f"{PAGE}?sent=1")

    answer = browser.answer(PAGE, work)
    if mailer is not None and answer.headers.get("location", f"{PAGE}?sent=1") == f"{PAGE}?sent=1":
        answer.background = BackgroundTask(post, browser.client, mailer, lambda: _mail(browser, email))
    return answer


def _mail(browser: Browser, email: str) -> Mail | None:
    application = browser.application
    with application.database.writing() as session:
        return password_reset.ask(session, email, browser.client, browser.now, application.settings.public_url)
