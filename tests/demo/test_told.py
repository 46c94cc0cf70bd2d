"""What the told story shows: every page has something true to show, and every figure follows from the facts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from billing_app.db import Database
from billing_app.demo.people import ACCOUNTS
from billing_app.demo.story import AGGREGATIONS
from billing_app.domain.common.access import Role
from billing_app.domain.credits.accounts import Account
from billing_app.services.access import sessions, sign_in_throttle, users
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.usage import accounts, entitlements, recounts
from billing_app.services.verification import verification
from billing_app.store.tables.credits import GrantRow, LedgerEntry
from billing_app.store.tables.organizations import Organization

LARKFIELD, MARLOW, PEBBLEBROOK = "larkfield-maps", "marlow-letters", "pebblebrook-archive"
ADDRESSES = (LARKFIELD, MARLOW, PEBBLEBROOK)


def account(session: Session, address: str, metric: str, now: datetime) -> Account:
    return accounts.account(session, organizations.by_address(session, address), metric, now)


def entries(session: Session, organization: Organization) -> list[LedgerEntry]:
    return list(session.exec(select(LedgerEntry).where(LedgerEntry.organization_id == organization.id)))


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_differs_from_what_is_computed_anew(address: str, demo: Database, now: datetime) -> None:
    with demo.reading() as session:
        assert list(verification.verify(Context(session, organizations.by_address(session, address), now))) == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_after_a_recount_the_ledger_is_what_is_left_minus_debt(address: str, demo: Database, now: datetime) -> None:
    with demo.writing() as session:
        organization = organizations.by_address(session, address)
        recounts.post(Context(session, organization, now))
        for metric in AGGREGATIONS:
            posted, waiting = recounts.balance(Context(session, organization, now), metric)
            assert (posted, waiting) == (accounts.account(session, organization, metric, now).ledger_sum, 0)
        assert list(verification.verify(Context(session, organization, now))) == []


@pytest.mark.parametrize("metric", AGGREGATIONS)
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_metric_has_thirteen_whole_months_and_the_running_one(
    address: str, metric: str, demo: Database, now: datetime
) -> None:
    with demo.reading() as session:
        used = [month.used for month in account(session, address, metric, now).months]
    assert len(used) == 14
    assert min(used) > 0


def test_pebblebrook_has_its_storage_blocked_and_downloads_working(demo: Database, now: datetime) -> None:
    with demo.writing() as session:
        organization = organizations.by_address(session, PEBBLEBROOK)
        upload = entitlements.check_action(Context(session, organization, now), "upload")
        assert not upload.allowed
        assert [blocking.metric for blocking in upload.blocking] == ["storage"]
        assert set(upload.still_works) == {"download", "update_check", "email_reminder", "sms_notification"}
        assert entitlements.check_action(Context(session, organization, now), "download").allowed
        storage = account(session, PEBBLEBROOK, "storage", now)
    assert storage.left == 0
    assert storage.allowance is not None
    assert storage.level > storage.allowance + storage.burned


def test_marlow_has_credits_that_end_within_thirty_days(demo: Database, now: datetime) -> None:
    with demo.reading() as session:
        for metric in ("storage", "bandwidth"):
            left = {each.id: each.left for each in account(session, MARLOW, metric, now).grants.values()}
            rows = session.exec(select(GrantRow).where(GrantRow.metric == metric)).all()
            ending = [row.id for row in rows if row.expires_at and now < row.expires_at <= now + timedelta(days=30)]
            assert [grant for grant in ending if left.get(grant)]


def test_marlow_runs_out_of_letters_within_thirty_days(demo: Database, now: datetime) -> None:
    with demo.reading() as session:
        emails = account(session, MARLOW, "emails", now)
    last_month = emails.months[-2].used
    assert emails.allowance is not None
    assert 0 < emails.allowance - emails.used + emails.left < last_month


def test_larkfield_went_uncovered_for_two_months_and_uses_credits_now(demo: Database, now: datetime) -> None:
    with demo.reading() as session:
        mau = account(session, LARKFIELD, "mau", now)
        working = entitlements.working_actions(Context(session, organizations.by_address(session, LARKFIELD), now))
    assert [month.uncovered > 0 for month in mau.months].count(True) == 2
    assert [month.burned > 0 for month in mau.months[-5:]] == [True] * 5
    assert mau.left > 0
    assert not any(working.values())


def test_every_kind_of_entry_but_conversions_is_in_some_ledger(demo: Database) -> None:
    with demo.reading() as session:
        kinds = set(session.exec(select(LedgerEntry.kind).distinct()))
        sources = set(session.exec(select(GrantRow.source).distinct()))
    assert kinds == {
        "grant", "burn", "release", "expire", "void", "refund", "hold", "unhold", "debt", "settle",
    }  # fmt: skip
    assert sources == {"purchase", "recurring", "top_up", "gift_card", "operator"}


def test_late_use_and_corrections_are_entries_that_say_so(demo: Database) -> None:
    with demo.reading() as session:
        marlow = entries(session, organizations.by_address(session, MARLOW))
        larkfield = entries(session, organizations.by_address(session, LARKFIELD))
    assert [entry.quantity for entry in marlow if entry.reason.startswith("Late use")] == [-620]
    assert [entry.quantity for entry in marlow if entry.reason.startswith("Late correction")] == [480]
    fallen = [entry.quantity for entry in marlow if entry.kind == "release" and "fell" in entry.reason]
    assert sum(fallen) == 1_150
    assert [entry.quantity for entry in larkfield if entry.reason.startswith("Late use")] == [-62]


@pytest.mark.parametrize("address", ADDRESSES)
def test_something_is_not_yet_posted_since_the_last_recount(address: str, demo: Database, now: datetime) -> None:
    with demo.reading() as session:
        organization = organizations.by_address(session, address)
        waiting = [recounts.balance(Context(session, organization, now), metric)[1] for metric in AGGREGATIONS]
        assert organization.recounted_at == recounts.last_scheduled(now)
    assert min(waiting) < 0


def test_no_balance_in_the_ledger_falls_below_zero_without_debt(demo: Database) -> None:
    with demo.reading() as session:
        rows = session.exec(select(LedgerEntry).where(LedgerEntry.metric != "sms")).all()
    assert min(row.balance_after for row in rows) >= 0


def test_demo_users_sign_in_to_the_demo_and_nowhere_else(demo: Database, now: datetime) -> None:
    admin, role = ACCOUNTS.organizations[0].members[0]
    with demo.writing() as session:
        attempt = sign_in_throttle.begin(session, admin.email, "127.0.0.1", now, demo=True)
    assert sign_in_throttle.proves(attempt, ACCOUNTS.password)
    with demo.writing() as session:
        token = sessions.sign_in(session, attempt, now).token
    with demo.reading() as session:
        assert sessions.identify(session, token, now) is None
        identity = sessions.identify(session, token, now, demo=True)
        assert identity is not None
        found = {each.address: each.role for each in sessions.organizations_of(session, identity)}
    assert role is Role.ADMIN
    assert found == {
        "larkfield-maps": Role.ADMIN,
        "larkfield-trails": Role.ADMIN,
        "marlow-letters": Role.BILLING,
        "pebblebrook-archive": Role.MEMBER,
    }


def test_every_demo_user_is_marked_as_one(demo: Database) -> None:
    with demo.reading() as session:
        for organization in ACCOUNTS.organizations:
            assert all(users.by_email(session, person.email).demo for person, _role in organization.members)
        assert users.by_email(session, ACCOUNTS.operator.email).operator
