"""Signing in, out and up, following one-time links, and asking for a new password.

Mails are sent after the answer has gone, so that the answer's time says nothing of what they say.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel
from sqlmodel import Session
from starlette.background import BackgroundTask
from starlette.responses import Response

from billing_app.api.common.browsers import Browser, Entered, FromBrowser
from billing_app.api.common.framing import FormRoute
from billing_app.api.common.problems import problems
from billing_app.domain.common.errors import BusyError, InvalidError, TooManyAtOnceError, UnavailableError
from billing_app.gateways.mail import Mail, Mailer, MailRefusedError, mailer_of
from billing_app.log import get_logger
from billing_app.services.access import (
    cookies,
    one_time_links,
    password_reset,
    passwords,
    sessions,
    sign_in_links,
    sign_in_throttle,
    sign_up,
)
from billing_app.services.access.one_time_links import PAGES
from billing_app.services.access.sessions import SignedIn
from billing_app.services.access.sign_in_throttle import Attempt
from billing_app.services.access.views import Kind, LinkView
from billing_app.turns import Limits, Pool

router = APIRouter(tags=["sign-in"], route_class=FormRoute)

SIGN_IN_PAGE = "/sign-in"
SIGN_UP_PAGE = "/sign-up"
FORGOT_PAGE = "/forgot-password"

MAX_FIELD = 2_000
"""Characters of a form field; a password's own limit is services.access.passwords.MAX_LENGTH."""

Field = Annotated[str, Form(max_length=MAX_FIELD)]


class GoOn(BaseModel):
    """Where a browser should go next, if JSON was asked for; otherwise the answer is 303 to that page."""

    next: str


@router.post("/sign-in", response_model=GoOn, responses=problems(303, 401, 403, 422, 429))
def sign_in(browser: FromBrowser, email: Field = "", password: Field = "", next: Field = "") -> Response:
    """Opens a session and sets its cookie."""

    def work() -> Entered:
        if not email.strip() or not password:
            raise InvalidError("Type your e-mail address and your password.", code="fields_missing")
        attempt = _prove(browser, email, password)
        return Entered(next, _open(browser, attempt), device=_device(browser, attempt))

    return browser.answer(SIGN_IN_PAGE, work, next=next)


@router.post("/sign-out", response_model=GoOn, responses=problems(303, 403))
def sign_out(browser: FromBrowser) -> Response:
    """Ends the session of this browser, in every tab."""

    def work() -> Entered:
        if browser.token is not None:
            with browser.application.database.writing() as session:
                sessions.sign_out(session, browser.token)
        return Entered(SIGN_IN_PAGE, signed_out=True)

    return browser.answer(SIGN_IN_PAGE, work)


@router.post("/sign-up", response_model=GoOn, responses=problems(303, 403, 422, 429))
def ask_to_sign_up(
    browser: FromBrowser, email: Field = "", organization: Field = "", name: Field = "", password: Field = ""
) -> Response:
    """Mails a link by which a new organization gets its first admin, where sign-up is open.

    The answer is the same whether or not there is an account with that address: its owner is mailed that there is one.
    `name` and `password` may be sent and are not kept: both are chosen at the link.
    """
    settings = browser.application.settings
    mailer = mailer_of(settings)
    asked = f"{SIGN_UP_PAGE}?sent=1"

    def work() -> Entered:
        sign_up.require_open(settings.sign_up and mailer is not None)
        sign_up.validated(email, organization)
        with browser.application.database.writing() as session:  # counted like a sign-in that failed: 30 from one place
            sign_in_throttle.begin(session, email, browser.client, browser.now)
        return Entered(asked)

    answer = browser.answer(SIGN_UP_PAGE, work)
    if mailer is not None and answer.headers.get("location", asked) == asked:
        write = partial(_sign_up_mail, browser, email, organization)
        answer.background = BackgroundTask(post, browser.client, mailer, write)
    return answer


def _sign_up_mail(browser: Browser, email: str, organization: str) -> Mail | None:
    application = browser.application
    with application.database.writing() as session:
        return sign_up.ask(session, email, organization, browser.now, application.settings.public_url)


@router.get("/sign-in-link", response_model=GoOn, responses=problems(303, 410, 422))
def follow_sign_in_link(browser: FromBrowser, token: Annotated[str, Query(max_length=MAX_FIELD)] = "") -> Response:
    """Signs in with the one-time link that the SaaS product requested, and redirects to the page that it named."""

    def work() -> Entered:
        with browser.application.database.writing() as session:
            opened = sign_in_links.follow(session, token, browser.now)
            _end_old(browser, session)
        return Entered(opened.return_to, opened.signed_in)

    return browser.answer(SIGN_IN_PAGE, work)


@router.post("/set-up", response_model=GoOn, responses=problems(303, 403, 409, 410, 422))
def set_up(
    browser: FromBrowser, token: Field = "", email: Field = "", name: Field = "", password: Field = ""
) -> Response:
    """Creates the first operator, with the link that the start command printed."""

    def work() -> Entered:
        _look(browser, token, Kind.SET_UP)
        hashed = passwords.hashed(password)
        with browser.application.database.writing() as session:
            user = one_time_links.set_up(session, token, email, name, hashed, browser.now)
            signed_in = sessions.start(session, user, browser.now, browser.application.lifetime)
            return Entered("/", signed_in, device=cookies.new_device(user.email, hashed))

    return browser.answer(PAGES[Kind.SET_UP], work, token=token)


