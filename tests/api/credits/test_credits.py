"""Reading balances, grants, ledger and history, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF8
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from billing_app.api.common.csv_answers import written
from billing_app.domain.common.texts import FORMULA_STARTS
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants as credit_service
from tests.api.common.test_access_matrix import MATRIX
from tests.api.conftest import Api
from tests.support.builders import NOON, a_key, an_organization, the_catalogue

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def program(api: Api):
    """A program of acme, which is on the default plan, sent 750 of its 250 e-mails and had a pack of 2,000."""
    the_catalogue(api.database)
    with api.database.writing() as session:
        acme = an_organization(session, "acme")
        an_organization(session, "globex")
        secret, _ = a_key(session, acme)
        grant(session, acme, "gr_first", 2_000, NOON - timedelta(days=5), paid_cents=1_900)
        grant(session, acme, "gr_second", 500, NOON - timedelta(days=2), reason="=HYPERLINK(sorry)")
    with api.program(secret) as client:
        post_usage(client, {"id": "1", "metric": "emails", "quantity": 250, "at": "2026-03-09T00:00:00Z"})
        post_usage(client, {"id": "2", "metric": "emails", "quantity": 500, "at": "2026-03-10T00:00:00Z"})
        yield client


def grant(
    session: Any, organization: Any, name: str, quantity: int, at: datetime, *, reason: str = "Pack", actor: str = "",
    **more: Any,
) -> None:  # fmt: skip
    new = credit_service.NewGrant("emails", quantity, "operator", source_key=name, reason=reason, id=name, **more)
    credit_service.grant(Context(session, organization, at, actor), new)


def post_usage(client: httpx.Client, event: dict[str, Any]) -> None:
    answer = client.post("/organizations/acme/usage", json={"events": [event]})
    assert answer.json()["accepted"] == 1, answer.text


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(BOM_UTF8), "Excel would take it for another character set"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_balances_say_where_each_metric_stands(program: httpx.Client) -> None:
    items = {item["metric"]: item for item in program.get("/organizations/acme/balances").json()["items"]}
    assert list(items) == ["mau", "storage", "bandwidth", "emails", "sms"]
    emails = items["emails"]
    assert (emails["used"], emails["allowance"], emails["credits"], emails["debt"]) == (750, 250, 2_000, 0)
    assert emails["state"] == "using_credits"
    assert emails["next_expiry"] == {"at": "2027-03-05T12:00:00Z", "quantity": 1_500}
    assert emails["runs_out_on"] is None, "two days of use are no pace yet"
    assert items["sms"]["state"] == "blocked"


def test_balances_say_since_when_nothing_is_left(program: httpx.Client) -> None:
    post_usage(program, {"id": "3", "metric": "emails", "quantity": 3_000, "at": "2026-03-10T09:00:00Z"})
    emails = program.get("/organizations/acme/balances").json()["items"][3]
    assert (emails["state"], emails["credits"], emails["runs_out_on"]) == ("blocked", 0, "2026-03-10T09:00:00Z")
    then = program.get("/organizations/acme/balances", params={"as_of": "2026-03-10T08:00:00Z"}).json()["items"][3]
    assert (then["state"], then["runs_out_on"]) == ("using_credits", None)


def test_balances_as_of_another_moment(program: httpx.Client) -> None:
    answer = program.get("/organizations/acme/balances", params={"as_of": "2026-03-09T12:00:00Z"})
    emails = answer.json()["items"][3]
    assert (emails["used"], emails["credits"], emails["state"]) == (250, 2_500, "ok")


def test_grants_say_where_their_credits_are(program: httpx.Client) -> None:
    items = program.get("/organizations/acme/grants").json()["items"]
    assert [item["id"] for item in items] == ["gr_second", "gr_first"]
    second, first = items
    assert (first["quantity"], first["burned"], first["left"], first["paid_cents"]) == (2_000, 500, 1_500, 1_900)
    assert (second["burned"], second["left"]) == (0, 500)


def test_history_says_what_paid_for_each_month(program: httpx.Client) -> None:
    items = program.get("/organizations/acme/history", params={"metric": "emails"}).json()["items"]
    march = items[-1]
    assert march["start"] == "2026-03-01T00:00:00Z"
    assert (march["used"], march["covered"], march["burned"], march["deficit"]) == (750, 250, 500, 0)
    assert march["burned_from"] == [{"grant": "gr_first", "quantity": 500}]
    assert len(items) == 13


def test_history_to_an_earlier_end(program: httpx.Client) -> None:
    items = program.get(
        "/organizations/acme/history", params={"metric": "emails", "to": "2026-03-01T00:00:00Z"}
    ).json()["items"]
    assert items[-1]["start"] == "2026-02-01T00:00:00Z"


def test_the_ledger_is_read_page_by_page(program: httpx.Client, api: Api) -> None:
    with api.database.writing() as session:
        acme = organizations.by_address(session, "acme")
        for number in range(7):
            grant(session, acme, f"gr_{number}", 10, NOON)
    whole = program.get("/organizations/acme/ledger", params={"limit": 200}).json()
    assert whole["next_cursor"] is None
    numbers = [item["number"] for item in whole["items"]]
    assert numbers == sorted(numbers, reverse=True)
    read, cursor = [], None
    while True:
        page = program.get(
            "/organizations/acme/ledger", params={"limit": 3, **({"cursor": cursor} if cursor else {})}
        ).json()
        read += [item["number"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert read == numbers


def test_the_ledger_is_narrowed(program: httpx.Client) -> None:
    grants = program.get("/organizations/acme/ledger", params={"kind": "grant", "metric": "emails"}).json()["items"]
    assert {item["kind"] for item in grants} == {"grant"}
    assert program.get("/organizations/acme/ledger", params={"to": "2020-01-01T00:00:00Z"}).json()["items"] == []
    of_second = program.get("/organizations/acme/ledger", params={"grant": "gr_second"}).json()["items"]
    assert {item["grant_id"] for item in of_second} == {"gr_second"}


STRANGE_CURSORS = ("nonsense", "e30", "WyJhIl0", "WzFd" * 200, "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ", "\x00", "W3RydWVd")


def test_a_cursor_that_is_not_ours_is_refused(program: httpx.Client) -> None:
    for cursor in STRANGE_CURSORS:
        answer = program.get("/organizations/acme/ledger", params={"cursor": cursor})
        assert answer.status_code in {404, 422}, cursor
        assert answer.json()["code"] in {"cursor_not_found", "invalid_fields"}


STRANGE_QUERIES = (
    {"limit": "0"},
    {"limit": "201"},
    {"from": "yesterday"},
    {"from": "5"},
    {"from": "2026-01-01T00:00:00"},
    {"kind": "gift"},
    {"limti": "5"},
    {"metric": "a\x00b"},
)


def test_a_query_that_cannot_be_meant_is_refused(program: httpx.Client) -> None:
    for query in STRANGE_QUERIES:
        answer = program.get("/organizations/acme/ledger", params=query)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_fields"), query


def test_moments_out_of_range_are_refused_not_bent(program: httpx.Client) -> None:
    for route, name in (("ledger", "from"), ("ledger", "to"), ("balances", "as_of"), ("history", "to")):
        for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
            answer = program.get(f"/organizations/acme/{route}", params={name: moment})
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_fields"), (route, moment)


def test_an_unknown_metric_is_not_found(program: httpx.Client) -> None:
    for list_of in ("grants", "history"):
        answer = program.get(f"/organizations/acme/{list_of}", params={"metric": "nonsense"})
        assert (answer.status_code, answer.json()["code"]) == (404, "metric_not_found")


def test_csv_and_json_are_the_same_figures(program: httpx.Client) -> None:
    for list_of in ("balances", "grants", "ledger", "history"):
        same_figures(program, list_of)


def same_figures(program: httpx.Client, list_of: str) -> None:
    items = program.get(f"/organizations/acme/{list_of}").json()["items"]
    answer = program.get(f"/organizations/acme/{list_of}.csv")
    rows = rows_of(answer)
    assert answer.headers["content-disposition"] == f'attachment; filename="acme-{list_of}.csv"'
    assert len(rows) == len(items) > 0
    units = {each["id"]: each["unit"] for each in program.get("/metrics").json()["items"]} | {"token": "tokens"}
    assert [row["unit"] for row in rows] == [units[row["metric"]] for row in rows]
    for item, row in zip(items, rows, strict=True):
        for name, value in item.items():
            if name in row and name != "reason":
                assert row[name] == ("" if value is None else str(value)), name


def test_a_long_ledger_is_streamed_whole(program: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing_app.api.credits.downloads.LEDGER_PAGE", 1)
    rows = rows_of(program.get("/organizations/acme/ledger.csv"))
    assert [row["number"] for row in rows] == [
        str(item["number"] or "") for item in program.get("/organizations/acme/ledger").json()["items"]
    ]


def test_a_reason_that_is_a_formula_stays_text_in_a_spreadsheet(program: httpx.Client) -> None:
    rows = rows_of(program.get("/organizations/acme/grants.csv"))
    assert "'=HYPERLINK(sorry)" in [row["reason"] for row in rows]


@pytest.mark.parametrize("route", [route for route in MATRIX if route.endswith(".csv")])
def test_no_download_has_a_cell_that_would_be_computed(api: Api, program: httpx.Client, route: str) -> None:
    """Whoever writes a reason, or has such an e-mail address; and the file's name is an address and a word."""
    with api.database.writing() as session:
        acme = organizations.by_address(session, "acme")
        for number, start in enumerate(FORMULA_STARTS):
            actor = f"{start.strip() or '='}1+1@example.org"
            grant(session, acme, f"gr_{number}", 1, MARCH, reason=f"{start}1+1", actor=actor)
    answer = program.get(route.split()[1].format(address="acme"))
    cells = [cell for row in csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))) for cell in row]
    assert answer.status_code == 200
    assert len(cells) > 10
    assert [cell for cell in cells if cell.startswith(FORMULA_STARTS) and not cell.lstrip("-").isdigit()] == []
    assert re.fullmatch(r'attachment; filename="acme-[a-z]+\.csv"', answer.headers["content-disposition"])


