"""The whole product in one Reflex app: pages, API, jobs, and in the demo the way to the fake Stripe."""

from __future__ import annotations

from functools import partial

from billing_app import wiring
from billing_app.api.app import create_api
from billing_app.api.common import health
from billing_app.forwarding import with_fake_stripe
from billing_app.gateways.stripe.payments import payments_of
from billing_app.jobs import sweeps
from billing_app.page_paths import without_redirects
from billing_app.settings import settings
from billing_app.ui import threads
from billing_app.ui.access.transactions import Transactions, serve_from
from billing_app.ui.console import create_console

payments = payments_of(settings()) if settings().selling else None

serve_from(Transactions(wiring.opened().part(threads.CONNECTIONS), settings(), payments))

app = create_console(
    api_transformer=[
        without_redirects,
        create_api(wiring.opened(), settings()),
        partial(with_fake_stripe, settings=settings()),
    ]
)

app.register_lifespan_task(sweeps.running, database=wiring.opened(), settings=settings())


async def pulse() -> None:
    """Notices when the event loop is held up, for /healthz."""
    await health.PULSE.beat()


app.register_lifespan_task(pulse)
