"""Recurring packs: every paid invoice is one grant a pack, valid for a year, however the news of it comes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing_app.db import Database
from tests.renewing import START, Renewing


@pytest.fixture
def renewing(database: Database) -> Renewing:
    """A shop on a test clock."""
    return Renewing(database)


def test_a_monthly_pack_is_one_grant_a_month_each_valid_a_year(renewing: Renewing) -> None:
    session_id = renewing.shop.buy("mau-10k-monthly")
    assert renewing.shop.come_back(session_id).state == "paid"
    renewing.news()
    renewing.advance(days=31, hours=2)
    renewing.news()
    first, second = renewing.shop.grants()
    assert (first.source, first.paid_cents, first.quantity, first.reason) == (
        "recurring", 1_200, 10_000, "10,000 MAU pack",
    )  # fmt: skip
    assert first.effective_at == START
    assert first.expires_at == START.replace(year=2027)
    assert second.effective_at == START + timedelta(days=31, hours=1)
    assert first.payment_id.startswith("pi_")
    assert first.payment_id != second.payment_id
    pack = renewing.packs()["mau-10k-monthly"]
    assert (pack.state, pack.count, pack.next_count, pack.renews_at) == ("active", 1, 1, START + timedelta(days=59))
    assert [message.kind for message in renewing.told()] == ["purchase.paid", "recurring_pack.renewed"]
    renewing.clean()


@pytest.mark.parametrize("newest_first", [False, True])
def test_webhooks_alone_bring_it_in_any_order_and_once(renewing: Renewing, newest_first: bool) -> None:
    session_id = renewing.shop.buy("mau-10k-monthly", "sms-100", storage_100gb_monthly=2)
    renewing.news(newest_first=newest_first)
    assert renewing.shop.come_back(session_id).state == "paid"
    status = renewing.shop.come_back(session_id)
    assert {grant.pack: grant.source for grant in status.grants} == {
        "mau-10k-monthly": "recurring", "storage-100gb-monthly": "recurring", "sms-100": "purchase",
    }  # fmt: skip
    assert status.total_cents == 1_200 + 2 * 900 + 650
    renewing.advance(days=31, hours=2)
    renewing.news(newest_first=newest_first)
    assert renewing.granted() == {"mau-10k-monthly": 2, "storage-100gb-monthly": 2, "sms-100": 1}
    assert renewing.packs()["storage-100gb-monthly"].count == 2
    renewing.clean()
