"""One of many clients that use up the same metric at once: `python -m tests.support.consume_client DATABASE_URL SEED
TURNS`.

Waits for a line on stdin, so that all begin together, and prints what it took as JSON.
"""

from __future__ import annotations

import json
import random
import sys

from sqlmodel import Session

from billing_app.db import Database
from billing_app.domain.common.errors import CreditsExhaustedError
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.usage import consumption, entitlements
from billing_app.services.usage.consumption import Mode
from billing_app.store.tables.organizations import Organization
from tests.support.builders import NOON

GB = 1_000_000_000

STEPS = (GB // 10, GB // 4, 3 * GB // 10, 7 * GB // 10, 1)
"""0.1, 0.25, 0.3 and 0.7 GB, which binary fractions cannot add up, and a single byte."""


class Client:
    """Consumes, reserves, confirms, releases and asks, in a random order of its own."""

    def __init__(self, url: str, seed: str) -> None:
        """Opens the database for itself alone."""
        self.database = Database(url)
        self.seed = seed
        self.chance = random.Random(seed)
        self.accepted = 0
        self.refused = 0
        self.held: list[tuple[str, int]] = []

    def turn(self, number: int) -> None:
        """One request, in a transaction of its own."""
        step = self.chance.choice(STEPS)
        with self.database.writing() as session:
            acme = organizations.by_address(session, "acme")
            what = self.chance.randrange(6)
            if what < 3:
                mode = Mode.CLAMP if what == 2 else Mode.REJECT
                taken = consumption.consume(
                    Context(session, acme, NOON), "bandwidth", step, mode=mode, key=f"{self.seed}-{number}"
                )
                self.accepted += taken.accepted
                self.refused += taken.accepted < step
            elif what == 3:
                self._reserve(session, acme, step)
            elif what == 4 and self.held:
                self._close(session, acme)
        if what == 5:
            self._check(step)

    def _check(self, step: int) -> None:
        for opened, writing in ((self.database.reading, False), (self.database.writing, True)):
            try:
                with opened() as session:
                    acme = organizations.by_address(session, "acme")
                    entitlements.check_metric(Context(session, acme, NOON), "bandwidth", quantity=step, writing=writing)
            except entitlements.OutOfDateError:
                continue
            return

    def _reserve(self, session: Session, acme: Organization, step: int) -> None:
        try:
            self.held.append((consumption.reserve(Context(session, acme, NOON), "bandwidth", step).id, step))
        except CreditsExhaustedError:
            self.refused += 1

    def _close(self, session: Session, acme: Organization) -> None:
        reservation, quantity = self.held.pop()
        if self.chance.random() < 0.3:
            consumption.release(Context(session, acme, NOON), reservation)
            return
        real = self.chance.randint(0, quantity)
        consumption.confirm(Context(session, acme, NOON), reservation, quantity=real)
        self.accepted += real


def main(url: str, seed: str, turns: str) -> None:
    """Takes its turns once it is told to begin."""
    client = Client(url, seed)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(turns)):
        client.turn(number)
    held = sum(quantity for _, quantity in client.held)
    print(json.dumps({"accepted": client.accepted, "held": held, "refused": client.refused}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
