"""Features and processes over HTTP, as a program with an `admin` key uses them; and many who publish at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from billing_app.db import Database
from billing_app.domain.common.access import Scope
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from tests.api.conftest import Api
from tests.api.serving import Site
from tests.support.builders import NOON, a_key, an_organization, the_catalogue

COMPLETE = {"title": "Board", "questions": [{"title": "Who?", "answers": ["Ada", "Grace"]}], "census": 50}
ACME = "/organizations/acme"


@pytest.fixture
def http(site: Site, database: Database) -> Iterator[httpx.Client]:
    """A program of acme, which has the free plan: three processes, one draft, a census of 100."""
    api = Api(site, database)
    the_catalogue(database)
    with database.writing() as session:
        acme = an_organization(session)
        grants.change_plan(Context(session, acme, NOON), "free")
        secret = a_key(session, acme, *Scope)[0]
    with api.program(secret) as client:
        yield client


def code(answer: httpx.Response) -> tuple[int, str]:
    """How it was refused."""
    return answer.status_code, answer.json()["code"]


def test_a_draft_grows_is_published_and_ends(http: httpx.Client) -> None:
    made = http.post(f"{ACME}/processes", json={"title": "Board"})
    assert (made.status_code, made.json()["state"], made.json()["revision"]) == (201, "draft", 1)
    url = f"{ACME}/processes/{made.json()['id']}"
    assert code(http.post(f"{url}/publish")) == (422, "process_incomplete")
    changed = http.patch(url, json={"revision": 1, "questions": COMPLETE["questions"], "census": 50})
    assert changed.json()["title"] == "Board", "what was not sent stays"
    assert code(http.patch(url, json={"revision": 1, "census": 1})) == (409, "draft_changed")
    assert http.post(f"{url}/publish").json()["state"] == "published"
    assert code(http.patch(url, json={"census": 1})) == (409, "process_not_draft")
    assert code(http.delete(url)) == (409, "process_not_draft")
    assert http.post(f"{url}/close", json={}).json()["state"] == "closed"
    assert http.get(url).json()["state"] == "closed"


def test_dates_are_taken_away_with_null(http: httpx.Client) -> None:
    made = http.post(f"{ACME}/processes", json={"ends_at": "2026-05-01T00:00:00Z"}).json()
    url = f"{ACME}/processes/{made['id']}"
    assert http.patch(url, json={"title": "Board"}).json()["ends_at"] == "2026-05-01T00:00:00Z"
    assert http.patch(url, json={"ends_at": None}).json()["ends_at"] is None


def test_the_list_goes_on_where_it_stopped(http: httpx.Client) -> None:
    made = [http.post(f"{ACME}/processes", json=COMPLETE | {"publish": True}).json()["id"] for _ in range(3)]
    first = http.get(f"{ACME}/processes", params={"limit": 2}).json()
    rest = http.get(f"{ACME}/processes", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [each["id"] for each in first["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None
    assert http.get(f"{ACME}/processes", params={"state": "draft"}).json()["items"] == []
    assert code(http.get(f"{ACME}/processes", params={"cursor": "nonsense"})) == (404, "cursor_not_found")


@pytest.mark.parametrize(
    ("change", "refusal", "fields"),
    [
        ({"census": 101}, "census_too_large", {"limit": 100, "requested": 101}),
        ({"voting_type": "ranked"}, "voting_type_not_in_plan", {"plan": "free", "plans": ["pro", "custom"]}),
        ({"email_reminders": 1}, "feature_not_in_plan", {"name": "emailReminder"}),
    ],
)
def test_both_paths_to_publishing_go_through_one_gate(
    http: httpx.Client, change: dict[str, Any], refusal: str, fields: dict[str, Any]
) -> None:
    at_once = http.post(f"{ACME}/processes", json=COMPLETE | change | {"publish": True})
    draft = http.post(f"{ACME}/processes", json=COMPLETE | change).json()["id"]
    from_draft = http.post(f"{ACME}/processes/{draft}/publish")
    for answer in (at_once, from_draft):
        assert code(answer) == (403, refusal)
        assert answer.json() | fields == answer.json()
        assert answer.json()["upgrade_url"].endswith("/o/acme/plan")


def test_features_are_switched_within_the_plan(http: httpx.Client) -> None:
    def states() -> dict[str, str]:
        answer = http.get(f"{ACME}/features").json()
        return {each["id"]: each["state"] for each in answer["features"] + answer["voting_types"]}

    assert (states()["liveResults"], states()["multiple"], states()["ranked"]) == ("on", "on", "locked")
    wanted = {"features": {"liveResults": False}, "voting_types": {"multiple": False}}
    assert http.put(f"{ACME}/features", json=wanted).status_code == 200
    assert (states()["liveResults"], states()["multiple"], states()["single"]) == ("off", "off", "on")
    refused = http.put(f"{ACME}/features", json={"features": {"liveResults": True}, "voting_types": {"ranked": True}})
    assert code(refused) == (403, "voting_type_not_in_plan")
    assert states()["liveResults"] == "off", "all of it or nothing"
    assert code(http.put(f"{ACME}/features", json={"features": {"telepathy": True}})) == (422, "unknown_feature")


@pytest.mark.both_databases
def test_of_many_at_once_as_many_are_published_as_there_is_room_for(http: httpx.Client) -> None:
    def publish(_: int) -> int:
        return http.post(f"{ACME}/processes", json=COMPLETE | {"publish": True}).status_code

    with ThreadPoolExecutor(8) as callers:
        answers = Counter(callers.map(publish, range(8)))
    assert answers == {201: 3, 403: 5}
    assert len(http.get(f"{ACME}/processes", params={"state": "published"}).json()["items"]) == 3
