"""Editing the catalogue: looked at before it is saved, and never on top of what somebody else saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.db import Database
from billing_app.domain.catalogue import CatalogInvalidError, CatalogRefusedError, parse_catalog, to_document
from billing_app.domain.catalogue.changes import merged
from billing_app.domain.common.errors import ConflictError, NotFoundError
from billing_app.domain.credits.entitlements import MeterState
from billing_app.domain.organizations.limits import Limit
from billing_app.services.catalogue import versions
from billing_app.services.common import audit, organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.operators import catalogue_editor, catalogue_edits, catalogue_effects
from billing_app.services.operators.views_catalogue import FileState, FileView
from billing_app.services.usage import accounts, reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.services.verification import verification
from tests.domain.catalogue.documents import small_document
from tests.support.builders import NOON, a_user, an_organization, the_catalogue

DAY = timedelta(days=1)
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(autouse=True)
def three_organizations(database: Database) -> None:
    """acme and globex hold Essential, initech is on Free; acme has used 900 e-mails of its 5 000."""
    the_catalogue(database)
    with database.writing() as session:
        for address, plan in (("acme", "essential"), ("globex", "essential"), ("initech", "free")):
            organization = an_organization(session, address)
            grants.change_plan(Context(session, organization, NOON - 30 * DAY), plan)
        use(session, "acme", 900)


def use(session: Any, address: str, emails: int) -> None:
    event = ReportedEvent("emails", emails, None, NOON - DAY)
    assert reporting.report(Context(session, organizations.by_address(session, address), NOON), [event]).rejected == []


def edit(database: Database, change: Change) -> tuple[int, dict[str, Any]]:
    """The version in force and its document with a change."""
    with database.reading() as session:
        head, current = catalogue_edits.editing(session, NOON)
    document = to_document(current)
    change(document)
    return head.version, document


def emails(quantity: int) -> Change:
    """Essential includes so many e-mails."""
    return lambda document: document["plans"][1]["included"].update(emails=quantity)


def save(database: Database, change: Change, now: Any = NOON, **more: Any) -> Any:
    version, document = edit(database, change)
    with database.writing() as session:
        return catalogue_edits.save(session, document, now, based_on=version, actor="op@example.org", **more)


def look(database: Database, change: Change, **more: Any) -> catalogue_effects.Preview:
    version, document = edit(database, change)
    with database.reading() as session:
        return catalogue_effects.preview(session, document, NOON, based_on=version, **more)


def allowance(database: Database, address: str = "acme", at: Any = NOON) -> int | None:
    with database.reading() as session:
        return accounts.account(session, organizations.by_address(session, address), "emails", at).allowance


def test_a_preview_names_everybody_who_feels_it_and_how(database: Database) -> None:
    before = allowance(database)
    assert before is not None
    found = look(database, emails(before + 500))
    assert [each.address for each in found.affected] == ["acme", "globex"]
    assert found.count == 2
    (change,) = found.affected[0].changes
    assert (change.before, change.after) == (before, before + 500)
    (effect,) = found.affected[0].metrics
    assert (effect.metric.id, effect.allowance) == ("emails", (before, before + 500))


def test_a_smaller_allowance_counts_from_the_next_period_and_a_correction_at_once(database: Database) -> None:
    before = allowance(database)
    (acme, _) = look(database, emails(400)).affected
    assert acme.metrics[0].allowance == (before, before)
    assert not acme.blocked_by_it
    (acme, _) = look(database, emails(400), correcting=True).affected
    assert acme.metrics[0].allowance == (before, 400)
    assert acme.metrics[0].deficit == (0, 500)
    assert acme.metrics[0].state == (MeterState.OK, MeterState.BLOCKED)
    assert acme.blocked_by_it


@pytest.mark.parametrize("correcting", [False, True])
def test_what_is_previewed_is_what_saving_does(database: Database, correcting: bool) -> None:
    promised = look(database, emails(400), correcting=correcting).affected[0].metrics[0]
    save(database, emails(400), correcting=correcting)
    with database.reading() as session:
        acme = accounts.account(session, organizations.by_address(session, "acme"), "emails", NOON)
        assert (acme.allowance, acme.left, acme.deficit) == (
            promised.allowance[1], promised.left[1], promised.deficit[1],
        )  # fmt: skip
        assert list(verification.verify(Context(session, organizations.by_address(session, "acme"), NOON))) == []


def test_what_holders_do_not_feel_affects_nobody(database: Database) -> None:
    def rename(document: dict[str, Any]) -> None:
        document["plans"][1]["name"] = "Basic"
        document["plans"][1]["prices"]["month"] = 3900
        document["packs"][0]["price_cents"] += 100

    found = look(database, rename)
    assert (len(found.result.changes), found.count) == (3, 0)


def test_without_details_they_are_only_counted(database: Database) -> None:
    found = look(database, emails(6_000), detailed=False)
    assert (found.affected, found.count) == ((), 2)


def test_looking_writes_nothing(database: Database) -> None:
    look(database, emails(1))
    with database.reading() as session:
        assert len(catalogue_edits.versions(session, NOON, 10)) == 1


def test_of_two_edits_of_one_version_the_second_is_refused_and_kept(database: Database) -> None:
    version, mine = edit(database, emails(7_000))
    save(database, lambda document: document.update(grace_days=10))
    with database.writing() as session, pytest.raises(ConflictError) as refused:
        catalogue_edits.save(session, mine, NOON, based_on=version)
    assert (refused.value.code, refused.value.fields["version"]) == ("catalogue_changed", version + 1)
    with database.reading() as session:
        head, together, both = catalogue_edits.rebased(session, mine, NOON, based_on=version)
    assert (head.version, both) == (version + 1, [])
    assert (together["grace_days"], together["plans"][1]["included"]["emails"]) == (10, 7_000)
    with database.writing() as session:
        assert catalogue_edits.save(session, together, NOON, based_on=head.version).version == version + 2


def test_a_place_that_both_changed_is_named(database: Database) -> None:
    version, mine = edit(database, emails(7_000))
    save(database, emails(8_000))
    with database.reading() as session:
        _, together, both = catalogue_edits.rebased(session, mine, NOON, based_on=version)
    assert both == ["plans.essential.included.emails"]
    assert together["plans"][1]["included"]["emails"] == 7_000


def test_a_correction_holds_as_if_the_other_never_had(database: Database) -> None:
    before = allowance(database)
    save(database, emails(10), NOON)
    save(database, emails(9_000), NOON + 40 * DAY, correcting=True)
    assert allowance(database, at=NOON + DAY) == 9_000
    assert allowance(database, at=NOON - 20 * DAY) == before
    with database.reading() as session:
        newest, wrong, _first = catalogue_edits.versions(session, NOON + 40 * DAY, 10)
    assert (newest.corrects, newest.effective_at, newest.in_force) == (wrong.version, NOON, True)
    assert (wrong.corrected_by, wrong.in_force) == (newest.version, False)


def test_versions_tell_what_each_changed_and_who(database: Database) -> None:
    save(database, emails(3_000))
    with database.reading() as session:
        newest, first = catalogue_edits.versions(session, NOON, 10)
        assert [change.path for change in newest.changes] == ["plans.essential.included.emails"]
        assert (newest.source, first.source, first.changes) == ("op@example.org", "plans.json", ())
        (noted,) = [entry for entry in audit.entries(session, audit.CONSOLE, 10) if entry.action == "catalogue.saved"]
    assert noted.actor == "op@example.org"
    with database.reading() as session:
        older = to_document(catalogue_edits.of_number(session, first.version))
        assert older["plans"][1]["included"]["emails"] != 3_000
        with pytest.raises(NotFoundError):
            catalogue_edits.of_number(session, 99)


def test_restoring_is_saving_an_older_version_again(database: Database) -> None:
    before = allowance(database, at=NOON + 60 * DAY)
    save(database, emails(3_000))
    with database.reading() as session:
        older = to_document(catalogue_edits.of_number(session, 1))
    save(database, lambda document: document.update(older), NOON + DAY)
    assert allowance(database, at=NOON + 60 * DAY) == before


def test_mistakes_and_contradictions_are_refused_with_their_places(database: Database) -> None:
    with pytest.raises(CatalogInvalidError) as wrong:
        look(database, emails(-1))
    assert [mistake.path for mistake in wrong.value.mistakes] == ["plans[1].included.emails"]
    assert catalogue_edits.mistakes(edit(database, emails(-1))[1]) == wrong.value.mistakes
    with pytest.raises(CatalogRefusedError):
        look(database, lambda document: document["metrics"][3].update(aggregation="max"))


def test_the_pages_of_every_organization_hear_of_it(database: Database) -> None:
    def revisions() -> dict[str, int]:
        with database.reading() as session:
            return organizations.revisions_by_address(session, ["acme", "initech"])

    before = revisions()
    save(database, emails(3_000))
    assert revisions() == {address: revision + 1 for address, revision in before.items()}


def test_a_saved_edit_outlives_the_next_start_with_the_same_file(database: Database) -> None:
    save(database, emails(3_000))
    the_catalogue(database, NOON + DAY)
    assert allowance(database, at=NOON + 60 * DAY) == 3_000


NAMES = ("free", "pro")


@st.composite
def edits(draw: st.DrawFn) -> dict[str, Any]:
    """The small catalogue with a few values changed and a pack gone or new."""
    document = small_document()
    for plan in document["plans"]:
        if draw(st.booleans()):
            plan["included"]["mau"] = draw(st.integers(0, 3))
        if draw(st.booleans()):
            plan["organization"]["memberships"] = draw(st.sampled_from([None, 1, 2]))
    if draw(st.booleans()):
        del document["packs"][draw(st.integers(0, 2))]
    if draw(st.booleans()):
        document["packs"].append({**document["packs"][0], "id": draw(st.sampled_from(["new", "other"]))})
    document["grace_days"] = draw(st.sampled_from([7, 8]))
    return document


@given(edits(), edits())
def test_merging_loses_nothing_of_either(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    base = small_document()
    kept = deepcopy((base, mine, theirs))
    document, both = merged(base, mine, theirs)
    assert (base, mine, theirs) == kept
    parse_catalog(document, "merged")
    assert merged(base, base, theirs) == (theirs, [])
    assert parse_catalog(merged(base, mine, base)[0], "m") == parse_catalog(mine, "m")
    assert merged(base, mine, mine)[1] == []
    if mine["grace_days"] != base["grace_days"]:
        assert document["grace_days"] == mine["grace_days"]
    elif theirs["grace_days"] != base["grace_days"]:
        assert document["grace_days"] == theirs["grace_days"]
    assert all(place.startswith(("plans.", "packs.", "grace_days")) for place in both)


def test_a_limit_below_what_is_there_says_so_and_takes_nothing(database: Database) -> None:
    def fewer(document: dict[str, Any]) -> None:
        document["plans"][1]["organization"].update(memberships=0, drafts=3)

    with database.writing() as session:
        a_user(session, member_of=organizations.by_address(session, "acme"))
    acme, globex = look(database, fewer).affected
    assert [(use.limit, use.used, use.maximum) for use in acme.over] == [(Limit.MEMBERSHIPS, 1, 0)]
    assert globex.over == ()
    assert acme.next_period > NOON


@pytest.mark.parametrize("correcting", [False, True])
def test_a_new_metric_and_feature_affect_nobody_until_a_plan_has_some(database: Database, correcting: bool) -> None:
    def more(document: dict[str, Any]) -> None:
        document["metrics"].append(document["metrics"][3] | {"id": "calls", "name": "Calls"})
        document["features"].append({"id": "exports", "name": "Exports", "description": "All of it."})
        for plan in document["plans"]:
            plan["features"]["exports"] = False

    def included(document: dict[str, Any]) -> None:
        more(document)
        document["plans"][1]["included"]["calls"] = 5
        document["plans"][1]["features"]["exports"] = True

    assert look(database, more, correcting=correcting).count == 0
    assert [each.address for each in look(database, included, correcting=correcting).affected] == ["acme", "globex"]
    save(database, included, correcting=correcting)
    with database.reading() as session:
        acme = organizations.by_address(session, "acme")
        assert accounts.account(session, acme, "calls", NOON).allowance == 5


def test_the_editor_tells_what_the_next_start_makes_of_the_file(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "plans.json"

    def told() -> FileView:
        with database.reading() as session:
            return catalogue_editor.catalogue(session, NOON, file).file

    def write(**changed: Any) -> None:
        file.write_text(json.dumps(edit(database, lambda _: None)[1] | changed))

    write()
    with database.writing() as session:
        versions.load(session, versions.read_document(file), NOON, "plans.json")
    assert told() == FileView()
    write(grace_days=9)
    assert told() == FileView(FileState.WAITING, ("grace_days",))
    save(database, lambda document: document.update(grace_days=3))
    write(grace_days=9)
    assert told() == FileView(FileState.CONFLICT, ("grace_days",))
    file.write_text("{")
    assert told().state is FileState.BROKEN
    write()
    assert told() == FileView()
