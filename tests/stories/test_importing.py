"""Importing real usage: idempotent, exact, good rows kept, bad ones named by their line."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.common.periods import month_start
from billing_app.locations import ROOT
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants, history
from billing_app.services.operators import imports
from billing_app.services.organizations import children
from billing_app.services.verification import verification
from billing_app.store.usage import meters

AIRLINES = ROOT.parent / "shared" / "data"
"""Real usage beside the project, where it is; a user's clone has none."""

FEBRUARY_2013 = datetime(2013, 2, 1, tzinfo=UTC)


@pytest.fixture
def stocked(database: Database) -> Database:
    """A database with the shipped catalogue."""
    with database.writing() as session:
        versions.load(session, versions.read_document(ROOT / "plans.json"), clock.now(), "plans.json")
    return database


def written(path: Path, *rows: str) -> Path:
    """A CSV file of these rows."""
    path.write_text("organization,id,metric,quantity,subject,at\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def used(database: Database, address: str, until: datetime) -> dict[str, dict[str, int]]:
    """Use by metric and month."""
    with database.reading() as session:
        organization = organizations.by_address(session, address)
        found = history.history(Context(session, organization, clock.now()), to=until)
    return {
        each.metric: {f"{month.period.start:%Y-%m}": month.used for month in each.months if month.used}
        for each in found
        if any(month.used for month in each.months)
    }


def everything_follows(database: Database) -> bool:
    """Whether `billing verify` finds nothing."""
    with database.reading() as session:
        return not any(
            list(verification.verify(Context(session, organizations.by_address(session, address), clock.now())))
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
        (3, "invalid_quantity"),
        (4, "metric_not_found"),
        (5, "invalid_at"),
        (6, "subject_required"),
        (7, "usage_below_zero"),
        (8, "idempotency_mismatch"),
    ]
    assert used(stocked, "acme", FEBRUARY_2013) == {"emails": {"2013-01": 12}}


def test_old_usage_needs_backfill_and_unknown_organizations_need_to_be_asked_for(
    stocked: Database, tmp_path: Path
) -> None:
    file = written(tmp_path / "usage.csv", "acme,1,emails,5,,2013-01-05T10:00:00Z")
    assert [bad.code for bad in import_file(stocked, file, create=False).bad] == ["organization_not_found"]
    assert [bad.code for bad in import_file(stocked, file, backfill=False).bad] == ["usage_too_old"]
    assert import_file(stocked, file).accepted == 1


def test_of_two_addresses_that_differ_in_case_the_first_in_the_file_is_made(stocked: Database, tmp_path: Path) -> None:
    rows = [f"{address},1,emails,5,,2013-01-05T10:00:00Z" for address in ("acme", "Acme", "globex", "GLOBEX")]
    outcome = import_file(stocked, written(tmp_path / "usage.csv", *rows))
    assert outcome.created == ["acme", "globex"]
    assert [(bad.line, bad.code) for bad in outcome.bad] == [(3, "address_taken"), (5, "address_taken")]


def test_the_anchor_is_the_month_of_the_first_event_unless_told(stocked: Database, tmp_path: Path) -> None:
    file = written(
        tmp_path / "usage.csv", "acme,1,emails,5,,2013-03-05T10:00:00Z", "acme,2,emails,5,,2013-01-20T10:00:00Z"
    )
    import_file(stocked, file)
    with stocked.reading() as session:
        assert organizations.by_address(session, "acme").anchor == datetime(2013, 1, 1, tzinfo=UTC)


GOOD = "acme,1,emails,5,,2013-01-05T10:00:00Z"

BAD = {
    "acme,2,emails,5,": "invalid_row",
    "acme,2,emails,5,,2013-01-05T10:00:00Z,": "invalid_row",
    "acme,2": "invalid_row",
    'acme,"2,emails,5,,2013-01-05T10:00:00Z': "invalid_row",
    'acme,"2"x,emails,5,,2013-01-05T10:00:00Z': "invalid_row",
    'acme,"2\n3",emails,5,,2013-01-05T10:00:00Z': "invalid_id",
    "acme,2\x00,emails,5,,2013-01-05T10:00:00Z": "invalid_id",
    "acme,,emails,5,,2013-01-05T10:00:00Z": "invalid_id",
    "acme,2\udcff,emails,5,,2013-01-05T10:00:00Z": "invalid_id",
    f"acme,{'x' * 140_000},emails,5,,2013-01-05T10:00:00Z": "invalid_row",
    "acme,2,,5,,2013-01-05T10:00:00Z": "invalid_metric",
    "acme,2,emails,\u0665,,2013-01-05T10:00:00Z": "invalid_quantity",
    "acme,2,emails,\uff15,,2013-01-05T10:00:00Z": "invalid_quantity",
    "acme,2,emails,1_000,,2013-01-05T10:00:00Z": "invalid_quantity",
    "acme,2,emails, 5,,2013-01-05T10:00:00Z": "invalid_quantity",
    "acme,2,emails,+5,,2013-01-05T10:00:00Z": "invalid_quantity",
    "acme,2,emails,--5,,2013-01-05T10:00:00Z": "invalid_quantity",
    "acme,2,emails,1e3,,2013-01-05T10:00:00Z": "invalid_quantity",
    "acme,2,emails,inf,,2013-01-05T10:00:00Z": "invalid_quantity",
    "acme,2,emails,1.5,,2013-01-05T10:00:00Z": "invalid_quantity",
    "acme,2,emails,9223372036854775808,,2013-01-05T10:00:00Z": "quantity_too_large",
    f"acme,2,emails,{'9' * 5_000},,2013-01-05T10:00:00Z": "quantity_too_large",
    "acme,2,emails,5,,2013-01-05T10:00:00": "invalid_at",
    "acme,2,emails,5,,2013-01-05": "invalid_at",
    "acme,2,emails,5,,0001-01-01T00:00:00+14:00": "invalid_at",
    "acme,2,emails,5,,9999-12-31T23:59:59-14:00": "invalid_at",
    "acme,2,emails,5,,\u0662013-01-05T10:00:00Z": "invalid_at",
    "a cme,2,emails,5,,2013-01-05T10:00:00Z": "organization_not_found",
    ",2,emails,5,,2013-01-05T10:00:00Z": "organization_not_found",
}


@pytest.mark.parametrize("row", BAD, ids=range(len(BAD)))
def test_what_is_wrong_with_a_row_is_its_own_mistake(stocked: Database, tmp_path: Path, row: str) -> None:
    file = tmp_path / "usage.csv"
    text = f"organization,id,metric,quantity,subject,at\n{GOOD}\n{row}\n{GOOD.replace('1', '3', 1)}\n"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    for accepted in (2, 0):  # importing again changes nothing
        outcome = import_file(stocked, file)
        assert (outcome.accepted, [(bad.line, bad.code) for bad in outcome.bad]) == (accepted, [(3, BAD[row])])
    assert used(stocked, "acme", FEBRUARY_2013) == {"emails": {"2013-01": 10}}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_byte_order_mark_is_read(stocked: Database, tmp_path: Path, encoding: str, packed: bool) -> None:
    text = f"organization,id,metric,quantity,subject,at\r\n{GOOD}\r\n".encode(encoding)
    file = tmp_path / "usage"
    file.write_bytes(gzip.compress(text) if packed else text)
    assert (import_file(stocked, file).accepted, import_file(stocked, file).duplicates) == (1, 1)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_lines_of_json_are_read_as_well(stocked: Database, tmp_path: Path, mark: str) -> None:
    event = {"organization": "acme", "id": "1", "metric": "emails", "quantity": 5, "at": "2013-01-05T10:00:00Z"}
    wrong = [{**event, "id": ""}, {**event, "quantity": "5"}, {**event, "quantitiy": 5}, {**event, "organization": 5}]
    rows = [json.dumps(event), "", "{", "[]", *map(json.dumps, wrong), json.dumps({**event, "id": "2"})]
    file = tmp_path / "usage.ndjson.gz"
    file.write_bytes(gzip.compress((mark + "\n".join(rows)).encode()))
    outcome = import_file(stocked, file)
    assert outcome.accepted == 2
    assert [(bad.line, bad.code) for bad in outcome.bad] == [
        (3, "invalid_row"),
        (4, "invalid_event"),
        (5, "invalid_id"),
        (6, "invalid_quantity"),
        (7, "invalid_event"),
        (8, "organization_not_found"),
    ]


@pytest.mark.parametrize(
    "header",
    ["organization,metric,quantity,at", "organization,id,id,metric,at", "organization,id,metric,quantitiy,at", "", "{"],
)
def test_a_file_with_other_columns_is_refused(stocked: Database, tmp_path: Path, header: str) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(f"{header}\nacme,1,emails,5,2013-01-05T10:00:00Z\n")
    if header == "{":
        assert [bad.line for bad in import_file(stocked, file).bad] == [1, 2]
        return
    with pytest.raises(InvalidError) as refused:
        import_file(stocked, file)
    assert refused.value.code == "invalid_file"
    assert "organization,id,metric" in refused.value.detail


def test_a_damaged_archive_is_told(stocked: Database, tmp_path: Path) -> None:
    whole = gzip.compress(f"organization,id,metric,quantity,subject,at\n{GOOD}\n".encode())
    for damaged in (whole[:-9], whole[:20] + b"\xff" * 20 + whole[40:]):
        file = tmp_path / "usage.csv.gz"
        file.write_bytes(damaged)
        with pytest.raises(InvalidError):
            import_file(stocked, file)


def test_what_a_part_used_is_right_at_whoever_pays(stocked: Database, tmp_path: Path) -> None:
    """The meter is the payer's: after an import nobody has to look at it first, and its pages have heard of it."""
    today = clock.now()
    with stocked.writing() as session:
        acme = organizations.create(session, today, address="acme", anchor=month_start(today))
        grants.change_plan(Context(session, acme, today), "pro")
        children.create(Context(session, acme, today, "ada"), name="North", address="north")
        seen = organizations.revisions_by_address(session, ["acme", "north"])
    file = written(tmp_path / "usage.csv", f"north,1,emails,7,,{clock.now().isoformat()}")
    assert import_file(stocked, file, create=False, backfill=False).accepted == 1
    with stocked.reading() as session:
        owner = organizations.by_address(session, "acme").pk
        row = meters.read(session, owner, "emails")
        assert row is not None
        assert (row.stale, row.used, row.changed) == (False, 7, False)
        now = organizations.revisions_by_address(session, ["acme", "north"])
        assert all(now[address] > seen[address] for address in seen)


def test_a_deactivated_organization_s_rows_are_bad_and_the_others_kept(stocked: Database, tmp_path: Path) -> None:
    now = clock.now()
    with stocked.writing() as session:
        for address in ("acme", "closed"):
            made = organizations.create(session, now, address=address, anchor=month_start(now))
            made.active = address != "closed"
            session.add(made)
    at = now.isoformat()
    rows = [f"acme,1,emails,5,,{at}", f"closed,1,emails,5,,{at}", f"acme,2,emails,6,,{at}", f"closed,2,emails,x,,{at}"]
    file = written(tmp_path / "usage.csv", *rows)
    outcome = import_file(stocked, file, create=False, backfill=False)
    assert (outcome.rows, outcome.accepted) == (4, 2)
    assert [(bad.line, bad.code) for bad in outcome.bad] == [(3, "organization_inactive"), (5, "organization_inactive")]
    assert outcome.bad[0].detail.endswith("is deactivated: nothing more is allowed.")
    assert import_file(stocked, file, create=False, backfill=True).accepted == 1
