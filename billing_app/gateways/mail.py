"""Plain mail over SMTP."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import lru_cache
from typing import Protocol
from urllib.parse import unquote, urlsplit

from billing_app.settings import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")

SECONDS = 15.0
"""A mail server that takes longer is tried again."""

PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person. `id` makes two copies of it recognizable as one (Message-ID)."""

    to: str
    subject: str
    text: str
    id: str = ""


class MailRefusedError(Exception):
    """The mail cannot be delivered, now or (`final`) ever; the message says why."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class Mailer(Protocol):
    """Sends mail."""

    def send(self, mail: Mail) -> str:
        """Hands a mail over and gives what the server said. Raises MailRefusedError."""


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Speaks to one server. TLS from the start, or STARTTLS before anything else; without only on this machine."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    implicit_tls: bool = False

    @classmethod
    def at(cls, url: str, sender: str) -> SmtpMailer:
        """The mailer of `smtp://user:password@host:587` or `smtps://...:465`. Raises ValueError for anything else."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("BILLING_SMTP_URL is like smtp://user:password@host:587 or smtps://user:password@host:465")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        port = parts.port or PORTS[parts.scheme]
        return cls(parts.hostname, port, sender, user, password, implicit_tls=parts.scheme == "smtps")

    def send(self, mail: Mail) -> str:
        """Hands one mail over, on a connection of its own."""
        try:
            message = written(mail, self.sender)
        except (ValueError, IndexError, MessageError) as error:
            raise MailRefusedError(f"No mail can be written to this address: {error}", final=True) from None
        try:
            return self._hand_over(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise MailRefusedError(_said(code, said), final=500 <= code < 600) from None
        except smtplib.SMTPResponseException as error:
            raise MailRefusedError(_said(error.smtp_code, error.smtp_error)) from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailRefusedError(f"No connection to the mail server: {error}") from None

    def _hand_over(self, message: EmailMessage) -> str:
        if self.implicit_tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=_trust())
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=SECONDS)
        with server:
            if not self.implicit_tls and self.host not in LOOPBACK:
                server.starttls(context=_trust())
            if self.user:
                server.login(self.user, self.password)
            server.send_message(message)
        return "Accepted by the mail server."


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Whose certificates are believed: reading them takes longer than handing over a mail."""
    return ssl.create_default_context()


def mailer_of(settings: Settings) -> Mailer | None:
    """What sends mail; None where no mail server is set. Raises ValueError for an address that is none."""
    return SmtpMailer.at(settings.smtp_url.get_secret_value(), settings.mail_from) if settings.mailing else None


def written(mail: Mail, sender: str) -> EmailMessage:
    """The mail as it is sent. Raises ValueError for an address or subject that would reach into the headers."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = mail.subject
    message["From"] = sender
    message["To"] = Address(addr_spec=mail.to)
    if mail.id:
        message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2].strip('> ')}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message


def _said(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"The mail server answered {code}: {text.strip()}"[:500]
