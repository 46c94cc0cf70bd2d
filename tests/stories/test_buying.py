"""The whole way of a purchase: our API, the hosted page, and webhooks as Stripe really sends them.

Everything talks HTTP: the fake Stripe is a process of its own, and delivers to our API on a real server.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.jobs import sweeps
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.purchases import fulfilment
from billing_app.services.verification import verification
from tests.api.serving import Site
from tests.support.patience import eventually
from tests.support.shop import DECLINED, Shop
from tests.support.storefront import COMPLETED, Storefront, a_storefront

SEVERAL = ("payment_intent.succeeded", "charge.succeeded", COMPLETED)
"""Events of one purchase that may overtake each other."""


@pytest.fixture
def storefront(site: Site, database: Database) -> Iterator[Storefront]:
    """Our API, to which Stripe sends its events."""
    with a_storefront(site, database) as made:
        made.listen()
        yield made


def fault(shop: Shop, kind: str, **options: Any) -> None:
    """Lets something go wrong between Stripe and us."""
    shop.control("POST", "/faults", kind=kind, **options)


def granted_once(shop: Shop, *packs: str) -> None:
    """One grant per pack, one message per purchase, and a ledger that follows from the facts."""
    eventually(lambda: len(shop.grants()) >= len(packs))
    eventually(lambda: all(event.state in {"handled", "ignored"} for event in shop.events()))
    assert sorted(grant.pack or "" for grant in shop.grants()) == sorted(packs)
    with shop.database.reading() as session:
        differences = verification.verify(
            Context(session, organizations.by_address(session, "acme"), clock.now() + timedelta(seconds=5))
        )
        assert list(differences) == []


def test_a_pack_is_bought_without_anybody_coming_back(storefront: Storefront) -> None:
    storefront.shop.buy("mau-10k")
    granted_once(storefront.shop, "mau-10k")
    assert storefront.shop.told() == ["purchase.paid"]
    assert storefront.shop.balance("mau") == 10_000


def test_the_payer_comes_back_while_the_webhook_is_on_its_way(storefront: Storefront) -> None:
    fault(storefront.shop, "delay", count=1, seconds=0.5, types=[COMPLETED])
    session_id = storefront.shop.buy("mau-10k", "storage-50gb")
    assert storefront.shop.come_back(session_id).state == "paid"
    eventually(lambda: COMPLETED in {event.type for event in storefront.shop.events()})
    granted_once(storefront.shop, "mau-10k", "storage-50gb")
    assert storefront.shop.told() == ["purchase.paid"]


def test_every_event_comes_three_times(storefront: Storefront) -> None:
    fault(storefront.shop, "duplicate", count=20, copies=3)
    storefront.shop.buy("mau-10k")
    eventually(lambda: not _waiting(storefront.shop))
    granted_once(storefront.shop, "mau-10k")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_events_of_a_purchase_come_in_any_order(storefront: Storefront, order: tuple[int, ...]) -> None:
    started = storefront.shop.start("mau-10k")
    fault(storefront.shop, "reorder", count=3, types=list(SEVERAL), order=list(order))
    storefront.shop.pay(started.session_id)
    granted_once(storefront.shop, "mau-10k")


@pytest.mark.parametrize("kind", ["corrupt_signature", "old_signature"])
def test_a_spoiled_delivery_is_refused_and_the_next_one_counts(storefront: Storefront, kind: str) -> None:
    fault(storefront.shop, kind, count=1, types=[COMPLETED])
    storefront.shop.buy("mau-10k")
    granted_once(storefront.shop, "mau-10k")
    (delivery,) = [each for each in _deliveries(storefront.shop) if each["event_type"] == COMPLETED]
    assert [attempt["status"] for attempt in delivery["log"]] == [400, 200]


def test_stripe_sends_again_what_we_were_not_there_for(storefront: Storefront) -> None:
    app, storefront.site.app = storefront.site.app, None
    storefront.shop.buy("mau-10k")
    eventually(lambda: any(each["log"] for each in _deliveries(storefront.shop) if each["event_type"] == COMPLETED))
    assert storefront.shop.events() == []
    storefront.site.app = app
    granted_once(storefront.shop, "mau-10k")


def test_what_stripe_never_sent_is_found_by_the_sweep(storefront: Storefront, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(storefront.shop, "drop", count=20)
    storefront.shop.buy("mau-10k")
    monkeypatch.setattr(clock, "now", _later(fulfilment.FIRST_CHECK))
    sweeps.inbox(storefront.shop.database, storefront.api.settings)
    assert storefront.shop.events() == []
    granted_once(storefront.shop, "mau-10k")


def test_stripe_fails_while_we_read_and_the_sweep_tries_again(
    storefront: Storefront, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = storefront.shop.start("mau-10k")
    path = f"/v1/checkout/sessions/{started.session_id}"
    fault(storefront.shop, "api_error", count=1, status=400, path=path)
    storefront.shop.pay(started.session_id)
    eventually(lambda: "failed" in {event.state for event in storefront.shop.events()})
    assert storefront.shop.grants() == []
    monkeypatch.setattr(clock, "now", _later(timedelta(minutes=1)))
    assert sweeps.inbox(storefront.shop.database, storefront.api.settings).handled == 1
    granted_once(storefront.shop, "mau-10k")


def test_a_declined_card_is_heard_of_and_grants_nothing(storefront: Storefront) -> None:
    started = storefront.shop.start("mau-10k")
    storefront.shop.pay(started.session_id, DECLINED)
    eventually(lambda: "payment_intent.payment_failed" in {event.type for event in storefront.shop.events()})
    assert (storefront.shop.grants(), storefront.shop.told()) == ([], [])
    assert storefront.shop.come_back(started.session_id).failure == "Your card was declined."


def test_twenty_purchases_at_once_are_twenty_grants(storefront: Storefront) -> None:
    fault(storefront.shop, "duplicate", count=40, copies=2)
    session_ids = [storefront.shop.start("mau-100").session_id for _ in range(20)]
    for session_id in session_ids:
        storefront.shop.pay(session_id)
    granted_once(storefront.shop, *["mau-100"] * 20)
    assert storefront.shop.balance("mau") == 2_000
    assert storefront.shop.told() == ["purchase.paid"] * 20


def _later(time: timedelta) -> Any:
    now = clock.now
    return lambda: now() + time


def _deliveries(shop: Shop) -> list[dict[str, Any]]:
    return shop.control("GET", "/deliveries")["data"]


def _waiting(shop: Shop) -> bool:
    return any(each["state"] == "pending" for each in _deliveries(shop))
