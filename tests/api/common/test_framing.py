"""What no route looks at is refused at every route: parameters, fields, media types
(billing_app.api.common.framing)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.api.conftest import Api
from tests.support.builders import a_key, an_organization, the_catalogue

PLACES = {
    "address": "acme", "organization": "acme", "plan": "free", "metric": "mau", "pack_id": "mau-50k", "number": "1",
    "kind": "limits", "name": "memberships", "version": "1", "run": "1", "event_id": "evt_1", "session_id": "cs_1",
}  # fmt: skip
"""What stands for each part of a path; for others an id that is none."""

FORM = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n1\r\n--x--\r\n'

NOBODY = "0190a6b0-0000-7000-8000-000000000001"


@pytest.fixture
def operator(api: Api) -> Iterator[httpx.Client]:
    the_catalogue(api.database)
    with api.database.writing() as session:
        an_organization(session, "acme")
        secret, _ = a_key(session, None)
    with api.program(secret) as client:
        yield client


def operations(client: httpx.Client) -> Iterator[tuple[str, str, dict[str, Any]]]:
    document = client.get("/openapi.json").json()
    for template, methods in document["paths"].items():
        for method, operation in methods.items():
            places = {part.strip("{}") for part in template.split("/") if part.startswith("{")}
            yield method, template.format(**{name: PLACES.get(name, NOBODY) for name in places}), operation


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_parameter_that_a_route_does_not_know_is_named_with_those_that_it_does(operator: httpx.Client) -> None:
    for method, path, operation in operations(operator):
        known = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
        for name in ("dry_run", *(each.swapcase() for each in known)):
            answer = operator.request(method, path, params={name: "1"})
            assert problem_of(answer) == (422, "invalid_fields"), (method, path, answer.text)
            assert f"query.{name}" in answer.json()["detail"], answer.text
            assert all(each in answer.json()["detail"] for each in known), answer.text


def test_a_parameter_is_said_once_and_has_a_value(operator: httpx.Client) -> None:
    for method, path, operation in operations(operator):
        for name in (each["name"] for each in operation.get("parameters", []) if each["in"] == "query"):
            # Where people are sent on to a page, it is that page that says what is wrong with their link.
            empty = [] if "303" in operation["responses"] else [f"{name}="]
            for sent in (f"{name}=1&{name}=1", *empty):
                answer = operator.request(method, f"{path}?{sent}")
                assert problem_of(answer) == (422, "invalid_fields"), (method, path, answer.text)
                assert answer.json()["errors"][0]["field"] == f"query.{name}", answer.text


def test_another_media_type_is_415(operator: httpx.Client) -> None:
    for method, path, operation in operations(operator):
        if "requestBody" not in operation:
            continue
        known = operation["requestBody"]["content"]
        for media in ("text/plain", "application/xml", "application/jsonp", "multipart/form-data; boundary=x", ""):
            headers = {"Content-Type": media} if media else {}
            body = FORM if media.startswith("multipart") else b'{"a": 1}'
            answer = operator.request(method, path, content=body, headers=headers)
            if media or "application/x-www-form-urlencoded" not in known:
                assert problem_of(answer) == (415, "unsupported_media_type"), (method, path, media, answer.text)
                assert all(each in answer.json()["detail"] for each in known), answer.text
        media = f"{next(iter(known))}; charset=iso-8859-1"
        answer = operator.request(method, path, content=b'{"a": 1}', headers={"Content-Type": media})
        assert problem_of(answer) == (415, "unsupported_media_type"), (method, path, answer.text)


def test_a_body_that_is_needed_is_asked_for(operator: httpx.Client) -> None:
    for method, path, operation in operations(operator):
        if operation.get("requestBody", {}).get("required"):
            answer = operator.request(method, path, headers={"Idempotency-Key": "1"})
            assert problem_of(answer) == (422, "invalid_fields"), (method, path, answer.text)


def test_a_body_where_none_is_read_is_refused(operator: httpx.Client) -> None:
    for method, path, operation in operations(operator):
        if method == "get" or "requestBody" in operation or path == "/webhooks/stripe":
            continue
        answer = operator.request(method, path, json={"at": "now"})
        assert problem_of(answer) == (422, "invalid_fields"), (method, path, answer.text)


def test_every_body_refuses_fields_that_it_does_not_know(operator: httpx.Client) -> None:
    """In the document, however deep; what it says is kept by tests/api/test_contract.py."""
    document = operator.get("/openapi.json").json()
    shapes = document["components"]["schemas"]
    seen: set[str] = set()

    def look(schema: Any) -> None:
        if isinstance(schema, list):
            for each in schema:
                look(each)
        if not isinstance(schema, dict):
            return
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            seen.add(name)
            if "properties" in shapes[name] and not name.startswith("Body_") and name != "CloudEvent":
                assert shapes[name].get("additionalProperties") is False, name
            look(shapes[name])
        for each in schema.values():
            look(each)

    for _, _, operation in operations(operator):
        look(operation.get("requestBody", {}))
    assert {"ConsumeRequest", "UsageEvent", "CloudEventData", "NewOrganization"} <= seen


def test_a_form_refuses_fields_that_it_does_not_know(api: Api) -> None:
    with api.browser() as browser:
        browser.headers["Accept"] = "application/json"
        for sent in ({"email": "a@b.c", "passwort": "x"}, {"email": ["a@b.c", "d@e.f"], "password": "x"}):
            assert problem_of(browser.post("/sign-in", data=sent)) == (422, "invalid_fields")


@pytest.mark.parametrize("media", ["Application/JSON", 'application/json; charset="UTF-8"', "application/json;v=1"])
def test_parameters_of_a_media_type_do_not_matter(operator: httpx.Client, media: str) -> None:
    for path in ("check", "usage"):
        body = {"check": b'{"metric": "mau"}', "usage": b'{"events": [{"id": "1", "metric": "mau", "subject": "a"}]}'}
        answer = operator.post(f"/organizations/acme/{path}", content=body[path], headers={"Content-Type": media})
        assert answer.is_success, answer.text


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z", "2200-01-01T00:00:01Z", "now", "0",
        "2026-03-01T00:00:00", "2026-03-01", "2026-02-30T00:00:00Z", "1700000000", "\u0662026-03-01T00:00:00Z",
    ],
)  # fmt: skip
def test_a_moment_that_is_none_or_out_of_range_is_refused_and_not_bent(operator: httpx.Client, moment: str) -> None:
    dated = 0
    for method, path, operation in operations(operator):
        for each in operation.get("parameters", []):
            if each["in"] == "query" and each["schema"].get("format") == "date-time":
                dated += 1
                answer = operator.request(method, path, params={each["name"]: moment})
                assert problem_of(answer) == (422, "invalid_fields"), (method, path, answer.text)
    assert dated > 10


def test_a_form_of_another_kind_is_refused_before_it_is_read(api: Api) -> None:
    """A multipart body that is none was answered 400 by whoever read it, and one that is would have been stored."""
    posts = ("/sign-in", "/sign-up", "/forgot-password", "/set-up", "/new-password", "/accept-invitation")
    broken = ((FORM, "multipart/form-data; boundary=y"), (b"--x", "multipart/form-data"), (b"\xff" * 99, "text/plain"))
    with api.browser() as browser:
        browser.headers["Accept"] = "application/json"
        for path in posts:
            for body, media in broken:
                answer = browser.post(path, content=body, headers={"Content-Type": media})
                assert problem_of(answer) == (415, "unsupported_media_type"), (path, media, answer.text)


def test_a_number_in_a_path_or_a_query_is_written_in_digits(operator: httpx.Client) -> None:
    numbered = 0
    for method, path, operation in operations(operator):
        for each in operation.get("parameters", []):
            if each["in"] == "header" or each["schema"].get("type") != "integer":
                continue
            numbered += 1
            for sent in ("+1", " 1", "1 ", "1_0", "1.0", "1e1", "\u0661", "", "0x1"):
                if each["in"] == "query":
                    answer = operator.request(method, path, params={each["name"]: sent})
                elif sent and path.endswith(PLACES[each["name"]]):
                    answer = operator.request(method, path.removesuffix(PLACES[each["name"]]) + quote(sent))
                else:
                    continue
                assert problem_of(answer) == (422, "invalid_fields"), (method, path, sent, answer.text)
    assert numbered > 10


def test_a_member_that_is_said_twice_is_refused_everywhere(operator: httpx.Client) -> None:
    """Whichever of them counted, somebody meant the other."""
    bodies = {
        "consume": b'{"metric": "mau", "quantity": 5, "quantity": 1}',
        "check": b'{"action": "upload", "quantities": {"storage": 5, "storage": 1}}',
        "usage": b'{"events": [], "events": [{"id": "1", "metric": "mau", "subject": "a"}]}',
        "reservations": b'{"metric": "mau", "quantity": 5, "quantity": 1}',
        "tokens/convert": b'{"metric": "mau", "tokens": 5, "tokens": 1}',
    }
    headers = {"Idempotency-Key": "1", "Content-Type": "application/json"}
    for path, body in bodies.items():
        answer = operator.post(f"/organizations/acme/{path}", content=body, headers=headers)
        assert problem_of(answer) == (422, "invalid_fields"), (path, answer.text)
        assert "twice" in answer.json()["detail"]
    for body in (b'{"metric": "mau", "quantity": NaN}', b"[" * 100_000):
        for path in ("check", "consume"):
            answer = operator.post(f"/organizations/acme/{path}", content=body, headers=headers)
            assert problem_of(answer) == (400, "malformed_request"), (path, answer.text)


def test_an_address_with_a_newline_is_one_of_the_api_too(operator: httpx.Client) -> None:
    for path in (
        "/organizations/%0A",
        "/organizations/acme%0A/check",
        "/%0A",
        "/plans/%0A",
        "/plans%0A",
        "/plans/free%7F",
    ):
        for method in ("GET", "POST"):
            answer = operator.request(method, path)
            assert answer.headers["content-type"] == "application/problem+json", (method, path, answer.text)


def test_what_the_ledger_cannot_hold_is_said(operator: httpx.Client) -> None:
    for path in ("ledger", "ledger.csv", "grants", "grants.csv"):
        answer = operator.get(f"/organizations/acme/{path}", params={"metric": "none"})
        assert problem_of(answer) == (404, "metric_not_found"), (path, answer.text)
        between = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}
        answer = operator.get(f"/organizations/acme/{path}", params=between)
        assert problem_of(answer) == (422, "invalid_fields"), (path, answer.text)


def test_a_reason_has_no_control_characters(operator: httpx.Client) -> None:
    """PostgreSQL stores no NUL: the reason of an override, of a voided card and of an ending was a fault there."""
    card = {"name": "Welcome", "contents": {"mau": 5}}
    made = operator.post("/admin/gift-cards", json=card, headers={"Idempotency-Key": "1"}).json()["items"][0]["id"]
    acts: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", "/admin/organizations/acme/overrides/limit/memberships", {"value": 5}),
        ("POST", f"/admin/gift-cards/{made}/void", {}),
        ("POST", "/organizations/acme/ending", {}),
    ]
    for method, path, body in acts:
        for reason in ("a\x00b", "a\nb", "a\u2028b"):
            answer = operator.request(method, path, json={**body, "reason": reason}, headers={"Idempotency-Key": path})
            assert problem_of(answer) == (422, "reason_required"), (path, answer.text)
