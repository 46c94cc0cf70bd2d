"""The pages without an organization: sign in, the three kinds of one-time links, and the way home."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.domain.common.access import MIN_PASSWORD, local_path
from billing_app.domain.common.errors import BillingError, UnauthenticatedError
from billing_app.services.access import one_time_links, sessions
from billing_app.services.overview import frame
from billing_app.ui import routes
from billing_app.ui.access import transactions as anybody
from billing_app.ui.access.session import MAX_TEXT, public
from billing_app.ui.access.transactions import transactions
from billing_app.ui.frame.banner import notice
from billing_app.ui.frame.layout import bare_page, signed_in_as
from billing_app.ui.kit.basics import button_link
from billing_app.ui.kit.dialogs import refusal as refusal_line
from billing_app.ui.kit.forms import labelled, plain_form
from billing_app.ui.sign_in.text import LinkScreen, link_screen, refusal


class EntranceState(rx.State):
    """What the forms show. They post to the API: only a full page load brings a new cookie to the websocket."""

    error: str = ""
    next_path: str = ""
    token: str = ""
    link: LinkScreen = LinkScreen()
    ready: bool = False
    without: bool = False
    email: str = ""
    may_sign_up: bool = False
    sends_mail: bool = False
    sent: bool = False

    @public("shows the sign-in or sign-up form; reads nothing but the URL and a setting")
    def sign_in(self) -> None:
        """What went wrong, where to go on, and whether one may sign up."""
        query = self.router.url.query_parameters
        settings = transactions().settings
        self.may_sign_up = settings.sign_up and settings.mailing
        self.sends_mail = settings.mailing
        self.sent = "sent" in query
        self.ready = True
        self.error = refusal(query.get("error", ""))
        self.next_path = local_path(query.get("next", ""))

    @public("shows what a one-time link is for; whoever holds its secret may know")
    async def open_link(self) -> None:
        """What the link in the URL is for, or that it has ended."""
        query = self.router.url.query_parameters
        self.token = query.get("token", "")[:MAX_TEXT]
        kind = self.router.url.path.strip("/").replace("-", "_")[:MAX_TEXT]
        self.error = refusal(query.get("error", ""))
        try:
            self.link = link_screen(
                await anybody.read(
                    self, lambda at: one_time_links.look(at.session, self.token, one_time_links.kind_in(kind), at.now)
                )
            )
        except BillingError as error:
            self.link = LinkScreen(ended=error.detail)
        self.ready = True

    @public("sends a person to an organization of theirs; the cookie says whose")
    async def go_home(self) -> Any:
        """To the first organization; to the sign-in page for nobody."""
        try:
            address = await anybody.read(self, lambda at: frame.home(at.session, at.identity))
        except UnauthenticatedError:
            return rx.redirect(routes.sign_in())
        if address is None:
            person = await anybody.read(self, lambda at: sessions.require_signed_in(at.identity))
            if person.operator:
                return rx.redirect(routes.ADMIN, replace=True)
            self.email = person.email
            self.without = True
            return None
        return rx.redirect(routes.overview(address), replace=True)


def _field(label: str, name: str, kind: str, autocomplete: str, note: str = "", **props: Any) -> rx.Component:
    return labelled(
        label,
        rx.el.input(type=kind, name=name, auto_complete=autocomplete, class_name="input large", **props),
        rx.el.small(note) if note else rx.fragment(),
    )


def _form(action: str, *fields: Any, button: str) -> rx.Component:
    """Can be sent once the page knows what goes with it unseen: where to go on, or the secret of its link."""
    return plain_form(
        refusal_line(EntranceState.error),
        *fields,
        rx.button(
            button,
            type="submit",
            size="3",
            class_name="button primary wide",
            disabled=rx.cond(EntranceState.ready, False, True),
        ),
        method="post",
        action=f"{routes.API}/{action}",
        class_name="form",
    )


def sign_in_page() -> rx.Component:
    """E-mail and password."""
    return bare_page(
        rx.el.h1("Sign in"),
        _form(
            "sign-in",
            rx.el.input(type="hidden", name="next", value=EntranceState.next_path, read_only=True),
            _field("E-mail", "email", "email", "username", required=True, auto_focus=True),
            _field("Password", "password", "password", "current-password", required=True),
            button="Sign in",
        ),
        rx.cond(
            EntranceState.sends_mail,
            rx.el.p(rx.el.a("Forgot your password?", href=routes.FORGOT_PASSWORD), class_name="quiet-note foot-link"),
        ),
        rx.cond(
            EntranceState.may_sign_up,
            rx.el.p("New here? ", rx.el.a("Make an account", href=routes.SIGN_UP), class_name="quiet-note foot-link"),
        ),
    )


def sign_up_page() -> rx.Component:
    """An account and an organization, where sign-up is open."""
    form = rx.fragment(
        rx.el.p("A link to choose a password is mailed to you.", class_name="quiet"),
        _form(
            "sign-up",
            _field("Organization", "organization", "text", "organization", required=True, auto_focus=True),
            _field("E-mail", "email", "email", "username", required=True),
            button="Make an account",
        ),
    )
    sent = rx.el.p(
        "A mail is on its way to you, with a link that works for 7 days. Open it to go on.",
        class_name="quiet",
        role="status",
    )
    closed = rx.el.p("Sign-up is closed here. Ask for an invitation.", class_name="quiet", role="alert")
    return bare_page(
        rx.el.h1("Make an account"),
        rx.cond(
            EntranceState.ready,
            rx.cond(EntranceState.may_sign_up, rx.cond(EntranceState.sent, sent, form), closed),
        ),
        rx.el.p("You have one? ", rx.el.a("Sign in", href=routes.SIGN_IN), class_name="quiet-note foot-link"),
    )


def forgot_password_page() -> rx.Component:
    """Asks for a link by mail; says the same whether or not there is such an account."""
    form = rx.fragment(
        rx.el.p("A link to choose a new one is mailed to you.", class_name="quiet"),
        _form(
            "forgot-password",
            _field("E-mail", "email", "email", "username", required=True, auto_focus=True),
            button="Mail me a link",
        ),
    )
    sent = rx.el.p(
        "If there is an account with this address, the link is on its way. It works for an hour.",
        class_name="quiet",
        role="status",
    )
    none = rx.el.p("This server sends no mail. Ask its operator for a link.", class_name="quiet", role="alert")
    return bare_page(
        rx.el.h1("Forgot your password?"),
        rx.cond(EntranceState.ready, rx.cond(EntranceState.sends_mail, rx.cond(EntranceState.sent, sent, form), none)),
        rx.el.p(rx.el.a("Back to sign in", href=routes.SIGN_IN), class_name="quiet-note foot-link"),
    )


def _link_page(title: str, action: str, *fields: Any, button: str) -> rx.Component:
    token = rx.el.input(type="hidden", name="token", value=EntranceState.token, read_only=True)
    link = EntranceState.link
    opened = rx.cond(
        link.ended != "",
        rx.el.p(link.ended, class_name="quiet", role="alert"),
        rx.fragment(
            rx.cond(link.text != "", rx.el.p(link.text, class_name="quiet")),
            _form(action, token, *fields, button=button),
        ),
    )
    return bare_page(
        rx.el.h1(title),
        rx.cond(EntranceState.ready, opened, rx.el.p("One moment", class_name="quiet", aria_busy="true")),
    )


def _new_password(label: str = "Password") -> rx.Component:
    note = f"At least {MIN_PASSWORD} characters."
    return _field(label, "password", "password", "new-password", note, required=True, min_length=MIN_PASSWORD)


def set_up_page() -> rx.Component:
    """The first operator."""
    return _link_page(
        "Set up this console",
        "set-up",
        _field("Your name", "name", "text", "name", required=True),
        _field("E-mail", "email", "email", "username", required=True),
        _new_password(),
        button="Become the operator",
    )


def new_password_page() -> rx.Component:
    """A new password."""
    return _link_page("New password", "new-password", _new_password("New password"), button="Save and sign in")


def invitation_page() -> rx.Component:
    """Joining an organization."""
    note = "Not needed if you are signed in as this person already."
    known = _field("Your password", "password", "password", "current-password", note)
    fresh = rx.fragment(_field("Your name", "name", "text", "name", required=True), _new_password())
    return _link_page(
        "Join an organization",
        "accept-invitation",
        rx.cond(EntranceState.link.has_password, known, fresh),
        button="Join",
    )


def home_page() -> rx.Component:
    """On the way to an organization."""
    return rx.cond(
        EntranceState.without,
        bare_page(
            notice(
                "building-2",
                "You are in no organization yet",
                "An organization has members, a plan, use and credits. Create one, or ask an admin of yours to invite "
                "you: the link that you get brings you in.",
                button_link("Create an organization", href=routes.NEW_ORGANIZATION, primary=True),
                whole=True,
            ),
            signed_in_as(EntranceState.email),
        ),
        bare_page(rx.el.p("One moment", class_name="quiet", aria_busy="true")),
    )
