"""Throttled sign-in: who is refused, who is not, and what is stored of it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from billing_app.db import Database
from billing_app.domain.errors import BillingError
from billing_app.services import attempts
from billing_app.store.tables.access import SignInAttempts
from tests.builders import NOON, PASSWORD, a_user
from tests.services.signing_in import fail, sign_in


def test_the_sixth_failure_in_a_row_is_refused_even_with_the_right_password(database: Database) -> None:
    with database.writing() as session:
        a_user(session, "ada@example.org")
    fail(database, attempts.PAIR_FAILURES, "ada@example.org")
    with pytest.raises(BillingError) as refused:
        sign_in(database, "ADA@example.org", PASSWORD)
    assert (refused.value.code, refused.value.status) == ("too_many_attempts", 429)
    assert sign_in(database, "ada@example.org", PASSWORD, now=NOON + attempts.ATTEMPT_WINDOW)


def test_unknown_addresses_are_throttled_like_known_ones(database: Database) -> None:
    fail(database, attempts.PAIR_FAILURES, "nobody@example.org")
    with pytest.raises(BillingError, match="Too many"):
        fail(database, 1, "nobody@example.org")


def test_a_stranger_who_guesses_does_not_lock_the_owner_out(database: Database) -> None:
    with database.writing() as session:
        a_user(session, "ada@example.org")
    fail(database, attempts.PAIR_FAILURES, "ada@example.org", client="203.0.113.9")
    assert sign_in(database, "ada@example.org", PASSWORD, client="192.0.2.1")


def test_one_place_cannot_try_many_accounts(database: Database) -> None:
    for number in range(attempts.PLACE_FAILURES):
        fail(database, 1, f"person{number}@example.org")
    with pytest.raises(BillingError, match="Too many"):
        fail(database, 1, "another@example.org")


def test_one_account_cannot_be_tried_from_many_places(database: Database) -> None:
    for number in range(attempts.ACCOUNT_FAILURES):
        fail(database, 1, "ada@example.org", client=f"198.51.100.{number}")
    with pytest.raises(BillingError, match="Too many"):
        fail(database, 1, "ada@example.org", client="203.0.113.1")


def test_a_home_network_counts_as_one_place() -> None:
    assert attempts.place_of("2001:db8:1:2::1") == attempts.place_of("2001:db8:1:2:ffff::9")
    assert attempts.place_of("2001:db8:1:2::1") != attempts.place_of("2001:db8:1:3::1")
    assert attempts.place_of("::ffff:192.0.2.1") == attempts.place_of("192.0.2.1")


def test_typing_errors_are_forgiven_by_the_right_password(database: Database) -> None:
    with database.writing() as session:
        a_user(session, "ada@example.org")
    for _ in range(3):
        fail(database, attempts.PAIR_FAILURES - 1, "ada@example.org")
        assert sign_in(database, "ada@example.org", PASSWORD)


def test_a_good_sign_in_does_not_forgive_other_accounts(database: Database) -> None:
    with database.writing() as session:
        a_user(session, "mallory@example.org")
    fail(database, attempts.PAIR_FAILURES, "ada@example.org")
    sign_in(database, "mallory@example.org", PASSWORD)
    with pytest.raises(BillingError, match="Too many"):
        fail(database, 1, "ada@example.org")


def test_guesses_made_at_once_are_all_counted(database: Database) -> None:
    def guess(_: int) -> bool:
        try:
            fail(database, 1, "ada@example.org")
        except BillingError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        let_in = sum(threads.map(guess, range(24)))
    assert let_in == attempts.PAIR_FAILURES


def test_what_was_typed_is_not_stored(database: Database) -> None:
    fail(database, 1, "hunter2 typed into the wrong field")
    with database.reading() as session:
        rows = session.exec(select(SignInAttempts)).all()
    assert len(rows) == 3
    assert all(re.fullmatch(r"[0-9a-f]{64}", row.subject_hash) for row in rows)
