"""What a start does with plans.json: nobody's edit is lost, and two who edited are no reason to stay down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from billing_app import clock
from billing_app.domain.catalogue import CatalogInvalidError, to_document
from billing_app.launcher import start
from billing_app.services.catalogue import versions
from billing_app.services.operators import catalogue_edits
from billing_app.settings import Settings
from tests.domain.catalogue.documents import small_document


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """A console of its own with the small catalogue as its file."""
    file = tmp_path / "plans.json"
    file.write_text(json.dumps(small_document()))
    return Settings(_env_file=None, database_url=database_url, catalogue_file=file)


def started(settings: Settings) -> dict[str, Any]:
    """The catalogue in force after a start."""
    database = start.prepared(settings)
    try:
        with database.reading() as session:
            return to_document(versions.current(session, clock.now()))
    finally:
        database.close()


def edit(settings: Settings, **changed: Any) -> None:
    """An operator's edit on the pages."""
    database = start.prepared(settings)
    with database.writing() as session:
        head, current = catalogue_edits.editing(session, clock.now())
        catalogue_edits.save(session, to_document(current) | changed, clock.now(), based_on=head.version)
    database.close()


def rewrite(settings: Settings, **changed: Any) -> None:
    settings.catalogue_file.write_text(json.dumps(small_document() | changed))


def test_the_same_file_leaves_edits_alone(settings: Settings) -> None:
    started(settings)
    edit(settings, grace_days=9)
    assert started(settings)["grace_days"] == 9


def test_a_changed_file_is_loaded_beside_edits_of_other_places(settings: Settings) -> None:
    started(settings)
    edit(settings, grace_days=9)
    rewrite(settings, grace_days=9, token_rates=[])
    after = started(settings)
    assert (after["grace_days"], after["token_rates"]) == (9, [])


def test_a_file_that_would_undo_an_edit_is_told_and_not_loaded(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    started(settings)
    edit(settings, grace_days=9)
    rewrite(settings, grace_days=3, token_rates=[])
    after = started(settings)
    assert (after["grace_days"], len(after["token_rates"])) == (9, 1)
    said = capsys.readouterr().err
    assert "plans.json was not loaded, the catalogue in force stays." in said
    assert "grace_days" in said


def test_a_broken_file_refuses_the_start(settings: Settings) -> None:
    started(settings)
    rewrite(settings, grace_days=-1)
    with pytest.raises(CatalogInvalidError, match="grace_days"):
        started(settings)
