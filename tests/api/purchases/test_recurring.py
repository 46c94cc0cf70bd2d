"""Recurring packs and auto top-up over the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.purchases.test_checkout import Till, till

__all__ = ["till"]

TOP_UP = {"enabled": True, "threshold": 5_000, "pack": "mau-10k", "monthly_cap_cents": 20_000, "consent": True}


def test_a_monthly_pack_is_bought_changed_cancelled_and_taken_back(till: Till) -> None:
    begun = till.start({"items": [{"pack": "mau-10k-monthly"}, {"pack": "sms-100"}]}).json()
    till.shop.pay(begun["session_id"])
    assert {grant["pack"] for grant in till.look(begun["session_id"])["grants"]} == {"mau-10k-monthly", "sms-100"}
    (pack,) = till.buyer.get("/organizations/acme/recurring-packs").json()["items"]
    assert (pack["pack"], pack["count"], pack["state"], pack["cancelled"]) == ("mau-10k-monthly", 1, "active", False)
    path = f"/organizations/acme/recurring-packs/{pack['id']}"
    changed = till.buyer.patch(path, json={"quantity": 3})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["count"], changed.json()["next_count"]) == (1, 3)
    cancelled = till.buyer.delete(path).json()
    assert (cancelled["cancelled"], cancelled["state"], cancelled["next_count"]) == (True, "active", 0)
    assert till.buyer.patch(path, json={"cancelled": False}).json()["next_count"] == 1
    (subscription,) = till.shop.stripe.subscriptions.list({}).data
    assert (subscription.cancel_at_period_end, subscription["items"].data[0].quantity) == (False, 1)


@pytest.mark.parametrize("body", [{}, {"quantity": 1, "cancelled": True}, {"quantity": 0}, {"quantity": 100}])
def test_a_change_says_one_thing(till: Till, body: dict[str, Any]) -> None:
    assert till.buyer.patch("/organizations/acme/recurring-packs/none", json=body).status_code == 422
    answer = till.buyer.patch("/organizations/acme/recurring-packs/none", json={"quantity": 1})
    assert (answer.status_code, answer.json()["code"]) == (404, "recurring_pack_not_found")


def test_auto_top_up_is_set_and_waits_for_its_card(till: Till) -> None:
    path = "/organizations/acme/auto-top-up/mau"
    assert till.buyer.get(path).json()["state"] == "off"
    refused = till.buyer.put(path, json={**TOP_UP, "consent": False})
    assert (refused.status_code, refused.json()["code"]) == (422, "consent_required")
    # Nothing is left, and the threshold is 5,000: it says what it costs at once, and changes nothing by that.
    shown = till.buyer.post(f"{path}/preview", json={**TOP_UP, "consent": False}).json()
    assert (shown["packs"], shown["quantity"], shown["refusal"]) == (1, 10_000, "")
    assert refused.json()["charged_at_once_cents"] == shown["price_cents"] > 0
    assert till.buyer.get(path).json()["at_once"] == {"packs": 0, "quantity": 0, "price_cents": 0, "refusal": ""}
    answer = till.buyer.put(path, json=TOP_UP)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["card"]) == ("waiting_for_card", None)
    assert answer.json()["at_once"] == shown
    started = till.buyer.post("/organizations/acme/saved-card", json={"metric": "mau"})
    assert started.status_code == 201, started.text
    till.shop.pay(started.json()["session_id"])
    till.shop.hear("checkout.session.completed", started.json()["session_id"])
    found = till.buyer.get(path).json()
    assert (found["state"], found["card"]["last4"], found["threshold"]) == ("on", "4242", 5_000)
    assert found["consent_by"].startswith("key:")
    assert till.buyer.put(path, json={**TOP_UP, "enabled": False}).json()["state"] == "off"
