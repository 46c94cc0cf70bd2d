"""What needs an operator is told to every operator: on every page of theirs, and by mail where it is set up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from billing_app.db import Database
from billing_app.gateways.mail import SmtpMailer
from billing_app.services.access.sessions import Identity
from billing_app.services.common import operator_mails as written_mails
from billing_app.services.notifications import operator_mails
from billing_app.services.overview import frame
from billing_app.services.stripe import inbox
from billing_app.settings import Settings
from billing_app.store.notifications import operator_mails as store
from billing_app.store.tables.notifications import OperatorMail
from tests.support.builders import NOON, a_user
from tests.support.postbox import Postbox, running_postbox, text_of
from tests.support.shop import Shop, a_shop

SENDER = "Billing <billing@console.example>"


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with running_postbox() as running:
        yield running


def operators(database: Database) -> None:
    with database.writing() as session:
        for email, demo in (("oda@console.example", False), ("per@console.example", False), ("demo@x.example", True)):
            user = a_user(session, email=email)
            user.operator, user.demo = True, demo
            session.add(user)
        a_user(session, email="ada@acme.example")


def told(database: Database, now: datetime, subject: str = "event_given_up") -> None:
    with database.writing() as session:
        written_mails.write(session, subject, "An event was given up", "evt_1 broke.", "/admin/stripe-events", now)


def sent(database: Database, postbox: Postbox, now: datetime) -> int:
    mailer = SmtpMailer.at(postbox.url, SENDER)
    return operator_mails.send(database.writing, mailer, lambda: now, "https://console.example/")


def test_an_event_that_is_given_up_is_told_to_operators(database: Database, postbox: Postbox) -> None:
    shop = a_shop(database)
    operators(database)
    session_id = shop.buy("mau-10k")
    subject = shop.receive("checkout.session.completed", session_id)
    path = f"/v1/checkout/sessions/{session_id}"
    shop.control("POST", "/faults", kind="api_error", count=10_000, status=400, path=path)
    now = given_up(shop, subject)
    assert sent(database, postbox, now) == 2
    assert postbox.receivers == ["oda@console.example", "per@console.example"]
    text = text_of(postbox.mails[0])
    assert "checkout.session.completed" in text
    assert "https://console.example/admin/stripe-events?state=given_up" in text
    with database.reading() as session:
        oda = Identity(uuid4(), "oda@console.example", "Oda", operator=True)
        assert frame.operator_frame(session, oda, Settings(_env_file=None)).given_up == 1


def given_up(shop: Shop, subject: str) -> datetime:
    """Works on a subject until its event is given up; when that was."""
    now = shop.clock()
    for _ in range(inbox.MAX_TRIES + 1):
        (event,) = shop.events()
        if event.next_try_at is None:
            return now
        now = event.next_try_at
        inbox.work(inbox.Worker(shop.database.writing, shop.payments, lambda at=now: at), subject)
    raise AssertionError("It was not given up.")


def test_one_subject_is_mailed_once_a_day(database: Database, postbox: Postbox) -> None:
    operators(database)
    for now in (NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=1)):
        told(database, now)
        sent(database, postbox, now)
    assert len(postbox.mails) == 2
    told(database, NOON, "another_subject")
    told(database, NOON + timedelta(days=1))
    assert sent(database, postbox, NOON + timedelta(days=1)) == 4


def test_a_mail_server_that_is_away_is_tried_again_and_old_news_are_not_mailed(
    database: Database, postbox: Postbox
) -> None:
    operators(database)
    told(database, NOON)
    away = SmtpMailer.at("smtp://127.0.0.1:1", SENDER)
    assert operator_mails.send(database.writing, away, lambda: NOON, "https://console.example") == 0
    assert sent(database, postbox, NOON + timedelta(seconds=59)) == 0
    assert sent(database, postbox, NOON + timedelta(seconds=61)) == 2
    told(database, NOON, "another_subject")
    assert sent(database, postbox, NOON + timedelta(days=3)) == 0


def test_a_worker_that_dies_while_sending_leaves_the_mail_to_the_next(database: Database, postbox: Postbox) -> None:
    operators(database)
    told(database, NOON)
    with database.writing() as session:
        mails = store.due(session, NOON, NOON - timedelta(days=1), 10)
        assert all(store.claim(session, mail.key, mail.user_id, NOON, NOON + timedelta(minutes=2)) for mail, _ in mails)
    assert sent(database, postbox, NOON + timedelta(minutes=1)) == 0
    assert sent(database, postbox, NOON + timedelta(minutes=2)) == 2
    with database.reading() as session:
        rows = [store.one(session, mail.key, mail.user_id) for mail, _ in mails]
        tried = [(row.tries, row.sent_at is not None) for row in rows if isinstance(row, OperatorMail)]
        assert tried == [(2, True)] * 2