@pytest.mark.parametrize(
    ("cell", "text"),
    [("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t=1"), ("fine", "fine"),
     (-5, "-5"), (None, ""), (MARCH, "2026-03-01T00:00:00Z")],
)  # fmt: skip
def test_only_texts_can_be_formulas(cell: Any, text: str) -> None:
    assert written(cell) == text


def test_the_ledger_ends_with_what_is_not_posted_so_that_its_sum_is_the_balance(program: httpx.Client) -> None:
    balance = next(
        each for each in program.get("/organizations/acme/balances").json()["items"] if each["metric"] == "emails"
    )
    items = program.get("/organizations/acme/ledger", params={"metric": "emails"}).json()["items"]
    assert sum(item["quantity"] for item in items) == balance["credits"] - balance["debt"] == 2_000
    waiting, *entries = items
    assert (waiting["kind"], waiting["number"], waiting["recorded_at"]) == ("unposted", None, None)
    assert (waiting["quantity"], waiting["balance_after"]) == (-500, 2_000)
    assert "posts at" in waiting["reason"]
    assert all(item["number"] for item in entries)
    rows = rows_of(program.get("/organizations/acme/ledger.csv"))
    assert sum(int(row["quantity"]) for row in rows) == 2_000
    assert (rows[0]["kind"], rows[0]["number"]) == ("unposted", "")


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_pages_of_the_ledger_hold_the_computed_line_once(program: httpx.Client, limit: int) -> None:
    whole = program.get("/organizations/acme/ledger", params={"limit": 200}).json()["items"]
    read: list[Any] = []
    query: dict[str, Any] = {"limit": limit}
    while query:
        page = program.get("/organizations/acme/ledger", params=query).json()
        assert 0 < len(page["items"]) <= limit
        read += page["items"]
        query = {"limit": limit, "cursor": page["next_cursor"]} if page["next_cursor"] else {}
    assert read == whole
    assert [item["kind"] for item in read].count("unposted") == 1


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ({}, True), ({"kind": "burn"}, True), ({"kind": "grant"}, False), ({"metric": "sms"}, False),
        ({"grant": "gr_first"}, False), ({"to": "2026-03-01T00:00:00Z"}, False),
        ({"from": "2026-03-01T00:00:00Z"}, True),
        ({"from": "2030-01-01T00:00:00Z"}, False),
    ],
)  # fmt: skip
def test_filters_leave_the_computed_line_where_it_belongs(
    program: httpx.Client, query: dict[str, str], there: bool
) -> None:
    for items in (
        program.get("/organizations/acme/ledger", params=query).json()["items"],
        rows_of(program.get("/organizations/acme/ledger.csv", params=query)),
    ):
        assert any(item["kind"] == "unposted" for item in items) == there
