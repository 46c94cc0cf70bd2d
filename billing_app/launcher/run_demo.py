"""The console with its demo: own database, own fake Stripe, three organizations with a history.

Apart from what `billing serve` does (launcher/start.py), which works where neither the demo nor the fake Stripe is.
"""

from __future__ import annotations

import os

from billing_app import clock, private_files
from billing_app.demo import fake_stripe, seed
from billing_app.launcher import server
from billing_app.launcher.guards import require_surroundings
from billing_app.launcher.logs import FILE_VARIABLE
from billing_app.launcher.single import only_console
from billing_app.launcher.start import Start, announce, building, prepared, say, serve, stopping, with_fake_stripe


def run_demo(start: Start) -> None:
    """Starts it, and tells its story if it was not told yet."""
    own = {"demo": True, "database_url": f"sqlite:///{start.places.demo_database}"}
    fake, settings = with_fake_stripe(start.places, start.settings.model_copy(update=own))
    with stopping() as stack:
        require_surroundings(settings, say)
        server.workers(settings)
        private_files.make(start.places.demo_database)
        stack.enter_context(only_console(start.places.demo_database))
        stack.callback(fake.stop)
        fake.start()
        # First what may be refused, in a moment; pages take long when they are built for the first time.
        database = prepared(settings)
        built = stack.enter_context(building(start))
        fake.require(say)
        address = start.places.console_address
        stack.callback(address.unlink, missing_ok=True)
        private_files.write(address, settings.public_url)
        seed.seed(database, settings, say)
        fake_stripe.stage(database, settings, clock.now())
        os.environ[FILE_VARIABLE] = str(start.places.log("console"))
        database.close()
        serve(start, settings, built.result(), lambda: announce(settings, seed.sign_ins()))
