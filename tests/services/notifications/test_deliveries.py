"""From a message to whoever is told of it: over real HTTP and SMTP, tried again, at least once, never twice at once."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from billing_app.db import Database
from billing_app.domain.common.errors import BillingError
from billing_app.gateways.webhooks import HttpWebhookSender
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.notifications import deliveries, delivery_log, fan_out, webhook_endpoints
from billing_app.services.notifications.deliveries import DELAYS, Courier, Delivered
from billing_app.store.notifications import outbox
from billing_app.store.tables.notifications import WebhookEndpoint
from tests.support import crashes
from tests.support.builders import a_user, an_organization
from tests.support.notified import HERE, Post
from tests.support.postbox import text_of


def test_an_event_reaches_the_endpoint_signed_and_those_who_pay_by_mail(post: Post) -> None:
    post.endpoint("/hooks")
    assert post.goes_out() == Delivered(delivered=3)
    (came,) = post.receiver.received
    said = came.verified(post.secret)
    assert (said["type"], said["data"]["organization"], said["data"]["metric"]) == ("metric.blocked", "acme", "mau")
    assert said["timestamp"].endswith("Z")
    assert post.postbox.receivers == ["admin@acme.example", "billing@acme.example"]
    mail = post.postbox.mails[0]
    assert mail["Subject"] == "acme: MAU is blocked"
    assert "https://console.example/o/acme/credits/buy?metric=mau\n" in text_of(mail)
    assert post.secret not in text_of(mail)
    assert [(each.state, each.attempts) for each in post.log()] == [("delivered", 1)] * 3


def test_fanning_out_again_adds_nothing(post: Post) -> None:
    post.endpoint()
    post.happens()
    assert (post.fan_out(), post.fan_out()) == (1, 0)
    with post.database.writing() as session:
        owner = organizations.by_address(session, "acme").pk
        for message in outbox.messages(session, owner):
            message.fanned_out_at = None  # as a process leaves it that dies before it commits
            session.add(message)
    assert post.fan_out() == 1
    assert len(post.log()) == 3


def test_what_fails_is_tried_again_under_the_same_id_for_three_days(post: Post) -> None:
    post.mailing = False
    endpoint = post.endpoint("/broken")
    began = post.now
    post.goes_out()
    for delay in DELAYS:
        (waiting,) = post.log()
        assert (waiting.state, waiting.next_try_at) == ("waiting", post.now + delay)
        post.passes(seconds=delay.total_seconds() - 1)
        assert post.deliver() == Delivered(), "not before its time"
        post.passes(seconds=1)
        assert post.deliver() == Delivered(failed=1)
    assert post.now - began > timedelta(days=3)
    given_up = next(each for each in post.log() if each.kind == "metric.blocked")
    assert (given_up.state, given_up.attempts, given_up.next_try_at) == ("failed", len(DELAYS) + 1, None)
    assert len(set(post.receiver.ids)) == 1
    assert len({each.body for each in post.receiver.received}) == 1
    row = post.row(endpoint)
    assert row.disabled_at == post.now
    assert row.disabled_reason == "Nothing arrived for three days. Last: It answered 500."


def test_an_endpoint_that_was_switched_off_is_said_and_can_be_switched_on(post: Post) -> None:
    endpoint = post.endpoint("/gone")
    post.goes_out()
    assert post.row(endpoint).disabled_reason == "It answered 410 Gone."
    post.fan_out()
    post.deliver()
    subjects = {mail["Subject"] for mail in post.postbox.mails}
    assert "acme: A webhook endpoint was switched off" in subjects
    post.passes(seconds=1)
    post.goes_out()
    assert len(post.receiver.received) == 1, "nothing more goes there"
    with pytest.raises(BillingError, match="switched off"):
        post.do(delivery_log.test, endpoint, at=post.now)
    post.do(webhook_endpoints.enable, endpoint, at=post.now, actor="ada")
    assert post.row(endpoint).disabled_at is None


def test_one_success_forgives_the_endpoint(post: Post) -> None:
    endpoint = post.endpoint()
    post.receiver.status = 503
    post.goes_out()
    assert post.row(endpoint).failing_since == post.now
    post.receiver.status = 200
    post.passes(seconds=5)
    post.deliver()
    assert post.row(endpoint).failing_since is None
    (done,) = [each for each in post.log() if each.channel == "webhook"]
    assert (done.state, done.attempts) == ("delivered", 2)
    with post.database.reading() as session:
        seen = delivery_log.one(Context(session, organizations.by_address(session, "acme"), post.now), done.id)
    assert [(each.number, each.status, each.error, each.answer) for each in seen.log] == [
        (2, 200, "", "thanks"),
        (1, 503, "It answered 503.", "thanks"),
    ]
    assert seen.body == post.receiver.received[0].body


def test_the_old_secret_signs_for_a_day_beside_the_new_one(post: Post) -> None:
    endpoint = post.endpoint()
    old = post.secret
    post.secret = post.do(webhook_endpoints.rotate, endpoint, at=post.now, actor="ada").secret
    post.goes_out()
    post.passes(hours=24)
    post.goes_out()
    during, after = post.receiver.received
    headers = dict(after.headers)
    assert during.verifies(old)
    assert during.verifies(post.secret)
    assert "v1," in headers["webhook-signature"]
    assert " " not in headers["webhook-signature"], "one signature again"
    assert old != post.secret


def test_sending_again_is_the_same_message_and_a_test_goes_to_one(post: Post) -> None:
    post.mailing = False
    endpoint, other = post.endpoint("/one"), post.endpoint("/two")
    post.goes_out()
    first = next(each for each in post.log() if each.target == endpoint)
    post.do(delivery_log.resend, first.id, at=post.now)
    post.deliver()
    assert [each.path for each in post.receiver.received].count("/one") == 2
    assert len(set(post.receiver.ids)) == 1
    post.do(delivery_log.test, other, at=post.now)
    assert post.deliver() == Delivered(delivered=1)
    assert (post.receiver.received[-1].path, post.receiver.received[-1].type) == ("/two", "test")


def test_a_deleted_endpoint_gets_nothing_and_keeps_no_secret(post: Post) -> None:
    endpoint = post.endpoint()
    post.happens()
    post.fan_out()
    post.do(webhook_endpoints.delete, endpoint, at=post.now, actor="ada")
    post.deliver()
    assert post.receiver.received == []
    with post.database.reading() as session:
        row = session.get(WebhookEndpoint, (organizations.by_address(session, "acme").pk, endpoint))
        assert row is not None
        assert (row.secret, row.old_secret) == ("", "")


def test_a_mail_that_can_never_arrive_is_not_tried_again(post: Post) -> None:
    with post.database.writing() as session:
        acme = organizations.by_address(session, "acme")
        a_user(session, "refused-550@acme.example", member_of=acme)
        a_user(session, "refused-450@acme.example", member_of=acme)
    post.goes_out()
    states = {each.address: each.state for each in post.log()}
    assert (states["refused-550@acme.example"], states["refused-450@acme.example"]) == ("failed", "waiting")


def test_a_receiver_that_fails_is_asked_once_a_run_and_holds_up_nobody(post: Post) -> None:
    post.mailing = False
    post.endpoint("/broken")
    good = post.endpoint("/good")
    for number in range(5):
        post.happens(key=str(number))
    post.fan_out()
    done = post.deliver()
    assert (done.delivered, done.failed) == (5, 1)
    assert all(each.state == "delivered" for each in post.log() if each.target == good)


def test_organizations_take_turns(post: Post) -> None:
    post.mailing = False
    with post.database.writing() as session:
        an_organization(session, "globex")
    post.endpoint("/acme")
    other = Post(post.database, post.receiver, post.postbox, now=post.now, address="globex", mailing=False)
    for number in range(20):
        post.happens(key=str(number))
    other.endpoint("/globex")
    post.fan_out()
    other.passes(seconds=1)
    other.happens()
    other.fan_out()
    post.now = other.now
    post.deliver(per_run=4)
    assert "/globex" in [each.path for each in post.receiver.received]


@pytest.mark.both_databases
def test_two_workers_never_send_the_same_attempt(post: Post) -> None:
    post.mailing = False
    post.endpoint()
    post.receiver.pause_seconds = 0.01
    for number in range(30):
        post.happens(key=str(number))
    post.fan_out()
    results: list[Delivered] = []
    workers = [threading.Thread(target=lambda: results.append(post.deliver())) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(post.receiver.ids) == len(set(post.receiver.ids)), "none was sent twice"
    # On a machine that does much else one may have taken longer than a delivery may: it is tried again later.
    assert sum(result.delivered + result.failed for result in results) == 30
    assert len(post.receiver.ids) >= sum(result.delivered for result in results) > 0
    assert {each.attempts for each in post.log()} == {1}


def test_what_one_breaks_stops_nobody_else(post: Post) -> None:
    post.mailing = False
    post.endpoint()
    post.happens(key="broken")
    post.happens(key="whole")
    with post.database.writing() as session:
        broken, _whole = outbox.messages(session, organizations.by_address(session, "acme").pk)
        broken.payload = "{"
        session.add(broken)
    post.fan_out()
    assert post.deliver() == Delivered(failed=1)
    assert post.deliver() == Delivered(delivered=1)
    whole, broken_one = post.log()
    assert (whole.state, broken_one.state) == ("delivered", "waiting")
    assert broken_one.last is not None
    assert broken_one.last.error == "It could not be sent; the console's log has more."


def run_once(database: Database, url: str, now: str) -> None:
    """What the job does, in a process that dies in its middle."""
    moment = datetime.fromisoformat(now)
    with database.writing() as session:
        fan_out.fan_out(session, organizations.by_address(session, "acme").pk, moment, mailing=False)
    sender = HttpWebhookSender(HERE, 1.0)
    deliveries.deliver(Courier(database.writing, database.reading, sender, None, lambda: moment, url))


@pytest.mark.parametrize("write", range(1, 13))
def test_killed_anywhere_nothing_is_lost(post: Post, database_url: str, write: int) -> None:
    post.mailing = False
    post.endpoint()
    post.happens()
    crashes.killed(database_url, write, run_once, post.receiver.url, post.now.isoformat())
    post.passes(minutes=3)  # the dead one's claim has ended
    post.fan_out()
    post.deliver()
    (done,) = post.log()
    assert done.state == "delivered"
    assert len(set(post.receiver.ids)) == 1
    assert len(post.receiver.ids) <= 2
