"""One of many clients that create at once: `python -m tests.support.create_client DATABASE_URL WHAT NUMBER`.

Waits for a line on stdin, so that all begin together, and prints "made" or the code of the refusal.
"""

from __future__ import annotations

import sys

from billing_app.db import Database
from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import BillingError
from billing_app.services.access import members, users
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.organizations import children
from tests.support.builders import NOON


def create(database: Database, what: str, number: int) -> None:
    """One creation, in a transaction of its own; every other one by way of the part north."""
    with database.writing() as session:
        acme = organizations.by_address(session, "acme")
        if what == "demote":
            member = users.by_email(session, f"admin{number}@example.org")
            members.change_role(Context(session, acme, NOON, "tests"), member.id, Role.MEMBER)
            return
        place = organizations.by_address(session, "north") if number % 2 else acme
        if what == "member":
            members.invite(Context(session, place, NOON, "tests"), f"new{number}@example.org", Role.MEMBER)
        else:
            children.create(Context(session, place, NOON, "tests"), name=f"Part {number}")


def main(url: str, what: str, number: str) -> None:
    """Creates once it is told to begin."""
    database = Database(url)
    with database.reading() as session:
        organizations.by_address(session, "acme")
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        create(database, what, int(number))
    except BillingError as refusal:
        print(refusal.code, flush=True)
    else:
        print("made", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
