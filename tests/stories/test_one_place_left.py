"""Many creations at once with room for one: exactly one passes, whichever organization of the plan asks.

Each client has database connections of its own, as a web worker has; those of the first test are processes, too.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from billing_app.db import Database
from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import BillingError
from billing_app.domain.organizations.limits import Limit
from billing_app.locations import ROOT
from billing_app.services.access import members
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.limits import limits, overrides
from billing_app.services.limits.overrides import Kind
from billing_app.services.organizations import children
from billing_app.store.tables.organizations import Organization
from tests.support.builders import NOON, a_user, an_organization, the_catalogue
from tests.support.create_client import create
from tests.support.patience import PATIENCE_SECONDS

CLIENTS = 4


def prepare(database: Database, limit: Limit, room: int) -> None:
    """acme on the plan pro with its part north, and an override that leaves so much room."""
    the_catalogue(database)
    with database.writing() as session:
        acme: Organization = an_organization(session, "acme")
        grants.change_plan(Context(session, acme, NOON), "pro")
        a_user(session, member_of=acme)
        children.create(Context(session, acme, NOON, "tests"), name="North", address="north")
        used = limits.peek(Context(session, acme, NOON), limit).used
        overrides.put(
            Context(session, acme, NOON, "tests"), Kind.LIMIT, limit, used + room, ends_at=None, reason="a test"
        )


def at_once(url: str, what: str) -> list[str]:
    """Runs the clients and gives what each of them said."""
    command = [sys.executable, "-m", "tests.support.create_client", url, what]
    clients = [
        subprocess.Popen(
            [*command, str(number)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        for number in range(CLIENTS)
    ]
    for client in clients:
        assert client.stdout is not None
        assert client.stdout.readline() == "ready\n"
    for client in clients:
        assert client.stdin is not None
        client.stdin.write("go\n")
        client.stdin.flush()
    said = [client.communicate(timeout=PATIENCE_SECONDS)[0].strip() for client in clients]
    assert [client.returncode for client in clients] == [0] * CLIENTS
    return sorted(said)


def in_threads(url: str, what: str) -> list[str]:
    """The same in one process: as quick to begin as threads are."""
    begin = Barrier(CLIENTS)

    def client(number: int) -> str:
        database = Database(url)
        try:
            begin.wait()
            create(database, what, number)
        except BillingError as refusal:
            return refusal.code
        finally:
            database.close()
        return "made"

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sorted(pool.map(client, range(CLIENTS)))


def test_one_of_many_invitations_gets_the_last_place(database: Database) -> None:
    prepare(database, Limit.MEMBERSHIPS, room=1)
    assert at_once(database.url.render_as_string(hide_password=False), "member") == [
        *["limit_reached"] * (CLIENTS - 1),
        "made",
    ]
    with database.reading() as session:
        taken = limits.peek(Context(session, organizations.by_address(session, "acme"), NOON), Limit.MEMBERSHIPS)
    assert (taken.used, taken.maximum) == (2, 2)


def test_as_many_parts_are_made_as_there_is_room_for(database: Database) -> None:
    prepare(database, Limit.SUB_ORGS, room=2)
    said = in_threads(database.url.render_as_string(hide_password=False), "part")
    assert said == [*["limit_reached"] * (CLIENTS - 2), "made", "made"]
    with database.reading() as session:
        taken = limits.peek(Context(session, organizations.by_address(session, "acme"), NOON), Limit.SUB_ORGS)
    assert (taken.used, taken.maximum) == (3, 3)


def test_admins_who_step_down_at_once_leave_one(database: Database) -> None:
    prepare(database, Limit.MEMBERSHIPS, room=0)
    with database.writing() as session:
        acme = organizations.by_address(session, "acme")
        for number in range(CLIENTS):
            a_user(session, f"admin{number}@example.org", member_of=acme)
        first = next(each for each in members.every(session, acme) if each.email == "ada@example.org")
        members.change_role(Context(session, acme, NOON, "tests"), first.id, Role.MEMBER)
    said = in_threads(database.url.render_as_string(hide_password=False), "demote")
    assert said == ["last_admin", *["made"] * (CLIENTS - 1)]
    with database.reading() as session:
        acme = organizations.by_address(session, "acme")
        assert acme.pk
        assert sum(each.role is Role.ADMIN for each in members.every(session, acme)) == 1
