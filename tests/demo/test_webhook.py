"""Larkfield's program is told by webhook: it really runs, is not there at first, and takes what comes again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from billing_app.db import Database
from billing_app.demo import told
from billing_app.gateways.webhooks import HttpWebhookSender, reachable
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.notifications import deliveries, delivery_log, fan_out
from billing_app.services.notifications.deliveries import Courier
from billing_app.settings import Settings
from billing_app.store.notifications import choices as store
from billing_app.store.tables.notifications import WebhookEndpoint
from tests.fake_stripe.process import fake_stripe

LARKFIELD = "larkfield-maps"


def endpoints(demo: Database) -> list[WebhookEndpoint]:
    with demo.reading() as session:
        return store.endpoints(session, organizations.by_address(session, LARKFIELD).pk)


def test_what_was_told_lately_arrives_though_the_first_try_fails(demo: Database, now: datetime, tmp_path: Path) -> None:
    with fake_stripe(tmp_path) as running:
        settings = Settings(_env_file=None, demo=True, public_url=running.url)
        told.stage(demo, settings, now)
        with demo.writing() as session:
            owner = organizations.by_address(session, LARKFIELD).pk
            while fan_out.fan_out(session, owner, now, mailing=False):
                pass
        for later in (timedelta(), timedelta(seconds=6)):
            sender = HttpWebhookSender(reachable(settings))
            moment = now + later
            deliveries.deliver(
                Courier(demo.writing, demo.reading, sender, None, lambda at=moment: at, settings.public_url)
            )
    with demo.reading() as session:
        found = delivery_log.latest(Context(session, organizations.by_address(session, LARKFIELD), now), 50)
    assert len(found) >= 5
    assert {each.state for each in found} == {"delivered"}
    assert sorted({each.attempts for each in found}) == [1, 2]
    (one,) = endpoints(demo)
    assert (one.failing_since, one.disabled_at) == (None, None)


def test_another_start_moves_it_and_one_that_was_deleted_stays_away(demo: Database, now: datetime) -> None:
    for port in (3000, 3100, 3100):
        told.stage(demo, Settings(_env_file=None, demo=True, public_url=f"http://127.0.0.1:{port}"), now)
    (one,) = endpoints(demo)
    assert one.url == f"http://127.0.0.1:3100{told.PATH}"
    with demo.writing() as session:
        one.deleted_at = now
        session.add(one)
    told.stage(demo, Settings(_env_file=None, demo=True), now)
    assert endpoints(demo) == []


def test_nothing_is_added_where_it_could_not_be_reached(demo: Database, now: datetime) -> None:
    told.stage(demo, Settings(_env_file=None, demo=True, public_url="http://192.0.2.1:3000"), now)
    told.stage(demo, Settings(_env_file=None, public_url="http://127.0.0.1:3000"), now)
    assert endpoints(demo) == []
