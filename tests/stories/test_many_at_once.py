"""Many clients use up the same metric at once: together they never take more than there is."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

from billing_app.db import Database
from billing_app.locations import ROOT
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.usage import accounts
from billing_app.store.usage import meters
from tests.support.builders import NOON, an_organization, the_catalogue
from tests.support.consume_client import GB
from tests.support.patience import PATIENCE_SECONDS

CLIENTS = 4
TURNS = 60


def run(url: str, clients: int = CLIENTS, turns: int = TURNS) -> list[dict[str, Any]]:
    """What each of the clients took; each is a process of its own."""
    command = [sys.executable, "-m", "tests.support.consume_client", url]
    started = [
        subprocess.Popen(
            [*command, f"client-{number}", str(turns)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(clients)
    ]  # fmt: skip
    try:
        for client in started:
            assert client.stdout is not None
            assert client.stdout.readline() == "ready\n"
        for client in started:
            assert client.stdin is not None
            client.stdin.write("go\n")
            client.stdin.flush()
        return [json.loads(client.communicate(timeout=PATIENCE_SECONDS)[0]) for client in started]
    finally:
        for client in started:
            client.kill()
            client.wait()


def test_together_they_take_exactly_what_there_is(database: Database, database_url: str) -> None:
    the_catalogue(database)
    with database.writing() as session:
        acme = an_organization(session)
        grants.grant(
            Context(session, acme, NOON),
            grants.NewGrant("bandwidth", GB // 4, source="given", source_key="one", reason="For a test"),
        )
    limit = 20 * GB + GB // 4

    taken = run(database_url)

    with database.writing() as session:
        acme = organizations.by_address(session, "acme")
        row = meters.read(session, acme.pk, "bandwidth")
        assert row is not None
        # Who waited for the meter counts at the moment at which it had it (fine point 17): some after NOON.
        account = accounts.account(session, acme, "bandwidth", NOON + timedelta(hours=1))
    accepted, held = (sum(each[name] for each in taken) for name in ("accepted", "held"))
    assert row.used == account.used == accepted
    assert row.reserved == held
    assert accepted + held <= limit
    assert row.left == account.left == limit - max(accepted, 20 * GB) >= 0
    assert sum(each["refused"] for each in taken) > 0, "they never came to the limit: the proof proves nothing"
