"""Pages on a database: what most of their handlers are tested with, told once per run and copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import reflex as rx

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.access import Role
from billing_app.services.access import users
from billing_app.services.access.cookies import HASH_NAME
from billing_app.services.common.context import Context
from billing_app.services.common.secrets import digest
from billing_app.services.credits import granting
from billing_app.services.operators import organizations as operators
from billing_app.services.organizations import profiles
from billing_app.services.usage import reporting
from billing_app.services.usage.reporting import ReportedEvent
from tests.conftest import SHARED
from tests.support import databases
from tests.support.builders import NOON, a_session_token, a_user, an_organization, the_catalogue
from tests.ui.states import opened, served_from

GB = 10**9


@dataclass(frozen=True)
class Meridian:
    """Pages of `meridian` (Pro, with credits), `stopped` (uploads are blocked) and `fresh-start` (nothing yet).

    `cookies` by role: Ana is everywhere the admin, the others are of `meridian`; "none" is nobody.
    """

    database: Database
    cookies: dict[str, str]

    def open(self, page: type[rx.State], url: str, role: str = "admin", **more: str) -> Any:
        """A tab of somebody with this role."""
        return opened(page, url, self.cookies[role], **more)


@dataclass(frozen=True)
class Told:
    """A file with the three organizations, and who is signed in there."""

    file: Path
    cookies: dict[str, str]


@pytest.fixture(scope="session")
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Each test process tells it for itself: it takes half a second."""
    folder = tmp_path_factory.mktemp("pages")
    database = databases.opened(databases.sqlite_database(request.config.stash[SHARED].sqlite_template, folder))
    cookies = tell(database)
    database.close()
    return Told(folder / "billing.db", cookies)


def tell(database: Database) -> dict[str, str]:
    """The three organizations; the Cookie header of each role."""
    the_catalogue(database)
    with database.writing() as session:
        meridian, stopped, fresh = (an_organization(session, each) for each in ("meridian", "stopped", "fresh-start"))
        for organization, name in ((meridian, "Meridian Apps"), (stopped, "Stopped Studio"), (fresh, "Fresh Start")):
            profiles.change(Context(session, organization, NOON, "tests"), {"name": name})
        operators.set_plan(Context(session, meridian, NOON, "tests"), "pro", reason="agreed")
        granting.give(Context(session, meridian, NOON, "tests"), "mau", 50_000, reason="Welcome", key="welcome")
        granting.give(Context(session, meridian, NOON, "tests"), "token", 10, reason="Welcome", key="tokens")
        granting.give(Context(session, meridian, NOON, "tests"), "sms", 100, reason="Welcome", key="sms")
        reporting.report(Context(session, meridian, NOON), [ReportedEvent("sms", 240, id="one", at=NOON)])
        reporting.report(Context(session, stopped, NOON), [ReportedEvent("storage", 2 * GB, id="one", at=NOON)])
        people = {
            "admin": a_user(session, "ana@meridian.example", member_of=meridian),
            "billing": a_user(session, "ben@meridian.example", member_of=meridian, role=Role.BILLING),
            "member": a_user(session, "cleo@meridian.example", member_of=meridian, role=Role.MEMBER),
            "operator": a_user(session, "oda@console.example", operator=True, member_of=meridian),
        }
        for other in (stopped, fresh):
            users.join(session, other.pk, people["admin"], Role.ADMIN, NOON)
        return {role: f"{HASH_NAME}={digest(a_session_token(session, person))}" for role, person in people.items()} | {
            "none": ""
        }


@pytest.fixture
def meridian(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meridian]:
    """The pages, served from a copy of the test's own, at NOON."""
    monkeypatch.setattr(clock, "now", lambda: NOON)
    database = databases.opened(databases.sqlite_database(told.file, tmp_path))
    with served_from(database):
        yield Meridian(database, told.cookies)
    database.close()
