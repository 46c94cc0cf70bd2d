"""Sessions, roles and throttled sign-in as services: what the database remembers and what ends."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlmodel import select

from billing_app.db import Database
from billing_app.domain.common.access import ADMIN_ROLES, MONEY_ROLES, Role, local_path
from billing_app.domain.common.errors import BillingError, ForbiddenError, NotFoundError, UnauthenticatedError
from billing_app.services.access import cookies, passwords, sessions, sign_in_throttle, users
from billing_app.services.access.sessions import IDLE, Identity
from billing_app.store.tables.access import BrowserSession, Membership, User
from tests.services.access.signing_in import sign_in
from tests.support.builders import NOON, PASSWORD, a_session_token, a_user, an_organization

MINUTE = timedelta(minutes=1)


def identify(database: Database, token: str, now: datetime = NOON) -> Identity | None:
    with database.reading() as session:
        return sessions.identify(session, token, now)


def test_the_right_password_opens_a_session_and_only_its_hash_is_stored(database: Database) -> None:
    with database.writing() as session:
        a_user(session, "ada@example.org")
    signed_in = sign_in(database, " Ada@Example.org ", PASSWORD)
    identity = identify(database, signed_in.token)
    assert identity is not None
    assert (identity.email, identity.operator) == ("ada@example.org", False)
    with database.reading() as session:
        stored = session.exec(select(BrowserSession)).one()
        password = session.exec(select(User.password_hash)).one()
    assert signed_in.token not in str(stored.model_dump())
    assert re.fullmatch(r"[0-9a-f]{64}", stored.token_hash)
    assert password is not None
    assert password.startswith("$argon2id$")


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(database: Database) -> None:
    with database.writing() as session:
        a_user(session, "ada@example.org")
    with pytest.raises(UnauthenticatedError) as wrong:
        sign_in(database, "ada@example.org", "not the password")
    with pytest.raises(UnauthenticatedError) as unknown:
        sign_in(database, "nobody@example.org", "not the password")
    assert (wrong.value.code, wrong.value.detail) == (unknown.value.code, unknown.value.detail)


def test_an_unknown_address_costs_the_same_work() -> None:
    assert not Argon2Hasher().check_needs_rehash(passwords.NOBODYS_HASH), "the placeholder has other parameters"
    known = passwords.hashed(PASSWORD)

    def fastest(password_hash: str | None) -> float:
        spans = []
        for _ in range(3):
            started = time.perf_counter()
            assert not passwords.fits("not the password", password_hash)
            spans.append(time.perf_counter() - started)
        return min(spans)

    fastest(known)
    assert fastest(None) > fastest(known) / 3, "an unknown account is answered without hashing"


def test_an_overlong_password_is_wrong_after_the_same_work() -> None:
    assert not passwords.fits("x" * 1_000_000, passwords.hashed(PASSWORD))


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "1212121212121212", "x" * 257])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(BillingError) as refused:
        passwords.hashed(password)
    assert refused.value.code == "weak_password"


def test_each_sign_in_makes_a_new_token(database: Database) -> None:
    with database.writing() as session:
        a_user(session, "ada@example.org")
    first, second = (sign_in(database, "ada@example.org", PASSWORD) for _ in range(2))
    assert first.token != second.token
    assert len(first.token) == 43, "256 bits"


def test_signing_out_works_at_once(database: Database) -> None:
    with database.writing() as session:
        token = a_session_token(session, a_user(session))
    assert identify(database, token) is not None
    with database.writing() as session:
        sessions.sign_out(session, token)
    assert identify(database, token) is None


def test_a_session_ends_when_nobody_uses_it(database: Database) -> None:
    with database.writing() as session:
        token = a_session_token(session, a_user(session))
    assert identify(database, token, NOON + IDLE - MINUTE) is not None
    assert identify(database, token, NOON + IDLE) is None


def test_using_a_session_puts_off_its_idle_end_but_never_its_last_day(database: Database) -> None:
    with database.writing() as session:
        token = a_session_token(session, a_user(session))
    now = NOON
    while now + IDLE - MINUTE < NOON + sessions.LIFETIME:
        now += IDLE - MINUTE
        with database.writing() as session:
            identity = sessions.identify(session, token, now)
            assert identity is not None
            assert identity.renewal_due
            sessions.renew(session, identity, now)
    assert identify(database, token, NOON + sessions.LIFETIME) is None


def test_a_session_is_not_renewed_at_every_event(database: Database) -> None:
    with database.writing() as session:
        token = a_session_token(session, a_user(session))
    identity = identify(database, token, NOON + 4 * MINUTE)
    assert identity is not None
    assert not identity.renewal_due


def test_a_password_changed_meanwhile_does_not_sign_in(database: Database) -> None:
    with database.writing() as session:
        user = a_user(session, "ada@example.org")
    with database.writing() as session:
        attempt = sign_in_throttle.begin(session, "ada@example.org", "192.0.2.1", NOON)
        user.password_hash = passwords.hashed("quite another sentence")
        session.add(user)
    assert sign_in_throttle.proves(attempt, PASSWORD)
    with database.writing() as session, pytest.raises(UnauthenticatedError):
        sessions.sign_in(session, attempt, NOON)


def test_demo_users_exist_only_in_the_demo(database: Database) -> None:
    with database.writing() as session:
        token = a_session_token(session, a_user(session, "demo@example.org", demo=True))
    with pytest.raises(UnauthenticatedError):
        sign_in(database, "demo@example.org", PASSWORD)
    with database.reading() as session:
        assert sessions.identify(session, token, NOON) is None
        assert sessions.identify(session, token, NOON, demo=True) is not None


class TestRoles:
    """authorize: what the identity is in an organization, read anew each time."""

    def test_a_member_is_found_with_the_role(self, database: Database) -> None:
        with database.writing() as session:
            acme = an_organization(session, "acme")
            token = a_session_token(session, a_user(session, member_of=acme, role=Role.BILLING))
        with database.reading() as session:
            identity = sessions.identify(session, token, NOON)
            access = sessions.authorize(session, identity, "acme", NOON, MONEY_ROLES)
            assert (access.organization_id, access.role) == (acme.id, Role.BILLING)
            with pytest.raises(ForbiddenError):
                sessions.authorize(session, identity, "acme", NOON, ADMIN_ROLES)

    def test_somebody_elses_organization_looks_like_none(self, database: Database) -> None:
        with database.writing() as session:
            an_organization(session, "globex")
            token = a_session_token(session, a_user(session, member_of=an_organization(session, "acme")))
        with database.reading() as session:
            identity = sessions.identify(session, token, NOON)
            said = []
            for address in ("globex", "nowhere"):
                with pytest.raises(NotFoundError) as unknown:
                    sessions.authorize(session, identity, address, NOON)
                said.append((unknown.value.code, unknown.value.detail.replace(address, "X")))
        assert said[0] == said[1]

    def test_nobody_is_told_to_sign_in(self, database: Database) -> None:
        with database.reading() as session, pytest.raises(UnauthenticatedError):
            sessions.authorize(session, None, "acme", NOON)

    def test_an_invitation_lets_nobody_in_before_it_is_accepted(self, database: Database) -> None:
        with database.writing() as session:
            acme, ada = an_organization(session, "acme"), a_user(session)
            session.add(Membership(organization_id=acme.id or 0, user_id=ada.id, role="admin", created_at=NOON))
            token = a_session_token(session, ada)
        with database.reading() as session:
            identity = sessions.identify(session, token, NOON)
            assert identity is not None
            assert sessions.organizations_of(session, identity) == []
            with pytest.raises(NotFoundError):
                sessions.authorize(session, identity, "acme", NOON)

    def test_losing_the_role_works_at_once(self, database: Database) -> None:
        with database.writing() as session:
            acme = an_organization(session, "acme")
            ada = a_user(session, member_of=acme)
            token = a_session_token(session, ada)
        with database.writing() as session:
            session.delete(session.get(Membership, (acme.id, ada.id)))
        with database.reading() as session, pytest.raises(NotFoundError):
            sessions.authorize(session, sessions.identify(session, token, NOON), "acme", NOON)

    def test_an_operator_passes_everywhere_that_exists(self, database: Database) -> None:
        with database.writing() as session:
            an_organization(session, "acme")
            token = a_session_token(session, a_user(session, operator=True))
        with database.reading() as session:
            identity = sessions.identify(session, token, NOON)
            assert sessions.authorize(session, identity, "acme", NOON, ADMIN_ROLES).role is Role.OPERATOR
            with pytest.raises(NotFoundError):
                sessions.authorize(session, identity, "nowhere", NOON)

    def test_a_session_for_one_organization_opens_no_other_and_no_operators_door(self, database: Database) -> None:
        with database.writing() as session:
            acme, globex = an_organization(session, "acme"), an_organization(session, "globex")
            user = a_user(session, member_of=acme, operator=True)
            sessions_of_user = sessions.start(session, user, NOON, only=acme.id)
        with database.reading() as session:
            identity = sessions.identify(session, sessions_of_user.token, NOON)
            assert identity is not None
            assert not identity.operator
            assert sessions.authorize(session, identity, "acme", NOON).role is Role.ADMIN
            with pytest.raises(NotFoundError):
                sessions.authorize(session, identity, globex.address, NOON)

    def test_the_switcher_lists_organizations_by_name(self, database: Database) -> None:
        with database.writing() as session:
            ada = a_user(session, member_of=an_organization(session, "globex"))
            users.join(session, an_organization(session, "acme").id or 0, ada, Role.MEMBER, NOON)
            an_organization(session, "initech")
            token = a_session_token(session, ada)
        with database.reading() as session:
            identity = sessions.identify(session, token, NOON)
            assert identity is not None
            listed = [(line.address, line.role) for line in sessions.organizations_of(session, identity)]
        assert listed == [("acme", Role.MEMBER), ("globex", Role.ADMIN)]


class TestCookies:
    """What of the cookie gets where."""

    def test_reflex_sees_the_hash_and_never_the_token(self, database: Database) -> None:
        with database.writing() as session:
            token = a_session_token(session, a_user(session))
        shown = cookies.for_reflex(f"theme=dark; billing_session={token}", secure=False)
        assert token not in shown
        assert "theme=dark" in shown
        with database.reading() as session:
            assert sessions.identify_socket(session, shown, NOON) == sessions.identify(session, token, NOON)

    def test_a_hash_that_a_browser_sends_opens_nothing(self) -> None:
        forged = f"{cookies.HASH_NAME}={'0' * 64}"
        assert cookies.for_reflex(forged, secure=False) == ""
        assert cookies.session_hash_in(cookies.for_reflex(f"{forged}; a=b", secure=False)) is None

    def test_under_https_only_the_host_cookie_counts(self) -> None:
        planted = "billing_session=planted-by-a-neighbouring-subdomain"
        assert cookies.token_in(planted, secure=True) is None
        assert cookies.token_in(f"{planted}; __Host-billing_session=ours", secure=True) == "ours"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "o/acme",
        "",
        "/o/acme\r\nSet-Cookie: a=b",
        "/ /evil.example",
        "/" + "a" * 3000,
    ],
)
def test_redirects_stay_on_this_site(target: str) -> None:
    assert local_path(target) == "/"


@pytest.mark.parametrize("target", ["/", "/o/acme/usage?metric=mau&months=12", "/o/a/credits#grants"])
def test_local_targets_are_kept(target: str) -> None:
    assert local_path(target) == target
