"""docs/api.md says what is so: its calls are made and its answers compared, and no route or code is missing.

BILLING_WRITE_DOCS=1 writes it anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from billing_app.db import Database
from billing_app.domain.common.access import Scope
from billing_app.services.access import users
from tests.api.api_page import PAGE, Pager, codes
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.api.story import STORY
from tests.support.builders import a_key, a_session_token, a_user, an_organization
from tests.support.shop import a_shop

NOW = datetime(2031, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def pager(site: Site, database: Database) -> Iterator[Pager]:
    """acme, its program and its admin Ada; an operator; a fake Stripe."""
    shop = a_shop(database)
    settings = {"stripe_api_secret": shop.key, "stripe_webhook_secret": "whsec_test", "stripe_api_base": shop.url}
    mail = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "Billing <billing@console.example>"}
    api = Api(site, database, sign_up=True, **mail, **settings)
    api.now = NOW
    with shop.enter() as buyer:
        session, acme = buyer.session, buyer.organization
        acme.anchor = datetime(2031, 1, 1, tzinfo=UTC)
        session.add(acme)
        ada = a_user(session, "ada@example.org", member_of=acme)
        keys = {"program": a_key(session, acme, *Scope, now=NOW)[0], "operator": a_key(session, None, now=NOW)[0]}
        token = a_session_token(session, ada, NOW)
        an_organization(session, "hooli")
        assert users.by_email(session, "ada@example.org")
    clients = {name: api.program(secret) for name, secret in keys.items()}
    clients |= {"anyone": api.client(), "person": api.browser(token), "browser": api.browser()}
    clients["browser"].headers["Accept"] = "application/json"
    document = clients["anyone"].get("/openapi.json").json()
    yield Pager(clients, api.url, shop.url, document)
    for client in clients.values():
        client.close()


def test_the_page_says_what_is_so(pager: Pager) -> None:
    made = pager.page()
    if os.environ.get("BILLING_WRITE_DOCS"):
        PAGE.write_text(made)
    assert PAGE.read_text() == made, "BILLING_WRITE_DOCS=1 pytest tests/api/test_api_page.py writes it anew"


def test_every_route_is_on_it(pager: Pager) -> None:
    told = [step.route for step in STORY]
    documented = {f"{method.upper()} {path}" for path, methods in pager.document["paths"].items() for method in methods}
    assert documented - set(told) == set(), "routes that the page does not show: add them to tests/api/story.py"
    assert set(told) - documented == set(), "routes that there are no more"
    assert len(told) == len(set(told))


def test_every_code_that_is_answered_is_in_the_table() -> None:
    page = PAGE.read_text()
    known = codes()
    assert {"credits_exhausted", "rate_limited", "invalid_fields", "route_not_found", "limit_reached"} <= set(known)
    for code in known:
        assert f"| `{code}` |" in page
