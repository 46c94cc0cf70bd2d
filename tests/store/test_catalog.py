"""Versions of the catalogue: which one held when, and what loading one does."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from billing_app.db import Database
from billing_app.domain.catalogue import (
    Catalog,
    CatalogInvalidError,
    CatalogRefusedError,
    CatalogUse,
    parse_catalog,
    to_document,
)
from billing_app.domain.common.errors import ConflictError, UnavailableError
from billing_app.services.catalogue import files
from billing_app.services.catalogue import versions as catalogues
from billing_app.services.catalogue.versions import LoadResult
from billing_app.store.catalogue import versions as store
from billing_app.store.tables.catalogue import CatalogueVersion
from billing_app.store.tables.credits import GrantRow, PlanChange
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.organizations import Organization
from billing_app.store.tables.usage import UsageHour
from tests.domain.catalogue.documents import pack, plan, small_catalog, small_document

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def priced(month_cents: int) -> dict[str, Any]:
    """The small catalogue with another price for pro: the edit of these tests."""
    document = small_document()
    document["plans"][1]["prices"]["month"] = month_cents
    return document


def without_pro() -> dict[str, Any]:
    document = small_document()
    del document["plans"][1]
    return document


def price_of(catalog: Catalog) -> int | None:
    return catalog.plan("pro").prices.month_cents


def load(database: Database, document: dict[str, Any], now: datetime, **options: Any) -> LoadResult:
    with database.writing() as session:
        return catalogues.load(session, document, now, "plans.json", **options)


def price_at(database: Database, moment: datetime) -> int | None:
    with database.reading() as session:
        return price_of(catalogues.current(session, moment))


def organization_on(session: Session, plan_id: str) -> int:
    found = Organization(address=f"on-{plan_id}", name=plan_id, anchor=JANUARY, created_at=JANUARY)
    session.add(found)
    session.flush()
    assert found.id is not None
    session.add(PlanChange(organization_id=found.id, number=1, plan=plan_id, at=JANUARY, recorded_at=JANUARY))
    return found.id


def grant_of(organization_id: int, **changed: Any) -> GrantRow:
    fields: dict[str, Any] = {
        "organization_id": organization_id,
        "id": "g1",
        "metric": "mau",
        "quantity": 10,
        "effective_at": JANUARY,
        "created_at": JANUARY,
        "recorded_at": JANUARY,
        "source": "purchase",
        "source_key": "cs_1",
    }
    return GrantRow(**fields | changed)


def stale_meters(database: Database) -> list[bool]:
    with database.reading() as session:
        return list(session.exec(select(MeterRow.stale)))


# Which version holds.


def test_before_anything_is_loaded_there_is_no_catalogue_and_the_way_out_is_named(database: Database) -> None:
    with database.reading() as session, pytest.raises(UnavailableError, match="billing catalogue load") as caught:
        catalogues.current(session, JANUARY)
    assert caught.value.code == "catalogue_missing"


def test_each_version_holds_until_the_next(database: Database) -> None:
    for moment, cents in ((JANUARY, 100), (FEBRUARY, 200), (MARCH, 300)):
        load(database, priced(cents), moment)
    assert price_at(database, FEBRUARY - timedelta(microseconds=1)) == 100
    assert price_at(database, FEBRUARY) == 200
    assert price_at(database, APRIL) == 300


def test_the_first_version_has_always_been_held(database: Database) -> None:
    load(database, priced(100), FEBRUARY)
    load(database, priced(200), MARCH)
    assert price_at(database, datetime(2013, 1, 1, tzinfo=UTC)) == 100


def test_the_timeline_names_every_version_that_held(database: Database) -> None:
    load(database, priced(100), JANUARY)
    load(database, priced(200), FEBRUARY)
    with database.reading() as session:
        assert [(moment, price_of(catalog)) for moment, catalog in catalogues.timeline(session)] == [
            (JANUARY, 100),
            (FEBRUARY, 200),
        ]
        newest_first = store.history(session, limit=10)
        assert [(head.version, head.source) for head in newest_first] == [(2, "plans.json"), (1, "plans.json")]
        assert [head.version for head in store.history(session, limit=10, before=2)] == [1]


def test_a_stored_version_is_given_back_whole(database: Database) -> None:
    load(database, small_document(), JANUARY)
    catalogues._parsed.clear()
    with database.reading() as session:
        assert catalogues.current(session, JANUARY) == small_catalog()


def test_a_version_is_parsed_once_and_two_databases_do_not_mix(database: Database, tmp_path: Path) -> None:
    load(database, priced(100), JANUARY)
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    CatalogueVersion.metadata.create_all(other.engine)
    load(other, priced(200), JANUARY)
    assert (price_at(database, JANUARY), price_at(other, JANUARY)) == (100, 200)
    with database.reading() as session:
        assert catalogues.current(session, JANUARY) is catalogues.current(session, JANUARY)
    other.close()


# A correction takes the place of what it corrects.


def correction(document: dict[str, Any], *, version: int, corrects: int, effective_at: datetime) -> CatalogueVersion:
    return CatalogueVersion(
        version=version,
        document=json.dumps(to_document(parse_catalog(document, "test"))),
        digest=f"digest {version}",
        effective_at=effective_at,
        recorded_at=APRIL,
        source="operator",
        corrects=corrects,
    )


def test_a_corrected_version_holds_as_if_the_wrong_one_never_had(database: Database) -> None:
    load(database, priced(100), JANUARY)
    load(database, priced(9_999), FEBRUARY)
    load(database, priced(300), MARCH)
    with database.writing() as session:
        store.add(session, correction(priced(200), version=4, corrects=2, effective_at=FEBRUARY))
    assert [price_at(database, moment) for moment in (JANUARY, FEBRUARY, MARCH, APRIL)] == [100, 200, 300, 300]
    with database.reading() as session:
        assert [head.version for head in store.timeline(session)] == [1, 4, 3]
        assert [head.version for head in store.history(session, limit=10)] == [4, 3, 2, 1]


def test_a_correction_of_a_correction_corrects_the_correction(database: Database) -> None:
    load(database, priced(1), JANUARY)
    with database.writing() as session:
        store.add(session, correction(priced(2), version=2, corrects=1, effective_at=JANUARY))
        store.add(session, correction(priced(3), version=3, corrects=2, effective_at=JANUARY))
    assert price_at(database, JANUARY) == 3
    with pytest.raises(IntegrityError), database.writing() as session:
        store.add(session, correction(priced(4), version=4, corrects=1, effective_at=JANUARY))


# Loading.


def test_the_first_load_writes_version_1(database: Database) -> None:
    result = load(database, small_document(), JANUARY)
    assert (result.version, result.written, result.changes) == (1, True, ())


def test_loading_the_same_again_writes_nothing_however_it_is_arranged(database: Database) -> None:
    load(database, small_document(), JANUARY)
    again = dict(reversed(small_document().items()))
    result = load(database, again, FEBRUARY)
    assert (result.version, result.written, result.changes) == (1, False, ())


def test_an_edit_is_a_new_version_with_its_changes(database: Database) -> None:
    load(database, priced(100), JANUARY)
    result = load(database, priced(200), FEBRUARY)
    assert (result.version, result.written) == (2, True)
    assert [(change.path, change.before, change.after) for change in result.changes] == [
        ("plans.pro.prices.month", 100, 200)
    ]


def test_a_preview_says_what_a_load_would_do_and_writes_nothing(database: Database) -> None:
    load(database, priced(100), JANUARY)
    with database.reading() as session:
        result = catalogues.preview(session, priced(200), FEBRUARY, "plans.json")
    assert (result.version, result.written, len(result.changes)) == (1, False, 1)
    assert price_at(database, MARCH) == 100


def test_a_wrong_document_writes_nothing_and_says_everything(database: Database) -> None:
    document = priced(-1)
    document["packs"][0]["metric"] = "maus"
    with pytest.raises(CatalogInvalidError) as caught:
        load(database, document, JANUARY)
    assert len(caught.value.mistakes) == 2
    with database.reading() as session:
        assert store.history(session, limit=10) == []


def test_a_clock_that_is_behind_does_not_put_an_edit_before_the_one_it_was_made_on(database: Database) -> None:
    load(database, priced(100), MARCH)
    load(database, priced(200), FEBRUARY)
    assert price_at(database, MARCH) == 200


def test_an_edit_makes_every_meter_be_computed_anew_and_no_edit_leaves_them(database: Database) -> None:
    load(database, priced(100), JANUARY)
    with database.writing() as session:
        organization_id = organization_on(session, "pro")
        session.add(
            MeterRow(
                organization_id=organization_id, metric="mau", stale=False, valid_from=JANUARY, valid_until=FEBRUARY
            )
        )
    load(database, priced(100), FEBRUARY)
    assert stale_meters(database) == [False]
    load(database, priced(200), FEBRUARY)
    assert stale_meters(database) == [True]


def test_many_replicas_that_start_together_write_one_version(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: load(database, small_document(), JANUARY), range(8)))
    assert sum(result.written for result in results) == 1
    assert {result.version for result in results} == {1}


# What is in use.


def test_what_facts_refer_to_is_used(database: Database) -> None:
    asked = CatalogUse(
        metrics=frozenset({"mau", "storage", "sms"}), plans=frozenset({"pro", "free"}), packs=frozenset({"a", "b"})
    )
    with database.writing() as session:
        organization_id = organization_on(session, "pro")
        session.add(grant_of(organization_id, pack="a"))
        session.add(
            UsageHour(
                organization_id=organization_id, metric="storage", hour=JANUARY, quantity=1, last_at=JANUARY,
                recorded_at=JANUARY,
            )
        )  # fmt: skip
    with database.reading() as session:
        assert store.used(session, asked) == CatalogUse(
            metrics=frozenset({"mau", "storage"}), plans=frozenset({"pro"}), packs=frozenset({"a"})
        )


def test_a_plan_in_use_that_a_file_drops_is_retired_and_stays_so(database: Database) -> None:
    load(database, small_document(), JANUARY)
    with database.writing() as session:
        organization_on(session, "pro")
    result = load(database, without_pro(), FEBRUARY)
    assert result.kept == ("plans.pro",)
    assert [change.path for change in result.changes] == ["plans.pro.retired"]
    assert load(database, without_pro(), MARCH).written is False
    with database.reading() as session:
        assert catalogues.current(session, MARCH).plan("pro").retired


def test_a_plan_that_nobody_ever_had_is_removed(database: Database) -> None:
    load(database, small_document(), JANUARY)
    assert [change.path for change in load(database, without_pro(), FEBRUARY).changes] == ["plans.pro"]


def test_an_edit_against_the_facts_is_refused_with_its_reason(database: Database) -> None:
    load(database, small_document(), JANUARY)
    with database.writing() as session:
        session.add(grant_of(organization_on(session, "free")))
    document = small_document()
    document["metrics"][0]["aggregation"] = "sum"
    with pytest.raises(CatalogRefusedError) as caught:
        load(database, document, FEBRUARY)
    assert caught.value.status == 409
    assert [mistake.path for mistake in caught.value.mistakes] == ["metrics.mau.aggregation"]


# The file against the editor: nobody's edit is lost silently.


@pytest.fixture
def edited(database: Database) -> Database:
    """Loaded from a file in January at 100, edited on the pages in February to 200."""
    load(database, priced(100), JANUARY)
    load(database, priced(200), FEBRUARY, from_file=False)
    return database


def test_a_start_with_the_same_file_keeps_what_was_edited_since(edited: Database) -> None:
    result = load(edited, priced(100), MARCH)
    assert (result.edits_kept, result.written, result.version) == (True, False, 2)
    assert price_at(edited, MARCH) == 200


def test_a_changed_file_that_would_undo_an_edit_is_refused_with_the_place(edited: Database) -> None:
    with pytest.raises(ConflictError, match=r"plans\.pro\.prices\.month") as caught:
        load(edited, priced(300), MARCH)
    assert caught.value.code == "catalogue_conflict"
    assert price_at(edited, MARCH) == 200


def test_a_changed_file_replaces_edits_when_told_to(edited: Database) -> None:
    assert load(edited, priced(100), MARCH, replace=True).written
    assert price_at(edited, MARCH) == 100


def test_a_changed_file_that_contains_the_edits_is_loaded(edited: Database) -> None:
    document = priced(200)
    document["packs"].append(pack("mau-1m", quantity=10**6, price_cents=60_000))
    assert [change.path for change in load(edited, document, MARCH).changes] == ["packs.mau-1m"]


def test_an_exported_catalogue_becomes_the_file_that_edits_are_measured_against(edited: Database) -> None:
    exported = to_document(small_catalog(**priced(200)))
    assert not load(edited, exported, MARCH).written
    load(edited, priced(250), MARCH, from_file=False)
    assert load(edited, exported, APRIL).edits_kept


def test_a_file_can_t_silently_remove_a_plan_that_was_added_on_the_pages(edited: Database) -> None:
    document = priced(200)
    document["plans"].append(plan("team"))
    load(edited, document, MARCH, from_file=False)
    reworded = priced(200)
    reworded["plans"][0]["description"] = "New words."
    with pytest.raises(ConflictError, match=r"plans\.team"):
        load(edited, reworded, APRIL)


def test_an_edit_on_the_pages_is_never_in_conflict_with_itself(edited: Database) -> None:
    assert load(edited, priced(400), MARCH, from_file=False).written


# The file on disk.


def test_a_file_is_read_by_its_name_and_its_mistakes_carry_it(tmp_path: Path) -> None:
    path = tmp_path / "plans.json"
    path.write_text("{")
    for broken in (path, tmp_path / "none.json", tmp_path):
        with pytest.raises(CatalogInvalidError) as caught:
            catalogues.read_document(broken)
        assert caught.value.mistakes[0].place.startswith(broken.name)


def test_a_file_too_large_for_a_catalogue_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "plans.json"
    path.write_bytes(b" " * (files.MAX_FILE_BYTES + 1))
    with pytest.raises(CatalogInvalidError, match="is larger than"):
        catalogues.read_document(path)
