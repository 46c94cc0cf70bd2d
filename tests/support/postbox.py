"""A real SMTP server that keeps what it is handed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from billing_app.launcher.ports import free_port


@dataclass
class Postbox:
    """The mails that came, in order. Receivers called refused-550@... and the like are refused with that code."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)

    @property
    def receivers(self) -> list[str]:
        """To whom they went."""
        return sorted(mail["To"] for mail in self.mails)

    @property
    def url(self) -> str:
        """Its address, as a setting."""
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        """Takes or refuses a receiver."""
        name = address.partition("@")[0]
        if name.startswith("refused-"):
            return f"{name.removeprefix('refused-')} no"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keeps a mail."""
        mail: Any = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append(mail)
        return "250 OK"


def text_of(mail: EmailMessage) -> str:
    """What a mail says."""
    return mail.get_content().replace("\r\n", "\n")


@contextmanager
def running_postbox() -> Generator[Postbox]:
    """The server on a free port of every address of this machine."""
    postbox = Postbox(free_port())
    controller = Controller(postbox, hostname="0.0.0.0", port=postbox.port)
    controller.start()
    try:
        yield postbox
    finally:
        controller.stop()
