"""The same Idempotency-Key: the same request, answered as it was the first time (api.md, Idempotency)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.responses import Response

from billing_app.api.app import ROUTERS, create_api
from billing_app.api.common.access import Access, RequestContext, RequireOrganization
from billing_app.api.common.idempotency import FromRepeatable
from billing_app.domain.common.access import NO_ROLES, Scope
from billing_app.domain.common.errors import CreditsExhaustedError, UnavailableError
from billing_app.services.access import api_keys
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import a_key, an_organization, the_catalogue

ROUTE = "/organizations/acme/attempts"


class Attempt(BaseModel):
    """What is asked of the test's route."""

    outcome: str = "done"
    private: bool = False


class Attempted(BaseModel):
    """How often it has worked."""

    count: int


class Work:
    """A route whose work is to make an organization, counted."""

    def __init__(self) -> None:
        """Has done nothing yet."""
        self.count = 0
        self.router = APIRouter(prefix="/organizations/{address}")
        access = Depends(RequireOrganization(NO_ROLES, frozenset({Scope.USAGE_WRITE})))

        @self.router.post("/attempts", response_model=Attempted)
        def attempt(body: Attempt, once: FromRepeatable, access: Access = access) -> Response:
            return once.answer(access, body, lambda context: self.work(context, body), status=201, private=body.private)

    def work(self, context: RequestContext, body: Attempt) -> Attempted:
        """Makes an organization, and is refused or fails after that if it was asked to."""
        self.count += 1
        organizations.create(context.session, context.now, address=f"made-{self.count}")
        if body.outcome == "refused":
            raise CreditsExhaustedError("Nothing is left.", used=7)
        if body.outcome == "failed":
            raise UnavailableError("Not now.")
        return Attempted(count=self.count)

    def made(self, api: Api) -> set[str]:
        """The organizations that it made."""
        with api.database.reading() as session:
            return {
                org.address for org in organizations.store.page(session, "", 100) if org.address.startswith("made-")
            }


@pytest.fixture
def work(api: Api, site: Site) -> Work:
    made = Work()
    site.app = create_api(api.database, api.settings, clock=lambda: api.now, routers=(*ROUTERS, made.router))
    return made


@pytest.fixture
def program(api: Api) -> Iterator[httpx.Client]:
    the_catalogue(api.database)
    with api.database.writing() as session:
        secret = a_key(session, an_organization(session), *Scope)[0]
    with api.program(secret) as client:
        yield client


def send(program: httpx.Client, key: str | bytes | None, body: Any = None) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return program.post(ROUTE, json=body or {}, headers=headers)  # ty: ignore[invalid-argument-type]


def test_the_same_key_is_the_same_answer_and_works_once(api: Api, work: Work, program: httpx.Client) -> None:
    first, again, other = send(program, "a"), send(program, "a"), send(program, "b")
    assert (first.status_code, first.json()) == (201, {"count": 1})
    assert (again.status_code, again.json()) == (201, {"count": 1})
    assert (again.headers.get("idempotent-replayed"), first.headers.get("idempotent-replayed")) == ("true", None)
    assert other.json() == {"count": 2}
    assert work.made(api) == {"made-1", "made-2"}


def test_the_same_key_with_another_body_is_refused(work: Work, program: httpx.Client) -> None:
    send(program, "a")
    answer = send(program, "a", {"outcome": "refused"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert work.count == 1


def test_a_body_written_differently_is_the_same_body(work: Work, program: httpx.Client) -> None:
    send(program, "a")
    headers = {"Idempotency-Key": "a", "Content-Type": "application/json"}
    answer = program.post(ROUTE, content=b'{ "private":false,\n"outcome":"done" }', headers=headers)
    assert answer.status_code == 201
    assert work.count == 1


def test_a_refusal_is_answered_again_and_leaves_nothing(api: Api, work: Work, program: httpx.Client) -> None:
    answers = [send(program, "a", {"outcome": "refused"}) for _ in range(2)]
    for answer in answers:
        assert answer.status_code == 402
        assert {"code": "credits_exhausted", "used": 7, "detail": "Nothing is left."}.items() <= answer.json().items()
    assert work.count == 1
    assert work.made(api) == set()


def test_what_could_not_be_done_leaves_the_key_free(api: Api, work: Work, program: httpx.Client) -> None:
    assert send(program, "a", {"outcome": "failed"}).status_code == 503
    assert send(program, "a").json() == {"count": 2}
    assert work.made(api) == {"made-2"}


def test_an_answer_with_secrets_is_not_kept(api: Api, work: Work, program: httpx.Client) -> None:
    assert send(program, "a", {"private": True}).json() == {"count": 1}
    again = send(program, "a", {"private": True})
    assert (again.status_code, again.json()["code"]) == (409, "answer_not_kept")
    assert work.made(api) == {"made-1"}


@pytest.mark.both_databases
def test_many_at_once_work_once(api: Api, work: Work, program: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(program, "a"), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json()["count"] for answer in answers} == {1}
    assert work.made(api) == {"made-1"}


@pytest.mark.parametrize("key", [None, "", "x" * 256, "tab\tbed"])
def test_a_key_has_1_to_255_visible_characters(work: Work, program: httpx.Client, key: str | None) -> None:
    answer = send(program, key)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_fields")
    assert work.count == 0


@pytest.mark.parametrize("key", ["x", "x" * 255, "ümläut".encode("latin-1")])
def test_any_other_key_is_fine(work: Work, program: httpx.Client, key: str | bytes) -> None:
    assert send(program, key).status_code == 201
    assert send(program, key).status_code == 201
    assert work.count == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("tokens/convert", {"metric": "emails", "tokens": 20}, 402),
        ("gift-cards/redeem", {"code": "ABCD-EFGH-JKLM-NPQR"}, 404),
        ("consume", {"metric": "emails", "quantity": 10**9}, 402),
    ],
)
def test_the_first_thing_that_a_key_ever_asks_may_be_refused(
    api: Api, path: str, body: dict[str, Any], status: int
) -> None:
    """Its use is noted after the refusal was rolled back, when nothing of that transaction can be asked any more."""
    the_catalogue(api.database)
    with api.database.writing() as session:
        acme = an_organization(session)
        grants.change_plan(Context(session, acme, api.now), "free")
        grants.grant(
            Context(session, acme, api.now),
            grants.NewGrant("token", 30, source="operator", source_key="1", reason="Welcome"),
        )
        used, fresh = (a_key(session, acme, *Scope)[0] for _ in range(2))
    with api.program(used) as program:
        body_that_fits = {"metric": "emails", "tokens": 20}
        headers = {"Idempotency-Key": "before"}
        assert program.post("/organizations/acme/tokens/convert", json=body_that_fits, headers=headers).is_success
    api.now += timedelta(seconds=1)  # so that the organization's row changes, and that change is rolled back
    with api.program(fresh) as program:
        answer = program.post(f"/organizations/acme/{path}", json=body, headers={"Idempotency-Key": "first"})
    assert answer.status_code == status, answer.text
    with api.database.reading() as session:
        known = api_keys.every(session, organizations.by_address(session, "acme").pk)
    assert api.now in [key.last_used_at for key in known]
