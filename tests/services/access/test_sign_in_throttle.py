"""Throttled sign-in: who is refused, who is not, and what is stored of it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from billing_app.db import Database
from billing_app.domain.common.errors import BillingError
from billing_app.services.access import cookies, passwords, sign_in_throttle, users
from billing_app.store.tables.access import SignInAttempts
from tests.services.access.signing_in import fail, sign_in
from tests.support.builders import NOON, PASSWORD, a_user


def test_the_sixth_failure_in_a_row_is_refused_even_with_the_right_password(database: Database) -> None:
    with database.writing() as session:
        a_user(session, "ada@example.org")
    fail(database, sign_in_throttle.PAIR_FAILURES, "ada@example.org")
    with pytest.raises(BillingError) as refused:
        sign_in(database, "ADA@example.org", PASSWORD)
    assert (refused.value.code, refused.value.status) == ("too_many_attempts", 429)
    assert sign_in(database, "ada@example.org", PASSWORD, now=NOON + sign_in_throttle.ATTEMPT_WINDOW)


def test_unknown_addresses_are_throttled_like_known_ones(database: Database) -> None:
    fail(database, sign_in_throttle.PAIR_FAILURES, "nobody@example.org")
    with pytest.raises(BillingError, match="Too many"):
        fail(database, 1, "nobody@example.org")


def test_a_stranger_who_guesses_does_not_lock_the_owner_out(database: Database) -> None:
    with database.writing() as session:
        a_user(session, "ada@example.org")
    fail(database, sign_in_throttle.PAIR_FAILURES, "ada@example.org", client="203.0.113.9")
    assert sign_in(database, "ada@example.org", PASSWORD, client="192.0.2.1")


def test_one_place_cannot_try_many_accounts(database: Database) -> None:
    for number in range(sign_in_throttle.PLACE_FAILURES):
        fail(database, 1, f"person{number}@example.org")
    with pytest.raises(BillingError, match="Too many"):
        fail(database, 1, "another@example.org")


def fail_everywhere(database: Database, email: str, network: str = "198.51.100") -> None:
    """So many guesses from so many places that the account is known to be guessed at."""
    for number in range(sign_in_throttle.ACCOUNT_FAILURES):
        fail(database, 1, email, client=f"{network}.{number}")


@pytest.mark.parametrize("operator", [False, True])
def test_no_number_of_wrong_passwords_locks_an_account(database: Database, operator: bool) -> None:
    with database.writing() as session:
        a_user(session, "ada@example.org", operator=operator)
    for network in ("198.51.100", "203.0.113"):
        fail_everywhere(database, "ada@example.org", network)
    assert sign_in(database, "ada@example.org", PASSWORD, client="192.0.2.7")


def test_of_an_account_that_is_guessed_at_each_place_has_one_try(database: Database) -> None:
    for email in ("ada@example.org", "nobody@example.org"):
        fail_everywhere(database, email)
        fail(database, 1, email, client="203.0.113.1")
        with pytest.raises(BillingError, match="Too many"):
            fail(database, 1, email, client="203.0.113.1")


class TestKnownBrowsers:
    """Where somebody has signed in before, nobody else's guesses count."""

    @pytest.fixture
    def device(self, database: Database) -> str:
        with database.writing() as session:
            ada = a_user(session, "ada@example.org")
            assert ada.password_hash is not None
            return cookies.new_device(ada.email, ada.password_hash)

    def test_guesses_from_the_very_same_address_do_not_keep_the_person_out(
        self, database: Database, device: str
    ) -> None:
        fail(database, sign_in_throttle.PAIR_FAILURES, "ada@example.org")
        for number in range(sign_in_throttle.PLACE_FAILURES - sign_in_throttle.PAIR_FAILURES):
            fail(database, 1, f"person{number}@example.org")
        fail_everywhere(database, "ada@example.org")
        with pytest.raises(BillingError, match="Too many"):
            sign_in(database, "ada@example.org", PASSWORD)
        assert sign_in(database, "ada@example.org", PASSWORD, device=device)

    def test_it_opens_nothing_without_the_password_and_has_a_limit_of_its_own(
        self, database: Database, device: str
    ) -> None:
        with pytest.raises(BillingError, match="do not match"):
            sign_in(database, "ada@example.org", "not this one at all", device=device)
        fail(database, sign_in_throttle.DEVICE_FAILURES - 1, "ada@example.org", device=device)
        with pytest.raises(BillingError, match="Too many"):
            sign_in(database, "ada@example.org", PASSWORD, device=device)
        assert sign_in(database, "ada@example.org", PASSWORD), "another browser is not this one"

    @pytest.mark.parametrize("made", ["", "x", "x" * 43 + "." + "0" * 64, "\u2003"])
    def test_nobody_makes_one(self, database: Database, device: str, made: str) -> None:
        fail(database, sign_in_throttle.PAIR_FAILURES, "ada@example.org")
        with pytest.raises(BillingError, match="Too many"):
            sign_in(database, "ada@example.org", PASSWORD, device=made)

    def test_it_is_one_accounts_and_ends_with_its_password(self, database: Database, device: str) -> None:
        with database.writing() as session:
            bob = a_user(session, "bob@example.org")
            assert cookies.device_of(device, bob.email, bob.password_hash) == ""
            ada = users.by_email(session, "ada@example.org")
            assert cookies.device_of(device, ada.email, ada.password_hash)
            assert cookies.device_of(device, ada.email, passwords.hashed("another password")) == ""
            assert cookies.device_of(device, ada.email, None) == ""


def test_a_home_network_counts_as_one_place() -> None:
    assert sign_in_throttle.place_of("2001:db8:1:2::1") == sign_in_throttle.place_of("2001:db8:1:2:ffff::9")
    assert sign_in_throttle.place_of("2001:db8:1:2::1") != sign_in_throttle.place_of("2001:db8:1:3::1")
    assert sign_in_throttle.place_of("::ffff:192.0.2.1") == sign_in_throttle.place_of("192.0.2.1")


def test_typing_errors_are_forgiven_by_the_right_password(database: Database) -> None:
    with database.writing() as session:
        a_user(session, "ada@example.org")
    for _ in range(3):
        fail(database, sign_in_throttle.PAIR_FAILURES - 1, "ada@example.org")
        assert sign_in(database, "ada@example.org", PASSWORD)


def test_a_good_sign_in_does_not_forgive_other_accounts(database: Database) -> None:
    with database.writing() as session:
        a_user(session, "mallory@example.org")
    fail(database, sign_in_throttle.PAIR_FAILURES, "ada@example.org")
    sign_in(database, "mallory@example.org", PASSWORD)
    with pytest.raises(BillingError, match="Too many"):
        fail(database, 1, "ada@example.org")


@pytest.mark.both_databases
def test_guesses_made_at_once_are_all_counted(database: Database) -> None:
    def guess(_: int) -> bool:
        try:
            fail(database, 1, "ada@example.org")
        except BillingError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        let_in = sum(threads.map(guess, range(24)))
    assert let_in == sign_in_throttle.PAIR_FAILURES


def test_what_was_typed_is_not_stored(database: Database) -> None:
    fail(database, 1, "hunter2 typed into the wrong field")
    with database.reading() as session:
        rows = session.exec(select(SignInAttempts)).all()
    assert len(rows) == 3
    assert all(re.fullmatch(r"[0-9a-f]{64}", row.subject_hash) for row in rows)
