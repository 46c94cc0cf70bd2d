"""Numbers outside of what a database holds are refused like any other that names nothing: never a fault of ours."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.conftest import Api
from tests.support.builders import a_key, an_organization, the_catalogue

pytestmark = pytest.mark.both_databases

NUMBERS = (0, -1, 2**31 - 1, 2**31, -(2**31) - 1, 2**53, 2**63 - 2, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 2**200)
PLAUSIBLE = {"address": "acme", "organization": "acme", "metric": "mau", "kind": "limit", "name": "memberships"}
"""What else a path may name, so that the number is what decides."""


@pytest.fixture
def operator(api: Api) -> Iterator[httpx.Client]:
    the_catalogue(api.database)
    with api.database.writing() as session:
        an_organization(session, "acme")
        secret, _ = a_key(session, None)
    with api.program(secret) as client:
        yield client


def cursors(number: int) -> list[str]:
    """Every way in which a cursor of ours holds a number."""
    said: list[Any] = [[number], [str(number)], [str(number), "a", "b"], ["2026-01-01T00:00:00+00:00", str(number)]]
    texts = [json.dumps(each) for each in said] + [f"below {number}"]
    return [base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in texts]


def asked(operations: dict[str, Any], number: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each route with the number in each place of its path and query, one place at a time."""
    for path, methods in operations.items():
        for method, operation in methods.items():
            for place in operation.get("parameters", []):
                if place["in"] not in ("path", "query"):
                    continue
                values = [str(number), *(cursors(number) if place["name"] == "cursor" else [])]
                for value in values:
                    names = PLAUSIBLE | ({place["name"]: value} if place["in"] == "path" else {})
                    filled = path
                    for name in [part.strip("{}") for part in path.split("/") if part.startswith("{")]:
                        filled = filled.replace(f"{{{name}}}", names.get(name, value))
                    yield method, filled, {place["name"]: value} if place["in"] == "query" else {}


def test_no_number_in_a_path_or_a_query_is_a_fault(api: Api, operator: httpx.Client) -> None:
    operations = operator.get("/openapi.json").json()["paths"]
    wrong, seen = [], 0
    for number in (0, -1, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 2**200):
        for method, path, query in asked(operations, number):
            if method == "delete" and path.endswith("/me"):
                continue
            answer = operator.request(
                method, path, params=query, json={} if method in ("post", "put", "patch") else None
            )
            seen += 1
            if answer.status_code >= 500 and answer.status_code != 503:
                wrong.append((method, path, query, answer.status_code))
    assert seen > 500
    assert wrong == []


@pytest.mark.parametrize("number", NUMBERS)
def test_a_version_that_is_not_there_is_said(operator: httpx.Client, number: int) -> None:
    answer = operator.get(f"/admin/catalogue/versions/{number}")
    assert answer.status_code == (404 if 1 <= number < 2**63 else 422)


BODIES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("put", "/admin/catalogue", {"document": {}, "based_on": "?"}),
    ("post", "/admin/catalogue/preview", {"document": {}, "based_on": "?"}),
    ("post", "/organizations/acme/consume", {"action": "send_email", "quantity": "?"}),
    ("post", "/organizations/acme/check", {"limit": "memberships", "quantity": "?"}),
    ("post", "/organizations/acme/check", {"metric": "mau", "quantity": "?"}),
    ("post", "/organizations/acme/reservations", {"metric": "mau", "quantity": "?", "timeout_seconds": 60}),
    ("post", "/organizations/acme/reservations", {"metric": "mau", "quantity": 1, "timeout_seconds": "?"}),
    ("post", "/organizations/acme/usage", {"events": [{"id": "n", "metric": "mau", "quantity": "?"}]}),
    ("put", "/admin/organizations/acme/overrides/limit/memberships", {"value": "?", "reason": "a test"}),
    ("post", "/admin/gift-cards", {"name": "n", "contents": {"mau": "?"}, "count": 1}),
    ("post", "/admin/gift-cards", {"name": "n", "contents": {"mau": 1}, "count": "?"}),
    ("post", "/admin/grants/gr_1/refund", {"amount_cents": "?", "reason": "a test"}),
    ("post", "/admin/organizations/acme/grants", {"metric": "mau", "quantity": "?", "reason": "a test"}),
    ("post", "/admin/organizations/acme/grants", {"metric": "mau", "quantity": 1, "priority": "?", "reason": "a test"}),
    ("put", "/organizations/acme/auto-top-up/mau", {"threshold": "?", "pack": "mau_1000", "count": 1}),
    ("post", "/admin/reconciliation", {"days": "?"}),
    ("post", "/organizations/acme/processes", {"census": "?", "name": "a vote"}),
)  # fmt: skip


def test_no_number_in_a_body_is_a_fault(operator: httpx.Client) -> None:
    wrong = []
    for number in NUMBERS:
        for method, path, body in BODIES:
            sent = json.dumps(body).replace('"?"', str(number))
            headers = {"Content-Type": "application/json", "Idempotency-Key": f"{path}{sent}"[-200:]}
            answer = operator.request(method, path, content=sent, headers=headers)
            if answer.status_code >= 500 and answer.status_code != 503:
                wrong.append((method, path, number, answer.status_code))
    assert wrong == []
