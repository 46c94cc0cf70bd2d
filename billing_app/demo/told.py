"""A program of Larkfield's that is told of everything by webhook: it really runs, beside the fake Stripe.

What was told in the last days is delivered by the console's own job once it serves, over HTTP like everything after.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from billing_app.db import Database
from billing_app.demo.people import LARKFIELD
from billing_app.gateways.webhooks import reachable
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.notifications import webhook_endpoints
from billing_app.settings import Settings

PATH = "/_sandbox/product/webhooks"

SINCE = timedelta(days=18)
"""How long ago the endpoint was added: what has happened since is told to it."""


def stage(database: Database, settings: Settings, now: datetime) -> None:
    """Adds the endpoint, or moves it to where this console is reached. Nothing where webhooks must not go there."""
    url = settings.public_url.rstrip("/") + PATH
    if not reachable(settings) or urlsplit(url).hostname != "127.0.0.1":
        return
    with database.writing() as session:
        larkfield = organizations.by_address(session, LARKFIELD.address)
        ours = [each for each in webhook_endpoints.ever(session, larkfield) if urlsplit(each.url).path == PATH]
        for endpoint in ours:
            webhook_endpoints.move(session, endpoint, url)
        if not ours:  # one that somebody deleted stays deleted
            person, _role = LARKFIELD.members[0]
            webhook_endpoints.create(
                Context(session, larkfield, now, person.email),
                url,
                description="Map editor",
                private=reachable(settings),
                since=now - SINCE,
            )
