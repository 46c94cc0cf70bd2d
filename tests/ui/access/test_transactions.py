"""The one way of pages to what is stored: who gets into a transaction, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from billing_app import clock
from billing_app.domain.common.access import ADMIN_ROLES, ALL_ROLES, MONEY_ROLES, Role
from billing_app.domain.common.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from billing_app.services.access.cookies import session_hash_in
from billing_app.services.access.sessions import RENEW_AFTER
from billing_app.services.organizations import profiles
from billing_app.store.access import sessions as store
from billing_app.ui.access.transactions import transactions
from tests.support.builders import NOON
from tests.ui.conftest import Meridian

LATER = NOON + RENEW_AFTER + timedelta(seconds=1)


@pytest.mark.parametrize("opening", ["reading", "writing"])
@pytest.mark.parametrize(
    ("role", "roles", "let_in"),
    [
        ("member", ALL_ROLES, True),
        ("member", MONEY_ROLES, False),
        ("billing", MONEY_ROLES, True),
        ("billing", ADMIN_ROLES, False),
        ("admin", ADMIN_ROLES, True),
        ("operator", ADMIN_ROLES, True),
    ],
)
def test_the_roles_that_are_named_get_in_and_no_others(
    meridian: Meridian, opening: str, role: str, roles: frozenset[Role], let_in: bool
) -> None:
    """Neither more nor fewer: nothing is narrowed on the way to a transaction that may write."""
    enter = getattr(transactions(), opening)
    if not let_in:
        with pytest.raises(ForbiddenError), enter(meridian.cookies[role], "meridian", roles):
            pass
        return
    with enter(meridian.cookies[role], "meridian", roles) as at:
        assert (at.organization.address, at.role, at.now) == ("meridian", Role(role), NOON)
        assert at.actor == at.access.identity.email
        assert (at.access.may_buy, at.access.may_change) == (role != "member", role in ("admin", "operator"))


@pytest.mark.parametrize("opening", ["reading", "writing"])
def test_strangers_do_not(meridian: Meridian, opening: str) -> None:
    enter = getattr(transactions(), opening)
    with pytest.raises(UnauthenticatedError), enter("", "meridian", ALL_ROLES):
        pass
    with pytest.raises(NotFoundError), enter(meridian.cookies["member"], "stopped", ALL_ROLES):
        pass


@pytest.mark.parametrize("writing", [False, True])
def test_an_operators_transaction_is_an_operators(meridian: Meridian, writing: bool) -> None:
    with pytest.raises(ForbiddenError), transactions().of_operator(meridian.cookies["admin"], writing=writing):
        pass
    with pytest.raises(UnauthenticatedError), transactions().of_operator("", writing=writing):
        pass
    with transactions().of_operator(meridian.cookies["operator"], writing=writing) as at:
        assert at.actor == f"user:{at.identity.user_id}"


def test_what_is_written_is_kept_and_what_fails_is_not(meridian: Meridian) -> None:
    def rename(name: str) -> None:
        with transactions().writing(meridian.cookies["admin"], "meridian", ADMIN_ROLES) as at:
            profiles.change(at, {"name": name})
            if name == "Never":
                raise ZeroDivisionError

    rename("Meridian Labs")
    with pytest.raises(ZeroDivisionError):
        rename("Never")
    with transactions().reading(meridian.cookies["admin"], "meridian", ALL_ROLES) as at:
        assert at.organization.name == "Meridian Labs"


def seen_at(meridian: Meridian, role: str) -> Any:
    with meridian.database.reading() as session:
        found = store.by_hash(session, session_hash_in(meridian.cookies[role]) or "")
        assert found is not None
        return found[0].seen_at


@pytest.mark.parametrize("role", ["admin", "operator"])
def test_a_session_in_use_is_noted_and_a_note_that_would_have_to_wait_is_left_out(
    meridian: Meridian, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    def look() -> None:
        if role == "operator":
            with transactions().of_operator(meridian.cookies[role]):
                pass
        else:
            with transactions().reading(meridian.cookies[role], "meridian", ALL_ROLES):
                pass

    monkeypatch.setattr(clock, "now", lambda: LATER)

    def busy() -> None:
        raise OperationalError("UPDATE", {}, OSError("database is locked"))

    with monkeypatch.context() as patched:
        patched.setattr(transactions().database, "noting", busy)
        look()
        assert seen_at(meridian, role) == NOON
    look()
    assert seen_at(meridian, role) == LATER
