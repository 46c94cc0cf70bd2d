"""Buying over the API: begin a payment, pay it, see how it went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.access import Role, Scope
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import a_key, a_session_token, a_user, an_organization
from tests.support.shop import DECLINED, a_shop

MAU = {"items": [{"pack": "mau-10k"}]}


class Till:
    """A shop behind the API. `buyer` is a program with the scope for it."""

    def __init__(self, site: Site, database: Database) -> None:
        """Connects the API with the shop's account at Stripe."""
        self.shop = a_shop(database)
        self.api = Api(
            site,
            database,
            stripe_api_secret=self.shop.key,
            stripe_webhook_secret="whsec_test",
            stripe_api_base=self.shop.url,
        )
        self.api.now = clock.now()
        self.clients: list[httpx.Client] = []
        with self.shop.enter() as buyer:
            self.buyer = self.program(a_key(buyer.session, buyer.organization, Scope.BILLING)[0])

    def program(self, secret: str) -> httpx.Client:
        """A caller with a key, closed at the end."""
        self.clients.append(self.api.program(secret))
        return self.clients[-1]

    def browser(self, token: str) -> httpx.Client:
        """A signed-in browser, closed at the end."""
        self.clients.append(self.api.browser(token))
        return self.clients[-1]

    def start(self, body: Any = MAU, key: str | None = "key", client: httpx.Client | None = None) -> httpx.Response:
        """Begins a payment."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return (client or self.buyer).post("/organizations/acme/checkout", json=body, headers=headers)

    def look(self, session_id: str) -> dict[str, Any]:
        """How it went."""
        answer = self.buyer.get(f"/organizations/acme/checkout/{session_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def till(site: Site, database: Database) -> Iterator[Till]:
    """A shop behind the API."""
    made = Till(site, database)
    yield made
    for client in made.clients:
        client.close()
    site.app = None


def test_a_basket_is_begun_paid_and_granted(till: Till) -> None:
    answer = till.start({"items": [{"pack": "mau-10k", "quantity": 2}, {"pack": "storage-50gb"}]})
    assert answer.status_code == 201, answer.text
    begun = answer.json()
    assert set(begun) == {"url", "session_id"}
    assert begun["url"].startswith(till.shop.url)
    assert till.look(begun["session_id"]) == {
        "status": "open", "processing": False, "total_cents": 3400, "currency": "usd", "failure": "", "grants": [],
    }  # fmt: skip

    till.shop.pay(begun["session_id"])
    paid = till.look(begun["session_id"])
    assert (paid["status"], paid["total_cents"]) == ("paid", 3400)
    found = {grant["pack"]: (grant["metric"], grant["quantity"], grant["paid_cents"]) for grant in paid["grants"]}
    assert found == {"mau-10k": ("mau", 20_000, 2800), "storage-50gb": ("storage", 50 * 10**9, 600)}
    assert till.look(begun["session_id"]) == paid
    assert len(till.shop.grants()) == 2


def test_a_signed_in_admin_comes_back_to_our_own_pages(till: Till) -> None:
    with till.shop.enter() as buyer:
        user = a_user(buyer.session, member_of=buyer.organization, role=Role.BILLING)
        browser = till.browser(a_session_token(buyer.session, user, till.api.now))
    begun = till.start(client=browser)
    assert begun.status_code == 201
    session = till.shop.stripe.checkout.sessions.retrieve(begun.json()["session_id"])
    assert session.success_url == f"{till.api.url}/o/acme/credits/bought?session_id={{CHECKOUT_SESSION_ID}}"
    assert session.cancel_url == f"{till.api.url}/o/acme/credits/buy?cancelled=1"


def test_a_declined_card_is_told_and_grants_nothing(till: Till) -> None:
    session_id = till.start().json()["session_id"]
    till.shop.pay(session_id, DECLINED)
    found = till.look(session_id)
    assert (found["status"], found["failure"], found["grants"]) == ("open", "Your card was declined.", [])
    assert till.shop.grants() == []


def test_the_same_key_begins_one_payment(till: Till) -> None:
    first = till.start()
    again = till.start()
    assert (again.status_code, again.json()) == (201, first.json())
    other = till.start({"items": [{"pack": "mau-1k"}]})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize("key", [None, "", "x" * 256, "tab\tbed"])
def test_a_key_is_needed(till: Till, key: str | None) -> None:
    answer = till.start(key=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_fields")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"items": []}, 422, "invalid_fields"),
        ({}, 422, "invalid_fields"),
        ({"items": [{"pack": "mau-10k", "quantity": 0}]}, 422, "invalid_fields"),
        ({"items": [{"pack": "mau-10k", "quantity": 100}]}, 422, "invalid_fields"),
        ({"items": [{"pack": "mau-10k", "quantity": 1.5}]}, 422, "invalid_fields"),
        ({"items": [{"pack": "mau-10k", "price_cents": 1}]}, 422, "invalid_fields"),
        ({"items": [{"pack": "mau-10k"}], "success_url": "https://evil.example"}, 422, "invalid_fields"),
        ({"items": [{"pack": "none"}]}, 404, "pack_not_found"),
        ({"items": [{"pack": "mau-10k", "quantity": 99}, {"pack": "mau-10k"}]}, 422, "invalid_count"),
    ],
)
def test_what_cannot_be_bought_is_refused(till: Till, body: Any, status: int, code: str) -> None:
    answer = till.start(body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("session_id", ["cs_test_none", "x" * 256, "..%2Fadmin", "a%00b"])
def test_a_payment_that_is_not_there_is_not_found(till: Till, session_id: str) -> None:
    assert till.buyer.get(f"/organizations/acme/checkout/{session_id}").status_code in {404, 422}


def test_another_organizations_payment_is_not_there(till: Till) -> None:
    session_id = till.shop.buy("mau-10k")
    with till.shop.database.writing() as session:
        stranger = till.program(a_key(session, an_organization(session, "other"), Scope.BILLING)[0])
    answer = stranger.get(f"/organizations/other/checkout/{session_id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "checkout_not_found")
    assert stranger.get(f"/organizations/acme/checkout/{session_id}").status_code == 404
    assert till.shop.grants() == []


def test_members_and_keys_without_the_scope_buy_nothing(till: Till) -> None:
    with till.shop.enter() as buyer:
        member = a_user(buyer.session, member_of=buyer.organization, role=Role.MEMBER)
        browser = till.browser(a_session_token(buyer.session, member, till.api.now))
        program = till.program(a_key(buyer.session, buyer.organization, Scope.USAGE_WRITE, Scope.READ)[0])
    for client in (browser, program):
        assert till.start(client=client).status_code == 403
        assert client.get("/organizations/acme/checkout/cs_1").status_code == 403


def test_without_stripes_secrets_nothing_is_sold(till: Till, site: Site) -> None:
    Api(site, till.shop.database)
    for answer in (till.start(), till.buyer.get("/organizations/acme/checkout/cs_test_1")):
        assert (answer.status_code, answer.json()["code"]) == (503, "buying_unavailable")
        assert "Buying is not set up here" in answer.json()["detail"]
