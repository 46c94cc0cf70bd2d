"""Our API on a real server, with the shop's account at Stripe behind it; a fake Stripe can call it, too."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import stripe
from fastapi import BackgroundTasks

from billing_app import clock
from billing_app.api.stripe import routes
from billing_app.db import Database
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.patience import eventually
from tests.support.shop import a_shop

SECRET = "whsec_of_the_test"
COMPLETED = "checkout.session.completed"


class Storefront:
    """The API and the shop."""

    def __init__(self, site: Site, database: Database, **settings: Any) -> None:
        """Connects the two."""
        self.site = site
        self.shop = a_shop(database)
        given = {
            "stripe_api_secret": self.shop.key,
            "stripe_webhook_secret": SECRET,
            "stripe_api_base": self.shop.url,
        }
        self.api = Api(site, database, **(given | settings))
        self.api.now = clock.now()
        self.client = self.api.client()

    def send(self, payload: str, *, age: int = 0, secret: str = SECRET, signature: str | None = None) -> httpx.Response:
        """What Stripe's own server would do."""
        made = stripe.WebhookSignature.generate_signature_header(payload, secret, int(time.time()) - age)
        headers = {"Stripe-Signature": made if signature is None else signature, "Content-Type": "application/json"}
        if signature == "":
            del headers["Stripe-Signature"]
        return self.client.post("/webhooks/stripe", content=payload, headers=headers)

    def event(self, session_id: str) -> str:
        """The event of a paid session, as Stripe would send it."""
        return self.shop.event(COMPLETED, session_id).payload

    def listen(self) -> None:
        """From now on the fake Stripe sends its events here, as Stripe would."""
        self.shop.control("PUT", "/webhook-endpoint", url=f"{self.api.url}/api/v1/webhooks/stripe", secret=SECRET)


@contextmanager
def a_storefront(site: Site, database: Database, **settings: Any) -> Generator[Storefront]:
    """A storefront that ends when all its work after answers has ended, for that uses the test's database."""
    begun, done, work, add = [], [], routes._work, BackgroundTasks.add_task

    def adding(tasks: BackgroundTasks, *arguments: Any) -> None:
        begun.append(1)
        add(tasks, *arguments)

    async def working(*arguments: Any) -> None:
        await work(*arguments)
        done.append(1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BackgroundTasks, "add_task", adding)
        patch.setattr(routes, "_work", working)
        made = Storefront(site, database, **settings)
        yield made
        site.app = None
        eventually(lambda: len(begun) == len(done))
        made.client.close()
