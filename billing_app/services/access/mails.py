"""What mails say: a subject, a few lines and one link. Their look is left to whoever reads them."""

from __future__ import annotations

import json
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import Metric
from billing_app.domain.common.errors import NotFoundError
from billing_app.gateways.mail import Mail
from billing_app.services.access import one_time_links
from billing_app.services.access.notification_text import MessageText, in_general, message_text
from billing_app.services.access.views import Kind
from billing_app.services.catalogue import versions
from billing_app.store.tables.notifications import Delivery, OutboxMessage
from billing_app.store.tables.organizations import Organization

MAX_SUBJECT = 150
"""Characters: what a list of mails shows of one."""


def notification(
    session: Session,
    message: OutboxMessage,
    organization: Organization,
    delivery: Delivery,
    public_url: str,
    now: datetime,
) -> Mail:
    """An event, told to one person."""
    words = in_words(session, message, now)
    page = f"{public_url.rstrip('/')}/o/{organization.address}"
    link = f"{page}/{words.page}" if words.page else page
    member = f"Sent to you as a member of {_one_line(organization.name)}. What is sent is chosen at {page}/alerts"
    return Mail(
        delivery.address,
        subject(f"{organization.name}: {words.title}"),
        _text(*words.lines, "", link, "", member),
        id=f"{message.id.hex}.{delivery.target.hex}",
    )


def new_password(email: str, token: str, public_url: str) -> Mail:
    """The link to a new password, for somebody who asked for one."""
    return Mail(
        email,
        "Choose a new password",
        _text(
            "Somebody, probably you, asked for a new password. Open this within an hour to choose one:",
            "",
            f"{public_url.rstrip('/')}{one_time_links.path(Kind.NEW_PASSWORD, token)}",
            "",
            "If it was not you, do nothing: the old password stays valid.",
        ),
    )


def invitation(email: str, organization: str, invited_by: str, link: str) -> Mail:
    """The link by which a person joins an organization."""
    return Mail(
        email,
        subject(f"You are invited to {organization}"),
        _text(
            f"{_one_line(invited_by)} invites you to {_one_line(organization)}. Open this within 7 days to join:",
            "",
            link,
            "",
            "If you do not know what this is about, do nothing.",
        ),
    )


def sign_up(email: str, organization: str, link: str) -> Mail:
    """The link by which somebody becomes the first admin of an organization that they asked for."""
    return Mail(
        email,
        subject(f"Open {organization}"),
        _text(
            f"Somebody, probably you, asked for an account for {_one_line(organization)}. Open this within 7 days to "
            "choose a password:",
            "",
            link,
            "",
            "If it was not you, do nothing: there will be no account.",
        ),
    )


def known_already(email: str, public_url: str) -> Mail:
    """What somebody who has an account already hears when a new one is asked for with their address."""
    home = public_url.rstrip("/")
    return Mail(
        email,
        "You have an account already",
        _text(
            "Somebody, probably you, asked for a new account with this address. You have one. Sign in here, and create "
            "the new organization from there:",
            "",
            f"{home}/sign-in?next=/new-organization",
            "",
            f"If you do not know the password any more, choose a new one: {home}/forgot-password",
            "If it was not you, do nothing.",
        ),
    )


def to_operator(email: str, title: str, text: str, link: str, mail_id: str) -> Mail:
    """What needs an operator, told to one of them."""
    return Mail(
        email,
        subject(title),
        _text(text, "", link, "", "Sent to you because you are an operator of this billing console."),
        id=mail_id,
    )


def in_words(session: Session, message: OutboxMessage, now: datetime) -> MessageText:
    """A message in words. One that another version wrote differently is told in general words."""
    metric = metric_of(session, message.metric, now)
    try:
        return message_text(message.kind, json.loads(message.payload), metric)
    except (KeyError, TypeError, ValueError):
        return in_general(message.kind)


def metric_of(session: Session, metric_id: str | None, now: datetime) -> Metric | None:
    """The metric that a message is about, if the catalogue still has it."""
    try:
        return versions.current(session, now).metric(metric_id) if metric_id else None
    except NotFoundError:
        return None


def subject(text: str) -> str:
    """A subject in one line, whatever a name contains."""
    return _one_line(text)[:MAX_SUBJECT]


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _text(*lines: str) -> str:
    return "\n".join(lines) + "\n"
