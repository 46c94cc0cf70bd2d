"""docs/examples/product.py, the product of docs/connect.md, against a real console: each of its ways once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from billing_app import clock
from billing_app.api.app import create_api
from billing_app.db import Database
from billing_app.jobs import notifications
from billing_app.launcher.ports import free_port
from billing_app.locations import ROOT
from billing_app.services.access import sessions
from billing_app.services.access.cookies import NAME
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.store.usage.events import events_between
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import a_key, a_user, an_organization, the_catalogue

GB = 1_000_000_000
"""What the free plan includes of storage."""


class Running:
    """The product in a process of its own, and the console that it talks to."""

    def __init__(self, api: Api, site: Site, port: int) -> None:
        """Makes acme, its key and its webhook as docs/connect.md says, and starts the product."""
        self.api = api
        self.console = site.app = create_api(api.database, api.settings)  # by the real clock, which the product has too
        the_catalogue(api.database)
        with api.database.writing() as session:
            acme = an_organization(session)
            a_user(session, "ada@example.org", member_of=acme)
            key = a_key(session, acme, "usage:write", "check", "admin")[0]
        self.url = f"http://127.0.0.1:{port}"
        hook = {"url": f"{self.url}/webhooks/billing", "kinds": ["metric.blocked", "metric.unblocked"]}
        with api.program(key) as program:
            made = program.post("/organizations/acme/notifications/webhooks", json=hook)
        assert made.status_code == 201, made.text
        settings = {"CONSOLE": api.url, "ORGANIZATION": "acme", "KEY": key, "PORT": str(port)}
        self.process = subprocess.Popen(
            [sys.executable, "docs/examples/product.py"],
            cwd=ROOT,
            env=os.environ | settings | {"WEBHOOK_SECRET": made.json()["secret"]},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == f"The product is at {self.url}\n"
        self.http = httpx.Client(base_url=self.url, timeout=30, verify=False)

    def upload(self, name: str, size: int) -> tuple[int, str]:
        """What the product says to a file."""
        answer = self.http.post("/upload", json={"name": name, "size": size})
        return answer.status_code, answer.text

    def tell(self) -> None:
        """What the console's job does every few seconds."""
        notifications.run(self.api.database, self.api.settings)

    def stop(self) -> None:
        """Ends the product."""
        self.http.close()
        self.process.terminate()
        self.process.communicate()


@pytest.fixture
def product(site: Site, database: Database) -> Iterator[Running]:
    running = Running(Api(site, database, webhook_networks="127.0.0.0/8"), site, free_port())
    yield running
    running.stop()


def test_it_asks_reports_hears_and_signs_in(product: Running) -> None:
    assert product.upload("holiday.jpg", GB // 4) == (201, "Kept.")
    assert product.upload("film.mp4", GB) == (402, "Full. What still works: download, update_check, email_reminder.")
    assert product.upload("rest.zip", 3 * GB // 4) == (201, "Kept.")

    product.tell()
    assert "<p>Out of storage.</p>" in product.http.get("/").text
    status, said = product.upload("one-more.txt", 1)
    assert (status, "upload" in said) == (402, False)

    with product.api.database.writing() as session:
        acme = organizations.by_address(session, "acme")
        now = clock.now()
        grants.grant(
            Context(session, acme, now),
            grants.NewGrant("storage", GB, source="operator", source_key="1", reason="Some room"),
        )
    product.tell()
    assert "Out of" not in product.http.get("/").text
    assert product.upload("one-more.txt", 1) == (201, "Kept.")

    with product.api.client() as browser:
        link = product.http.get("/billing")
        assert link.status_code == 303
        parts = urlsplit(link.headers["location"])
        entered = browser.get(f"{parts.path.removeprefix('/api/v1')}?{parts.query}")
        assert entered.headers["location"] == "/o/acme"
        with product.api.database.reading() as session:
            identity = sessions.identify(session, browser.cookies[NAME], clock.now())
    assert identity is not None
    assert identity.email == "ada@example.org"


def test_a_forged_webhook_is_not_heard(product: Running) -> None:
    forged = {"type": "metric.blocked", "timestamp": "2026-03-10T12:00:00Z", "data": {"metric": "storage"}}
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1773144000", "webhook-signature": "v1,AAAA"}
    assert product.http.post("/webhooks/billing", json=forged, headers=headers).status_code == 400
    assert "Out of" not in product.http.get("/").text


def test_a_console_that_does_not_answer_stops_nobody(product: Running, site: Site) -> None:
    """What it could not say goes with its next report."""
    site.app = None
    assert product.upload("while-it-is-away.txt", 2) == (201, "Kept.")
    site.app = product.console
    assert product.upload("afterwards.txt", 3) == (201, "Kept.")
    with product.api.database.reading() as session:
        acme = organizations.by_address(session, "acme")
        events = list(events_between(session, acme.pk, "storage"))
    assert [event.quantity for event in events] == [2, 5]
