"""Whoever is told of an organization's events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billing_app.db import Database
from billing_app.domain.common.access import Role
from tests.support.builders import a_user, an_organization, the_catalogue
from tests.support.notified import Post
from tests.support.postbox import Postbox, running_postbox
from tests.support.webhook_receiver import Receiver, running_receiver


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Receiver, Postbox]]:
    with running_receiver() as receiver, running_postbox() as postbox:
        yield receiver, postbox


@pytest.fixture
def post(database: Database, servers: tuple[Receiver, Postbox]) -> Post:
    receiver, postbox = servers
    receiver.received.clear()
    receiver.status, receiver.pause_seconds = 204, 0.0
    postbox.mails.clear()
    the_catalogue(database)
    with database.writing() as session:
        acme = an_organization(session)
        for role in (Role.ADMIN, Role.BILLING, Role.MEMBER):
            a_user(session, f"{role}@acme.example", member_of=acme, role=role)
        a_user(session, "demo@acme.example", member_of=acme, demo=True)
    return Post(database, receiver, postbox)
