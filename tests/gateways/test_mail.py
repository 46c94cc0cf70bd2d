"""Mail, handed to a real SMTP server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billing_app.gateways.mail import Mail, MailRefusedError, SmtpMailer, written
from tests.support.postbox import Postbox, running_postbox, text_of

SENDER = "Billing <billing@console.example>"


@pytest.fixture(scope="module")
def server() -> Iterator[Postbox]:
    with running_postbox() as running:
        yield running


@pytest.fixture
def postbox(server: Postbox) -> Postbox:
    server.mails.clear()
    return server


def test_a_mail_arrives_as_it_was_written(postbox: Postbox) -> None:
    SmtpMailer.at(postbox.url, SENDER).send(Mail("zoe@example.org", "90 % – used", "Grüße\n", id="m1"))
    (mail,) = postbox.mails
    assert (mail["To"], mail["From"], mail["Subject"]) == ("zoe@example.org", SENDER, "90 % – used")
    assert mail["Message-ID"] == "<m1@console.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert text_of(mail) == "Grüße\n"


@pytest.mark.parametrize(
    ("to", "subject"),
    [
        ("ada@example.org\nBcc: eve@example.org", "Hello"),
        ("ada@example.org\r\nBcc: eve@example.org", "Hello"),
        ("ada@example.org", "Hello\r\nBcc: eve@example.org"),
        ("ada@example.org", "Hello\n\nAnother body"),
        ("ada@example.org, eve@example.org", "Hello"),
        ("Ada <ada@example.org>", "Hello"),
        ("zoë@example.org", "Hello"),
        ("", "Hello"),
    ],
)
def test_nothing_reaches_into_the_headers(postbox: Postbox, to: str, subject: str) -> None:
    with pytest.raises(MailRefusedError) as refused:
        SmtpMailer.at(postbox.url, SENDER).send(Mail(to, subject, "text"))
    assert refused.value.final
    assert postbox.mails == []


def test_a_text_of_smtp_is_only_text(postbox: Postbox) -> None:
    SmtpMailer.at(postbox.url, SENDER).send(Mail("ada@example.org", "Dots", "one\n.\nMAIL FROM:<eve@example.org>\n"))
    assert text_of(postbox.mails[0]) == "one\n.\nMAIL FROM:<eve@example.org>\n"


@pytest.mark.parametrize(("code", "final"), [(550, True), (450, False)])
def test_a_refused_receiver_is_refused_for_good_or_for_now(postbox: Postbox, code: int, final: bool) -> None:
    with pytest.raises(MailRefusedError) as refused:
        SmtpMailer.at(postbox.url, SENDER).send(Mail(f"refused-{code}@example.org", "Hello", "text"))
    assert refused.value.final is final
    assert refused.value.reason == f"The mail server answered {code}: no"


def test_no_server_is_a_reason_to_try_again(postbox: Postbox) -> None:
    with pytest.raises(MailRefusedError) as refused:
        SmtpMailer("127.0.0.1", 9, SENDER).send(Mail("ada@example.org", "Hello", "text"))
    assert not refused.value.final


def test_elsewhere_nothing_is_said_without_tls(postbox: Postbox) -> None:
    """The name leads to this machine, but is not one of its names; the server offers no TLS."""
    mailer = SmtpMailer("127.0.0.2", postbox.port, SENDER, "user", "a secret")
    with pytest.raises(MailRefusedError) as refused:
        mailer.send(Mail("ada@example.org", "Hello", "text"))
    assert "STARTTLS" in refused.value.reason
    assert postbox.mails == []
    assert "a secret" not in repr(mailer)


def test_the_address_of_a_server_is_read_whole() -> None:
    mailer = SmtpMailer.at("smtps://user%40example.org:p%2Fw@mail.example.org", SENDER)
    assert (mailer.host, mailer.port, mailer.implicit_tls) == ("mail.example.org", 465, True)
    assert (mailer.user, mailer.password) == ("user@example.org", "p/w")
    assert SmtpMailer.at("smtp://mail.example.org", SENDER).port == 587
    with pytest.raises(ValueError, match="BILLING_SMTP_URL"):
        SmtpMailer.at("mail.example.org:25", SENDER)


def test_two_copies_are_one_mail() -> None:
    assert written(Mail("ada@example.org", "a", "b", id="same"), SENDER)["Message-ID"] == "<same@console.example>"
