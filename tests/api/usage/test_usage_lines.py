"""Usage as lines of JSON that go on: recorded a block at a time, each answered when it is committed."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest

from billing_app.api.usage import lines
from billing_app.domain.common.access import Scope
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.verification import verification
from tests.api.conftest import Api
from tests.support.builders import NOON, a_key, an_organization, the_catalogue
from tests.support.patience import eventually

pytestmark = pytest.mark.both_databases

AT = "2026-03-10T11:00:00Z"


@pytest.fixture
def acme(api: Api) -> Iterator[httpx.Client]:
    """A program of acme."""
    the_catalogue(api.database)
    with api.database.writing() as session:
        secret, _ = a_key(session, an_organization(session), Scope.USAGE_WRITE)
    with api.program(secret) as client:
        yield client


def line(number: int, **more: Any) -> bytes:
    return json.dumps({"id": f"e{number}", "metric": "bandwidth", "quantity": 2, "at": AT, **more}).encode() + b"\n"


def send(client: httpx.Client, body: bytes | Iterable[bytes], **headers: str) -> httpx.Response:
    sent = {"Content-Type": "application/x-ndjson", **headers}
    return client.post("/organizations/acme/usage", content=body, headers=sent)


def told(answer: httpx.Response) -> list[dict[str, Any]]:
    assert (answer.status_code, answer.headers["content-type"]) == (202, "application/x-ndjson"), answer.text
    return [json.loads(each) for each in answer.text.splitlines()]


def used(api: Api) -> int:
    with api.database.reading() as session:
        acme = organizations.by_address(session, "acme")
        assert list(verification.verify(Context(session, acme, NOON))) == []
        found = session.connection().exec_driver_sql("SELECT COALESCE(sum(quantity), 0) FROM usage_events")
        return int(found.scalar_one())


def test_lines_are_recorded_a_block_at_a_time(api: Api, acme: httpx.Client) -> None:
    body = b"".join(line(number) for number in range(2_500))
    parts = (body[place : place + 7_777] for place in range(0, len(body), 7_777))  # lines are cut anywhere
    found = told(send(acme, parts))
    assert [(each["first_line"], each["last_line"], each["accepted"]) for each in found[:-1]] == [
        (1, 1_000, 1_000), (1_001, 2_000, 1_000), (2_001, 2_500, 500),
    ]  # fmt: skip
    assert found[-1] == {"lines": 2_500, "accepted": 2_500, "duplicates": 0, "rejected": 0, "complete": True}
    again = told(send(acme, body))
    assert again[-1] == {"lines": 2_500, "accepted": 0, "duplicates": 2_500, "rejected": 0, "complete": True}
    assert used(api) == 5_000


def test_what_is_wrong_is_rejected_by_its_line_as_in_a_batch(api: Api, acme: httpx.Client) -> None:
    wrong = [
        line(1), b"\n", line(2, quantity="x"), b"{\n", b"7\r\n", line(1, quantity=3), line(3, metric="nothing"),
        b'{"id": "e8"},{"id": "e9"}\n', b"\xff\n", b'"' + b"x" * (lines.MAX_LINE_BYTES + 1) + b'"\n', line(4, more=1),
        line(5).rstrip(),
    ]  # fmt: skip
    for number in range(1_200):
        wrong.insert(1, line(100 + number))
    found = told(send(acme, b"\xef\xbb\xbf" + b"".join(wrong)))
    rejected = [(each["line"] - 1_200, each["code"]) for block in found[:-1] for each in block["rejected"]]
    assert rejected == [
        (3, "invalid_quantity"), (4, "invalid_row"), (5, "invalid_event"), (6, "idempotency_mismatch"),
        (7, "metric_not_found"), (8, "invalid_row"), (9, "invalid_row"), (10, "invalid_row"), (11, "invalid_event"),
    ]  # fmt: skip
    assert found[-1] == {"lines": 1_212, "accepted": 1_202, "duplicates": 0, "rejected": 9, "complete": True}
    assert used(api) == 2 * 1_202


def test_what_was_told_stays_when_the_sender_is_cut_off(api: Api, acme: httpx.Client) -> None:
    def breaks() -> Iterator[bytes]:
        yield b"".join(line(number) for number in range(1_500))
        raise ConnectionError

    with pytest.raises(ConnectionError):
        send(acme, breaks())
    whole = told(send(acme, b"".join(line(number) for number in range(1_500))))[-1]
    assert (whole["accepted"] + whole["duplicates"], whole["complete"]) == (1_500, True)
    assert used(api) == 3_000


def test_who_may_not_pass_and_an_empty_body_are_refused_as_ever(api: Api, acme: httpx.Client) -> None:
    assert send(acme, b"").json()["code"] == send(acme, b"\n \n").json()["code"] == "invalid_fields"
    assert send(acme, line(1), Authorization="Bearer none").status_code == 401
    assert send(acme, line(1), **{"Content-Type": "application/x-ndjson; charset=latin-1"}).status_code == 415
    answer = acme.post("/organizations/other/usage", content=line(1), headers={"Content-Type": "application/x-ndjson"})
    assert (answer.status_code, answer.json()["code"]) == (404, "organization_not_found")
    assert used(api) == 0


def test_a_refusal_in_the_midst_says_how_far_it_came(api: Api, acme: httpx.Client) -> None:
    def body() -> Iterator[bytes]:
        yield b"".join(line(number) for number in range(1_000))
        eventually(lambda: used(api) == 2_000, "the first block")
        with api.database.writing() as session:
            organization = organizations.by_address(session, "acme")
            organization.active = False
            session.add(organization)
        yield line(1_001)

    first, last = told(send(acme, body()))
    assert first["accepted"] == 1_000
    assert (last["complete"], last["code"], last["lines"]) == (False, "organization_inactive", 1_000)


def test_too_many_wrong_lines_end_it(acme: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_REJECTED", 1_500)
    found = told(send(acme, b"x\n" * 5_000))
    assert (found[-1]["complete"], found[-1]["code"], found[-1]["rejected"]) == (False, "too_many_rejected", 2_000)


def test_memory_does_not_grow_with_the_body(acme: httpx.Client) -> None:
    peaks = []
    told(send(acme, b"".join(line(number) for number in range(1_000))))
    for count in (2, 20):
        blocks = (b"".join(line(number) for number in range(1_000)) for _ in range(count))
        tracemalloc.start()
        assert told(send(acme, blocks))[-1]["duplicates"] == count * 1_000
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