@router.post("/new-password", response_model=GoOn, responses=problems(303, 403, 410, 422))
def new_password(browser: FromBrowser, token: Field = "", password: Field = "") -> Response:
    """Sets a new password and signs in; every other session of that person ends."""

    def work() -> Entered:
        _look(browser, token, Kind.NEW_PASSWORD)
        hashed = passwords.hashed(password)
        with browser.application.database.writing() as session:
            user = one_time_links.set_password(session, token, hashed, browser.now)
            signed_in = sessions.start(session, user, browser.now, browser.application.lifetime)
            return Entered("/", signed_in, device=cookies.new_device(user.email, hashed))

    return browser.answer(PAGES[Kind.NEW_PASSWORD], work, token=token)


@router.post("/accept-invitation", response_model=GoOn, responses=problems(303, 401, 403, 410, 422, 429))
def accept_invitation(browser: FromBrowser, token: Field = "", name: Field = "", password: Field = "") -> Response:
    """Joins an organization: a new person chooses a name and a password, a known one gives their password."""

    def work() -> Entered:
        view = _look(browser, token, Kind.INVITATION)
        hashed = None if view.has_password else passwords.hashed(password)
        proved = _who(browser, view, password) if view.has_password else None
        with browser.application.database.writing() as session:
            user, address = one_time_links.accept(session, token, browser.now, name=name, hashed=hashed, proved=proved)
            _end_old(browser, session)
            signed_in = sessions.start(session, user, browser.now, browser.application.lifetime)
            device = cookies.new_device(user.email, user.password_hash or "")
        return Entered(f"/o/{address}", signed_in, device=device)

    return browser.answer(PAGES[Kind.INVITATION], work, token=token)


def _look(browser: Browser, token: str, kind: Kind) -> LinkView:
    """Refuses a link that has ended before anything slow is done for it."""
    with browser.application.database.reading() as session:
        return one_time_links.look(session, token, kind, browser.now)


def _prove(browser: Browser, email: str, password: str) -> Attempt:
    """The attempt, counted and then proved. Raises `too_many_attempts` or `wrong_password`."""
    with browser.application.database.writing() as session:
        demo = browser.application.settings.demo
        attempt = sign_in_throttle.begin(session, email, browser.client, browser.now, device=browser.device, demo=demo)
    if not sign_in_throttle.proves(attempt, password):
        raise sign_in_throttle.wrong_password()
    return attempt


def _device(browser: Browser, attempt: Attempt) -> str:
    """A browser that is known already keeps the name under which it is."""
    return browser.device if attempt.device else cookies.new_device(attempt.email, attempt.password_hash or "")


def _open(browser: Browser, attempt: Attempt) -> SignedIn:
    with browser.application.database.writing() as session:
        _end_old(browser, session)
        return sessions.sign_in(session, attempt, browser.now, browser.application.lifetime)


def _end_old(browser: Browser, session: Session) -> None:
    """A browser has one session: the one that it brought along ends when it gets a new one."""
    if browser.token is not None:
        sessions.sign_out(session, browser.token)


def _who(browser: Browser, view: LinkView, password: str) -> UUID | None:
    """Proves that the invited account is this person's: by the session of this browser, or by the password."""
    with browser.application.database.reading() as session:
        identity = sessions.identify(session, browser.token, browser.now, demo=browser.application.settings.demo)
    if identity is not None and identity.email == view.email and identity.only_organization_id is None:
        return identity.user_id
    attempt = _prove(browser, view.email, password)
    with browser.application.database.writing() as session:
        sign_in_throttle.succeed(session, attempt)
    return attempt.user_id


MAILS = Limits(at_once=2, each=1, waiting=100, waiting_each=10, seconds=60.0)
"""Mails on their way at once: a mail server that hangs must hold up nothing else. Callers are addresses of clients."""

MAIL_POOL = Pool("entrance-mails", MAILS)

log = get_logger("billing.mail")


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


@router.post("/forgot-password", response_model=GoOn, responses=problems(303, 403, 422, 503))
def forgot_password(browser: FromBrowser, email: Field = "") -> Response:
    """Mails a password reset link, if there is such an account. The answer is the same in either case."""
    mailer = mailer_of(browser.application.settings)

    def work() -> Entered:
        if mailer is None:
            raise UnavailableError("This server sends no mail. Ask its operator for a link.", code="mail_unavailable")
        if not email.strip():
            raise InvalidError("Type your e-mail address.", code="fields_missing")
        return Entered(f"{FORGOT_PAGE}?sent=1")

    answer = browser.answer(FORGOT_PAGE, work)
    if mailer is not None and answer.headers.get("location", f"{FORGOT_PAGE}?sent=1") == f"{FORGOT_PAGE}?sent=1":
        answer.background = BackgroundTask(post, browser.client, mailer, lambda: _reset_mail(browser, email))
    return answer


def _reset_mail(browser: Browser, email: str) -> Mail | None:
    application = browser.application
    with application.database.writing() as session:
        return password_reset.ask(session, email, browser.client, browser.now, application.settings.public_url)
