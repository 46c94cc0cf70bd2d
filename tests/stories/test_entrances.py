"""The same event through every entrance: JSON, CloudEvents, a CSV file, lines of JSON. One verdict, one sentence."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_app.api.usage.routes import read_events
from billing_app.api.usage.schemas import UsageEvent
from billing_app.db import Database
from billing_app.domain.common.errors import FactRefusedError
from billing_app.domain.usage.reported import Read, ReportedEvent
from billing_app.services.common.context import Context
from billing_app.services.usage import files, reporting
from tests.support.builders import an_organization, the_catalogue

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)

TEXTS = st.one_of(
    st.none(),
    st.sampled_from(
        ["1", "bandwidth", "mau", "sms", "a\x00b", "a\nb", "a\u2028b", "x" * 251, "x" * 300, ' "quoted", ']
    ),
    st.text(min_size=1, max_size=6),
)

NUMBERS = st.one_of(
    st.none(),
    st.sampled_from(
        [0, 1, -1, 2**63 - 1, 2**63, -(2**63), 10**400, 3.0, 1.5, -0.5, "inf", "1_000", "+5", " 5", "٥", "５"]
    ),
    st.integers(),
)

MOMENTS = st.one_of(
    st.none(),
    st.sampled_from(["2026-03-10T11:00:00Z", "2026-03-10T11:00:00+01:00", "2026-03-10T11:00:00", "2026-03-10", "now"]),
    st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-13-01T00:00:00Z", "2026-W10-1T00:00:00Z"]),
    st.sampled_from(["20260310T110000Z", "\u0662026-03-10T11:00:00Z", "2026-03-10T24:00:00Z"]),
)

EVENTS = st.fixed_dictionaries({"id": TEXTS, "metric": TEXTS, "quantity": NUMBERS, "subject": TEXTS, "at": MOMENTS})


def told(sent: dict[str, Any]) -> dict[str, Any]:
    """Only what is said: a file has no other way to leave something out than an empty cell."""
    return {name: value for name, value in sent.items() if value is not None}


def verdict(read: Read) -> tuple[Any, ...]:
    """What became of it, told alike of all."""
    if isinstance(read, FactRefusedError):
        return read.code, read.detail.replace("'", '"')
    return read.metric, read.quantity, read.subject, read.at, (read.id or "").rpartition("/t ")[2]


def over_http(sent: dict[str, Any]) -> Read:
    body = json.dumps({"events": [{"id": "0", "metric": "mau", "subject": "a"}, told(sent)]}).encode()
    return read_events(body, "application/json")[1]


def as_cloud_event(sent: dict[str, Any]) -> Read:
    names = {"id": "id", "metric": "type", "subject": "subject", "at": "time"}
    event: dict[str, Any] = {"specversion": "1.0", "source": "/t"}
    event |= {names[name]: value for name, value in told(sent).items() if name in names}
    event["data"] = {"quantity": sent["quantity"]}
    return read_events(json.dumps([event]).encode(), "application/cloudevents-batch+json")[0]


def in_lines(sent: dict[str, Any], folder: Path) -> Read:
    file = folder / "usage.ndjson"
    file.write_text(json.dumps({"organization": "acme", **told(sent)}) + "\n")
    return next(files.lines(file)).event


def in_csv(sent: dict[str, Any], folder: Path) -> Read:
    file = folder / "usage.csv"
    cells = io.StringIO()
    writer = csv.writer(cells, lineterminator="\n")
    writer.writerow(files.COLUMNS)
    writer.writerow(["acme", *("" if sent[name] is None else sent[name] for name in files.MEMBERS)])
    file.write_text(cells.getvalue(), encoding="utf-8", errors="surrogatepass", newline="")
    return next(files.lines(file)).event


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@given(EVENTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_entrance_says_the_same(folder: Path, sent: dict[str, Any]) -> None:
    said = {name: verdict(found) for name, found in by_entrance(folder, sent)}
    assert len({repr(each) for each in said.values()}) == 1, said


def by_entrance(folder: Path, sent: dict[str, Any]) -> Iterator[tuple[str, Read]]:
    yield "json", over_http(sent)
    yield "cloudevents", as_cloud_event(sent)
    yield "lines", in_lines(sent, folder)
    yield "csv", in_csv(sent, folder)


@given(EVENTS)
def test_what_the_document_allows_is_what_is_read(sent: dict[str, Any]) -> None:
    """The shape in the OpenAPI document and the one reading of events agree."""
    try:
        UsageEvent.model_validate_json(json.dumps(told(sent)))
        allowed = True
    except ValueError:
        allowed = False
    assert isinstance(over_http(sent), ReportedEvent) == allowed


def test_recorded_alike_on_each_database(database: Database, folder: Path) -> None:
    """The verdict of what looks right is the ledger's, and is the same for whoever brings it."""
    the_catalogue(database)
    sent = [
        {"id": "1", "metric": "bandwidth", "quantity": 5.0, "subject": None, "at": "2026-03-10T11:00:00Z"},
        {"id": "2", "metric": "fly", "quantity": 5, "subject": None, "at": None},
        {"id": "3", "metric": "mau", "quantity": 2, "subject": "a", "at": None},
        {"id": "4", "metric": "mau", "quantity": None, "subject": None, "at": None},
        {"id": "5", "metric": "bandwidth", "quantity": 2**63, "subject": None, "at": None},
        {"id": "6", "metric": "bandwidth", "quantity": 1, "subject": None, "at": "2026-01-01T00:00:00Z"},
        {"id": "7", "metric": "mau", "quantity": None, "subject": "a", "at": None},
    ]  # fmt: skip
    said = []
    for place, entrance in enumerate(("json", "cloudevents", "lines", "csv")):
        events = [dict(by_entrance(folder, each))[entrance] for each in sent]
        with database.writing() as session:
            report = reporting.report(Context(session, an_organization(session, f"acme-{place}"), NOW), events)
        said.append((report.accepted, [(each.index, each.code, each.detail) for each in report.rejected]))
    assert said[0][0] == 2
    assert [index for index, _, _ in said[0][1]] == [1, 2, 3, 4, 5]
    assert said == [said[0]] * 4
