"""Mails an invitation to whom it is for, after it was made. The link is shown to who invites in any case."""

from __future__ import annotations

import structlog

from billing_app.gateways.mail import MailRefusedError, mailer_of
from billing_app.services.access import mails
from billing_app.services.access.members import Invitation
from billing_app.settings import Settings

log = structlog.get_logger("billing.mail")


def mail(settings: Settings, invitation: Invitation, organization: str, invited_by: str) -> bool:
    """Whether the invited person was sent the link. Talks to the mail server: never inside a transaction.

    A link in a mail is as good as a password, so it is kept nowhere: a mail that cannot be sent now is not tried again,
    and who invites hands the link over.
    """
    mailer = mailer_of(settings)
    if mailer is None:
        return False
    link = settings.public_url.rstrip("/") + invitation.path
    try:
        mailer.send(mails.invitation(invitation.member.email, organization, invited_by, link))
    except MailRefusedError as refused:
        log.warning("invitation_mail_refused", reason=refused.reason)
        return False
    return True
