"""A program does with a subscription what the plan page does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from billing_app.db import Database
from billing_app.domain.common.access import Scope
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import a_key
from tests.support.subscriber import Subscriber, a_subscriber, days

AT = "/organizations/acme"


class Program:
    """A program with the scope for it, and the subscriber whose payments it makes."""

    def __init__(self, site: Site, database: Database) -> None:
        """Connects the API with the subscriber's account at Stripe."""
        self.acme: Subscriber = a_subscriber(database)
        secrets = {"stripe_api_secret": self.acme.key, "stripe_webhook_secret": "whsec_test"}
        self.api = Api(site, database, stripe_api_base=self.acme.url, **secrets)
        self.api.now = self.acme.now
        with self.acme.enter() as buyer:
            self.client: httpx.Client = self.api.program(a_key(buyer.session, buyer.organization, Scope.BILLING)[0])

    def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """The answer, which has to have this status."""
        headers = {"Idempotency-Key": "once"} if path == "/checkout" else {}
        self.api.now = self.acme.now
        answer = self.client.request(method, AT + path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def program(site: Site, database: Database) -> Iterator[Program]:
    made = Program(site, database)
    yield made
    made.client.close()
    site.app = None


def test_a_plan_is_subscribed_to_changed_and_ended(program: Program) -> None:
    acme, call = program.acme, program.call
    before = call("GET", "/subscription")
    assert (before["subscription"], before["plan"]["plan"]) == (None, "free")
    assert before["usage"]["memberships"] == {"used": 0, "maximum": 2, "overridden": False}

    begun = call("POST", "/checkout", {"plan": "essential", "interval": "month"}, status=201)
    assert acme.pay(begun["session_id"])["decline"] is None
    assert call("GET", f"/checkout/{begun['session_id']}")["status"] == "paid"
    held = call("GET", "/subscription")
    assert (held["plan"]["plan"], held["subscription"]["status"]) == ("essential", "trialing")

    acme.wait(acme.now + days(15))
    acme.hear_all()
    seen = call("POST", "/subscription/preview", {"plan": "pro"})
    assert (seen["when"], seen["price_cents"]) == ("now", 9900)
    changed = call("PATCH", "/subscription", {"plan": "pro", "at": seen["at"]})
    assert (changed["plan"], acme.charged()[-1]) == ("pro", seen["due_cents"])

    later = call("POST", "/subscription/preview", {"plan": "essential"})
    assert (later["when"], later["due_cents"]) == ("period_end", 0)
    assert call("PATCH", "/subscription", {"plan": "essential", "at": later["at"]})["scheduled_plan"] == "essential"
    assert call("POST", "/subscription/keep")["scheduled_plan"] == ""

    assert call("POST", "/subscription/pause")["status"] == "paused"
    assert call("POST", "/subscription/resume")["status"] == "active"
    assert call("DELETE", "/subscription")["cancel_at"] is not None
    assert call("POST", "/subscription/keep")["cancel_at"] is None

    assert call("POST", "/portal", status=201)["url"].startswith("http")
    invoices = call("GET", "/invoices")["items"]
    assert len(invoices) >= 3
    assert {"number", "created_at", "status", "total_cents", "hosted_url", "pdf_url"} <= set(invoices[0])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PATCH", "/subscription", {"plan": "pro", "at": "2026-03-10T12:00:00Z"}, 409, "not_subscribed"),
        ("DELETE", "/subscription", None, 409, "not_subscribed"),
        ("POST", "/checkout", {"plan": "free"}, 422, "plan_not_for_sale"),
        ("POST", "/checkout", {"plan": "none"}, 404, "plan_not_found"),
        ("POST", "/checkout", {"plan": "pro", "items": [{"pack": "mau-1k"}]}, 422, "invalid_fields"),
        ("POST", "/checkout", {}, 422, "invalid_fields"),
        ("POST", "/checkout", {"plan": "pro", "interval": "week"}, 422, "invalid_fields"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_code(
    program: Program, method: str, path: str, body: Any, status: int, code: str
) -> None:
    assert program.call(method, path, body, status=status)["code"] == code
