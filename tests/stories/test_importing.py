"""Importing real usage: idempotent, exact, good rows kept, bad ones named by their line."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.services import catalog, history, imports, orgs, verification
from billing_app.settings import ROOT

AIRLINES = ROOT.parent / "shared" / "data"
"""Real usage beside the project, where it is; a user's clone has none."""

FEBRUARY_2013 = datetime(2013, 2, 1, tzinfo=UTC)


@pytest.fixture
def stocked(database: Database) -> Database:
    """A database with the shipped catalogue."""
    with database.writing() as session:
        catalog.load(session, catalog.read_document(ROOT / "plans.json"), clock.now(), "plans.json")
    return database


def written(path: Path, *rows: str) -> Path:
    """A CSV file of these rows."""
    path.write_text("organization,id,metric,quantity,subject,at\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def used(database: Database, address: str, until: datetime) -> dict[str, dict[str, int]]:
    """Use by metric and month."""
    with database.reading() as session:
        organization = orgs.by_address(session, address)
        found = history.history(session, organization, clock.now(), to=until)
    return {
        each.metric: {f"{month.period.start:%Y-%m}": month.used for month in each.months if month.used}
        for each in found
        if any(month.used for month in each.months)
    }


def everything_follows(database: Database) -> bool:
    """Whether `billing verify` finds nothing."""
    with database.reading() as session:
        return not any(
            list(verification.verify(session, orgs.by_address(session, address), clock.now()))
            for address in verification.organizations(session)
        )


def import_file(database: Database, path: Path, *, create: bool = True, backfill: bool = True) -> imports.Imported:
    """Imports a file as the command does."""
    new = imports.NewOrganizations("free") if create else None
    return imports.import_usage(path, database.writing, clock.now, backfill=backfill, create=new)


def test_the_airlines_numbers_come_out(stocked: Database) -> None:
    file = AIRLINES / "usage-airlines-2013q1.csv.gz"
    if not file.exists():
        return  # the same is told on a small scale below
    assert not import_file(stocked, file).bad
    expected = json.loads((AIRLINES / "usage-airlines-2013q1.expected.json").read_text())
    found: dict[str, dict[str, int]] = {}
    for address in {key.split()[0] for key in expected}:
        for metric, months in used(stocked, address, datetime(2013, 4, 1, tzinfo=UTC)).items():
            for month, quantity in months.items():
                found.setdefault(f"{address} {month}", {})[metric] = quantity
    assert found == expected
    assert everything_follows(stocked)


def test_a_month_counts_distinct_subjects_and_adds_quantities(stocked: Database, tmp_path: Path) -> None:
    file = written(
        tmp_path / "usage.csv",
        "acme,1,mau,,ann,2013-01-05T10:00:00Z",
        "acme,2,mau,,ann,2013-01-06T10:00:00Z",
        "acme,3,mau,,bob,2013-01-31T23:59:59Z",
        "acme,4,mau,,ann,2013-02-01T00:00:00Z",
        "acme,5,bandwidth,700,,2013-01-05T10:00:00Z",
        "acme,6,bandwidth,300,,2013-01-05T10:00:01Z",
    )
    outcome = import_file(stocked, file)
    assert (outcome.accepted, outcome.created, outcome.bad) == (6, ["acme"], [])
    assert used(stocked, "acme", datetime(2013, 3, 1, tzinfo=UTC)) == {
        "mau": {"2013-01": 2, "2013-02": 1},
        "bandwidth": {"2013-01": 1000},
    }
    assert everything_follows(stocked)


def test_importing_again_changes_nothing(stocked: Database, tmp_path: Path) -> None:
    file = tmp_path / "usage.csv.gz"
    rows = "organization,id,metric,quantity,subject,at\n" + "".join(
        f"acme,{number},emails,{number},,2013-01-{number:02d}T08:00:00Z\n" for number in range(1, 29)
    )
    file.write_bytes(gzip.compress(rows.encode()))
    assert import_file(stocked, file).accepted == 28
    before = used(stocked, "acme", FEBRUARY_2013)
    again = import_file(stocked, file)
    assert (again.accepted, again.duplicates) == (0, 28)
    assert used(stocked, "acme", FEBRUARY_2013) == before == {"emails": {"2013-01": sum(range(1, 29))}}


def test_bad_rows_are_named_by_their_line_and_the_good_ones_kept(stocked: Database, tmp_path: Path) -> None:
    file = written(
        tmp_path / "usage.csv",
        "acme,1,emails,5,,2013-01-05T10:00:00Z",
        "acme,2,emails,five,,2013-01-05T10:00:00Z",
        "acme,3,faxes,5,,2013-01-05T10:00:00Z",
        "acme,4,emails,5,,yesterday",
        "acme,5,mau,,,2013-01-05T10:00:00Z",
        "acme,6,emails,-50,,2013-01-05T10:00:00Z",
        "acme,1,emails,6,,2013-01-05T10:00:00Z",
        "acme,7,emails,7,,2013-01-05T10:00:00Z",
    )
    outcome = import_file(stocked, file)
    assert outcome.accepted == 2
    assert [(bad.line, bad.code) for bad in outcome.bad] == [
        (3, "invalid_row"),
        (4, "metric_not_found"),
        (5, "invalid_row"),
        (6, "subject_required"),
        (7, "usage_below_zero"),
        (8, "duplicate_differs"),
    ]
    assert used(stocked, "acme", FEBRUARY_2013) == {"emails": {"2013-01": 12}}


def test_old_usage_needs_backfill_and_unknown_organizations_need_to_be_asked_for(
    stocked: Database, tmp_path: Path
) -> None:
    file = written(tmp_path / "usage.csv", "acme,1,emails,5,,2013-01-05T10:00:00Z")
    assert [bad.code for bad in import_file(stocked, file, create=False).bad] == ["organization_not_found"]
    assert [bad.code for bad in import_file(stocked, file, backfill=False).bad] == ["usage_too_old"]
    assert import_file(stocked, file).accepted == 1


def test_the_anchor_is_the_month_of_the_first_event_unless_told(stocked: Database, tmp_path: Path) -> None:
    file = written(
        tmp_path / "usage.csv", "acme,1,emails,5,,2013-03-05T10:00:00Z", "acme,2,emails,5,,2013-01-20T10:00:00Z"
    )
    import_file(stocked, file)
    with stocked.reading() as session:
        assert orgs.by_address(session, "acme").anchor == datetime(2013, 1, 1, tzinfo=UTC)
