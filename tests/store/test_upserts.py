"""What an upsert says that it did: leases, keys and "once" all hang on it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError
from billing_app.store.common import idempotency, runs
from billing_app.store.notifications import outbox
from tests.support.builders import NOON, an_organization


def test_a_lease_that_another_one_holds_is_refused(database: Database) -> None:
    with database.writing() as session:
        runs.take_lease(session, "work", "me", NOON)
        runs.take_lease(session, "work", "me", NOON)
    with database.writing() as session, pytest.raises(ConflictError):
        runs.take_lease(session, "work", "another", NOON)
    with database.writing() as session:
        runs.take_lease(session, "work", "another", NOON + timedelta(minutes=1))


def test_a_key_is_taken_once(database: Database) -> None:
    with database.writing() as session:
        owner = an_organization(session).pk
        assert idempotency.take(session, owner, "space", "key", "digest", NOON) is None
        idempotency.answer(session, owner, "space", "key", "the answer")
    with database.writing() as session:
        assert idempotency.take(session, owner, "space", "key", "digest", NOON) == "the answer"


def test_a_message_is_added_once(database: Database) -> None:
    with database.writing() as session:
        owner = an_organization(session).pk
        added = [outbox.add(session, owner, "kind", "key", {}, NOON, NOON) for _ in range(2)]
    assert added == [True, False]
