"""`billing scenario`: what a person sees, what a program reads, and the exit code; the rules are in tests/laws."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from billing_app.cli import main

Change = Callable[[dict[str, Any]], Any]

SCENARIOS = Path(__file__).parents[1] / "scenarios"
SOUND = SCENARIOS / "together-debt-carry-expiry-and-renewal-at-one-turn.json"


def run(*arguments: object) -> int:
    """The exit code of the command."""
    try:
        main(["scenario", *map(str, arguments)])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def document() -> dict[str, Any]:
    return {
        "name": "small",
        "metrics": [{"id": "api", "aggregation": "sum"}],
        "plans": {"basic": {"included": {"api": 10}}},
        "actions": {"call": ["api"]},
        "organization": {"plan": "basic", "anchor": "2024-01-01T00:00:00Z"},
        "steps": [
            {"at": "2024-01-02T00:00:00Z", "do": "grant", "id": "pack", "metric": "api", "quantity": 5},
            {"at": "2024-01-03T00:00:00Z", "do": "use", "metric": "api", "quantity": 12},
            {
                "at": "2024-01-03T00:00:00Z",
                "do": "expect",
                "metric": "api",
                "left": 3,
                "grants": {"pack": {"burned": 2}},
            },
        ],
    }


def written(folder: Path, content: dict[str, Any] | str, name: str = "small.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_nothing_is_said_where_everything_is_met(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = "sqlite://" if database_url.startswith("sqlite") else database_url
    assert run(SOUND, SCENARIOS / "rule-12-one-purchase-one-grant.json", "--database-url", where) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_each_expectation_that_is_not_met_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = document()
    wrong["steps"][2] |= {"left": 4, "state": "ok", "grants": {"pack": {"burned": 1}, "other": {"left": 0}}}
    wrong["steps"].insert(1, wrong["steps"][0] | {"id": "none", "quantity": 0})
    path = written(tmp_path, wrong)
    assert run(path, SOUND) == 1
    captured = capsys.readouterr()
    assert captured.err == ""
    step = f"{path}: step 4 at 2024-01-03T00:00:00Z (expect): "
    assert captured.out.splitlines() == [
        f"{path}: step 2 at 2024-01-02T00:00:00Z (grant): refused with invalid_quantity: "
        "A grant's quantity must be between 1 and 9223372036854775807, not 0.",
        f"{step}left: expected 4, got 3",
        f"{step}state: expected 'ok', got 'using_credits'",
        f"{step}grants.pack.burned: expected 1, got 2",
        f"{step}grants.other: expected, but there is no such grant",
    ]


def test_the_final_state_of_one_file_is_an_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, document())
    assert run(path, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "file": str(path),
        "name": "small",
        "failures": [],
        "state": {
            "api": {
                "left": 3, "burned": 2, "expired": 0, "held": 0, "debt": 0, "deficit": 0, "uncovered": 0, "used": 12,
                "included": 10, "ledger_sum": 3, "state": "using_credits", "thresholds": ["plan.usage:100"],
                "grants": {
                    "pack": {
                        "id": "pack", "quantity": 5, "pending": 0, "left": 3, "burned": 2, "held": 0, "expired": 0,
                        "voided": 0, "clawed_back": 0, "debt": 0, "converted": 0,
                    }
                },
                "months": [{"start": "2024-01-01T00:00:00Z", "used": 12, "burned": 2, "uncovered": 0, "expired": 0}],
            }
        },
    }  # fmt: skip


def test_the_final_states_of_several_files_are_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = document()
    wrong["steps"][2]["left"] = 4
    paths = [written(tmp_path, wrong), written(tmp_path, "{", "torn.json"), SOUND]
    assert run(*paths, "--json") == 2
    captured = capsys.readouterr()
    failed, torn, sound = json.loads(captured.out)
    assert [each["file"] for each in (failed, torn, sound)] == list(map(str, paths))
    assert failed["failures"] == [f"{paths[0]}: step 3 at 2024-01-03T00:00:00Z (expect): left: expected 4, got 3"]
    assert (torn["name"], torn["state"]) == ("", {})
    assert torn["failures"] == captured.err.splitlines()
    assert torn["failures"][0].startswith(f"{paths[1]}:1:2: is not JSON")
    assert (sound["failures"], sound["state"]["api"]["left"]) == ([], 8)


def test_files_beside_a_bad_one_are_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = document()
    wrong["steps"][2]["left"] = 4
    path = written(tmp_path, wrong)
    assert run(tmp_path / "nowhere.json", path, SOUND) == 2
    captured = capsys.readouterr()
    assert captured.err == f"{tmp_path / 'nowhere.json'}: can't be read: No such file or directory\n"
    assert captured.out == f"{path}: step 3 at 2024-01-03T00:00:00Z (expect): left: expected 4, got 3\n"


MALFORMED: dict[str, tuple[Change, list[str]]] = {
    "an unknown step": (
        lambda it: it["steps"][1].update(do="usage"),
        ['step 2.do: there is no step "usage"; did you mean "use"?'],
    ),
    "missing fields": (
        lambda it: (it["steps"][0].pop("quantity"), it["steps"][0].pop("id"), it["steps"][1].pop("at")),
        ["step 1.id: is missing", "step 1.quantity: is missing", "step 2.at: is missing"],
    ),
    "a misspelt expectation": (
        lambda it: it["steps"][2].update(debts=1, months=[{"start": "2024-01-01T00:00:00Z", "uses": 1}]),
        [
            'step 3.debts: unknown field; did you mean "debt"?',
            'step 3.months[0].uses: unknown field; did you mean "used"?',
        ],
    ),
    "an unknown figure of a grant": (
        lambda it: it["steps"][2].update(grants={"pack": {"burnt": 1}}),
        ['step 3.grants.pack.burnt: unknown field; did you mean "burned"?'],
    ),
    "no moment": (
        lambda it: it["steps"][1].update(at="yesterday", occurred_at="2024-01-01T00:00:00"),
        [
            'step 2.occurred_at: must be a moment like 2024-01-31T00:00:00Z, not "2024-01-01T00:00:00"',
            'step 2.at: must be a moment like 2024-01-31T00:00:00Z, not "yesterday"',
        ],
    ),
    "time that falls": (
        lambda it: it["steps"][2].update(at="2024-01-02T23:00:00Z"),
        ["step 3.at: 2024-01-02T23:00:00Z is before the step above it; `at` never falls"],
    ),
    "a step that is none": (
        lambda it: it["steps"].append("recount"),
        ['step 4: must be an object, not "recount"'],
    ),
    "a word of its own": (
        lambda it: it["steps"].append(
            {"at": "2024-01-04T00:00:00Z", "do": "dispute", "grant": "pack", "status": "undecided"}
        ),
        ['step 4.status: must be one of opened, won, lost, not "undecided"'],
    ),
    "a check of nothing": (
        lambda it: it["steps"].append({"at": "2024-01-04T00:00:00Z", "do": "check", "allowed": "yes"}),
        [
            "step 4.metric: a check names an action or a metric, one of them",
            'step 4.allowed: must be true or false, not "yes"',
        ],
    ),
    "cents that are none": (
        lambda it: it["steps"][0].update(price_cents=9.5),
        ["step 1.price_cents: must be a whole number without decimal point or exponent, not 9.5"],
    ),
    "the catalogue": (
        lambda it: it.update(metrics=[{"id": "api", "aggregation": "sums"}], plans={"basic": {"included": {"apo": 1}}}),
        [
            'metrics[0].aggregation: "sums" is not one of sum, unique, max, level; did you mean "sum"?',
            'plans.basic.included.apo: unknown metric; did you mean "api"?',
        ],
    ),
    "an action without metrics": (
        lambda it: it.update(actions={"call": ["sms"]}),
        ["actions.call: must be a list of metrics of this scenario: api"],
    ),
    "the organization": (
        lambda it: it.update(organization={"plan": "gold", "anchor": None}),
        ["organization.anchor: must be a moment, not null", 'organization.plan: there is no plan "gold" in `plans`'],
    ),
    "an id that can't be one": (
        lambda it: it.update(plans={"basic": {"included": {}}, "my plan": {"included": {}}}),
        ['plans[1].plan: "my plan" is not an id: use letters, digits, dots, - and _, at most 60 characters'],
    ),
    "nothing of it": (lambda it: it.clear(), [f"{name}: is missing" for name in list(document()) if name != "actions"]),
}


@pytest.mark.parametrize("change, mistakes", MALFORMED.values(), ids=MALFORMED)
def test_a_file_that_is_no_scenario_is_told_where(
    change: Change, mistakes: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = document()
    change(broken)
    path = written(tmp_path, broken)
    assert run(path) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [f"{path}: {mistake}" for mistake in mistakes]


@pytest.mark.parametrize("content", ["", "[]", "null", '{"name": NaN}', "\x00", '"scenario"', "[" * 100_000])
def test_any_other_file_is_refused_in_a_line(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(written(tmp_path, content)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1 and str(tmp_path) in captured.err


@pytest.mark.parametrize("quantity", [1.5, "7", True, None, [], 2**70])
@pytest.mark.parametrize("verb", ["grant", "use", "consume", "reserve"])
def test_what_is_no_quantity_is_a_refusal_that_may_be_expected(verb: str, quantity: object, tmp_path: Path) -> None:
    step = {
        "at": "2024-01-04T00:00:00Z",
        "do": verb,
        "metric": "api",
        "quantity": quantity,
        "error": "invalid_quantity",
    }
    if verb in ("grant", "reserve"):
        step["id"] = "odd"
    if verb == "use" and quantity == 2**70:
        step["error"] = "quantity_too_large"
    asked = document()
    asked["steps"] = [step]
    assert run(written(tmp_path, asked)) == 0


def test_a_database_that_is_not_empty_is_left_alone(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On PostgreSQL a scenario has a schema of its own, which is empty whatever else there is."""
    own_schema = not database_url.startswith("sqlite")
    assert run(written(tmp_path, document()), "--database-url", database_url) == (0 if own_schema else 2)
    assert ("is not empty" in capsys.readouterr().err) is not own_schema


@pytest.mark.parametrize("address", ["nonsense", "mysql://localhost/x", "postgresql+psycopg://localhost:1/none"])
def test_a_database_that_is_none_is_a_sentence(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(written(tmp_path, document()), "--database-url", address) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Traceback" not in captured.err and captured.err
