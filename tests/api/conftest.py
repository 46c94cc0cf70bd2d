"""The API behind a real server, with people and programs to call it as."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from billing_app import clock
from billing_app.api import app as building
from billing_app.api.access import sign_in
from billing_app.api.common.process import Application
from billing_app.db import Database
from billing_app.services.access import passwords
from billing_app.services.access.cookies import cookie_name
from billing_app.settings import Settings
from tests.api.serving import Site
from tests.support.builders import NOON, a_user, an_organization
from tests.support.patience import PATIENCE_SECONDS, eventually


class Api:
    """One app on the test server. `now` is what its clock says."""

    def __init__(self, site: Site, database: Database, **settings: Any) -> None:
        """Puts the app behind the server."""
        self.now: datetime = NOON
        self.database = database
        self.url = site.url
        self.settings = Settings(_env_file=None, public_url=site.url, **settings)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(building, "_versioned", _with_known_routes)
            self.app = building.create_api(database, self.settings, clock=lambda: self.now)
        site.app = self.app

    def client(self, **headers: str) -> httpx.Client:
        """A caller with these headers, who sees redirects as they are."""
        # Plain http: without `verify=False` each client would read all certificates of the machine first.
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=PATIENCE_SECONDS, verify=False)

    def has_posted(self) -> None:
        """Waits for mails that are written after their answers: they read this test's database."""
        turns = sign_in.MAIL_POOL.turns
        eventually(lambda: turns.going + turns.waiting == 0, "mail that goes out after an answer")

    def program(self, secret: str) -> httpx.Client:
        """A caller with an API key."""
        return self.client(Authorization=f"Bearer {secret}")

    def browser(self, token: str | None = None) -> httpx.Client:
        """A caller on one of our own pages, signed in if there is a token."""
        client = self.client(Origin=self.url)
        if token is not None:
            client.cookies.set(cookie_name(False), token, domain="127.0.0.1", path="/")
        return client


_build = building._versioned


@lru_cache(maxsize=1)
def _routes() -> FastAPI:
    return _build(Application(Database("sqlite://"), Settings(_env_file=None), clock.now), building.ROUTERS)


def _with_known_routes(application: Application, _routers: tuple[APIRouter, ...]) -> FastAPI:
    """The routes as the last test left them: FastAPI needs a tenth of a second to read them at their first request."""
    _routes().state.application = application
    return _routes()


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hashes that take no time. What they must cost is tests/services/access/test_sessions.py's business."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
        patch.setattr(passwords, "_hasher", lambda: cheap)
        yield


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The server, started once per process."""
    started = Site()
    yield started
    started.stop()


@pytest.fixture
def api(site: Site, database: Database) -> Iterator[Api]:
    """The API on this test's own database."""
    yield Api(site, database)
    site.app = None


def error_of(response: httpx.Response, page: str) -> str:
    """The code with which a form was sent back to its page."""
    assert response.status_code == 303
    target = urlsplit(response.headers["location"])
    assert target.path == page
    return parse_qs(target.query)["error"][0]


@pytest.fixture
def ada(api: Api) -> str:
    """Ada, who is an admin of acme."""
    with api.database.writing() as session:
        return a_user(session, "ada@example.org", member_of=an_organization(session, "acme")).email
