"""Telling the story: whole or not at all, once, and only as far as the catalogue lets it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from billing_app import schema
from billing_app.db import Database
from billing_app.demo import gift, seed, telling
from billing_app.demo.people import ACCOUNTS
from billing_app.domain.common.errors import UnavailableError
from billing_app.domain.credits.gift_codes import grouped
from billing_app.locations import ROOT
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import gift_cards
from billing_app.services.verification import verification
from billing_app.settings import Settings
from billing_app.store.tables.credits import LedgerEntry
from tests.demo.databases import short_stories

ADDRESSES = ["larkfield-maps", "marlow-letters", "pebblebrook-archive"]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tells the story without use."""
    monkeypatch.setattr(telling, "stories", short_stories)


def addresses(database: Database) -> list[str]:
    with database.reading() as session:
        return verification.organizations(session)


def ledger(database: Database) -> list[tuple[Any, ...]]:
    """What the ledger says, by organization and number."""
    with database.reading() as session:
        rows = session.exec(select(LedgerEntry)).all()
        return sorted(
            (row.organization_id, row.number, row.metric, row.kind, row.quantity, row.grant_id, row.reason)
            for row in rows
        )


def kill(database: Database, now: datetime, moment: str) -> None:
    """Tells the story in a process that ends without warning."""
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.demo.databases", url, now.isoformat(), moment]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 9


@pytest.mark.parametrize("moment", ["told", "copied"])
def test_a_start_that_is_killed_leaves_nothing_and_the_next_one_tells_everything(
    moment: str, empty: Database, now: datetime, short: None
) -> None:
    kill(empty, now, moment)
    assert addresses(empty) == []
    assert schema.integrity(empty) == ""
    seed.seed_at(empty, now)
    assert addresses(empty) == ADDRESSES
    assert schema.integrity(empty) == ""


def test_the_story_is_told_once(empty: Database, short: None) -> None:
    said: list[str] = []
    settings = Settings(demo=True)
    seed.seed(empty, settings, said.append)
    first = ledger(empty)
    assert first
    seed.seed(empty, settings, said.append)
    assert ledger(empty) == first
    assert len(said) == 1


def test_the_same_moment_gives_the_same_ledger(
    empty: Database, now: datetime, short: None, other_empty: Callable[[], Database]
) -> None:
    seed.seed_at(empty, now)
    again = other_empty()
    seed.seed_at(again, now)
    assert ledger(again) == ledger(empty)
    again.close()


@pytest.fixture
def other_empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, now: datetime) -> Any:
    """Makes a second database like `empty`."""
    from tests.conftest import SHARED
    from tests.demo.databases import with_catalogue
    from tests.support import databases

    template = request.config.stash[SHARED].sqlite_template
    return lambda: with_catalogue(databases.sqlite_database(template, tmp_path_factory.mktemp("other")), now)


def test_the_catalogue_and_its_migrations_survive(empty: Database, now: datetime, short: None) -> None:
    seed.seed_at(empty, now)
    schema.check(empty)
    with empty.reading() as session:
        assert versions.current(session, now).currency == "usd"
    with empty.writing() as session:
        document = versions.read_document(ROOT / "plans.json")
        assert not versions.load(session, document, now + timedelta(days=1), "plans.json").written


def test_an_edited_catalogue_does_not_stop_a_start(empty: Database, now: datetime, short: None) -> None:
    document = json.loads((ROOT / "plans.json").read_text(encoding="utf-8"))
    document["plans"] = [plan for plan in document["plans"] if plan["plan"] != "essential"]
    document["packs"] = [pack for pack in document["packs"] if pack["id"] not in ("sms-100", "mau-10k")]
    document["metrics"][1]["aggregation"] = "max"
    with empty.writing() as session:
        versions.load(session, document, now, "plans.json")
    seed.seed_at(empty, now)
    assert addresses(empty) == ADDRESSES


def test_the_demo_is_refused_without_demo_mode(empty: Database) -> None:
    with pytest.raises(UnavailableError):
        seed.seed(empty, Settings(demo=False), print)
    assert addresses(empty) == []


def test_start_says_who_signs_in() -> None:
    said = "\n".join(seed.sign_ins())
    assert ACCOUNTS.password in said
    assert all(person.email in said for each in ACCOUNTS.organizations for person, _role in each.members)
    assert ACCOUNTS.operator.email in said
    assert grouped(gift.CODE) in said


def test_the_gift_card_that_is_named_can_be_redeemed(empty: Database) -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    with empty.writing() as session:
        versions.load(session, versions.read_document(ROOT / "plans.json"), now, "plans.json")
        organizations.create(session, now, address="acme")
    gift.hand_out(empty, now)
    code = gift.said().split()[-1]
    with empty.writing() as session:
        made = gift_cards.redeem(
            Context(session, organizations.by_address(session, "acme"), now, "ada@example.org"), code
        )
        assert {grant.metric: grant.quantity for grant in made.grants} == gift.HOLDS
    assert grouped(gift.CODE) in (ROOT / "README.md").read_text(encoding="utf-8")
