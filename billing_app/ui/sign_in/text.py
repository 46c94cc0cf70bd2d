"""The forms of people who are not signed in: what a link is for, and why something was refused."""

from __future__ import annotations

from dataclasses import dataclass

from billing_app.domain.common.access import MIN_PASSWORD
from billing_app.services.access.views import Kind, LinkView

REFUSALS = {
    "wrong_password": "E-mail or password is wrong.",
    "too_many_attempts": "Too many attempts. Wait a few minutes, then try again.",
    "fields_missing": "Type your e-mail address and your password.",
    "mail_unavailable": "This server sends no mail. Ask its operator for a link.",
    "weak_password": f"A password needs at least {MIN_PASSWORD} characters and must not be easy to guess.",
    "invalid_email": "This is not an e-mail address.",
    "invalid_name": "Type your name.",
    "email_taken": "There is an account with this address already.",
    "already_member": "You are a member already. Sign in.",
    "sign_up_closed": "Sign-up is closed here. Ask for an invitation.",
    "link_ended": "This link has expired or was used.",
    "wrong_origin": "The form came from another site. Reload this page and try again.",
}
"""Codes of the API's refusals in words. Only these are shown: a URL can be made by anybody."""


@dataclass(frozen=True)
class LinkScreen:
    """What a one-time link is for; `ended` says why it is for nothing any more."""

    text: str = ""
    has_password: bool = False
    ended: str = ""


def refusal(code: str) -> str:
    """The sentence for a code of the URL; a general one for what we do not know."""
    if not code:
        return ""
    return REFUSALS.get(code, "This did not work. Try again.")


def link_screen(view: LinkView) -> LinkScreen:
    """The words above a link's form."""
    text = {
        Kind.SET_UP: "You become the operator: the first account of this console.",
        Kind.NEW_PASSWORD: f"For {view.email}. Every other session of yours ends.",
        Kind.INVITATION: f"{view.email} is invited to {view.organization} with the role {view.role}.",
        Kind.SIGN_IN: "Open this link by itself: it needs no form.",
    }[view.kind]
    return LinkScreen(text, view.has_password)
