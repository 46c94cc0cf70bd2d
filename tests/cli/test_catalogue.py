"""`billing catalogue`: what a person sees, and the exit code that a script sees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from billing_app.cli import main
from tests.domain.catalogue.documents import pack, small_document


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables as wide as they like, without colours, whatever terminal runs the tests."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


@pytest.fixture
def plans_file(tmp_path: Path) -> Path:
    """A small sound catalogue on disk."""
    return written(tmp_path, small_document())


def written(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / "plans.json"
    path.write_text(json.dumps(document))
    return path


def run(*arguments: object) -> int:
    """The exit code of the command."""
    try:
        main(["catalogue", *map(str, arguments)])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_a_sound_file_is_said_to_be_sound(plans_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", plans_file) == 0
    assert capsys.readouterr().out == "plans.json is sound: 2 metrics, 2 plans, 3 packs, 1 action.\n"


def test_without_a_file_the_shipped_catalogue_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check") == 0
    assert "plans.json is sound: 5 metrics, 4 plans" in capsys.readouterr().out


def test_check_lists_every_mistake_and_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = small_document()
    document["packs"][0].update(price_cents=-1, metric="[b]maus")
    document["plans"][1]["default"] = True
    assert run("check", written(tmp_path, document)) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "plans.json: plans[1].default: plans[0] is the default already; only one plan may be",
        "plans.json: packs[0].price_cents: must be 1 or more, not -1",
        'plans.json: packs[0].metric: unknown metric "[b]maus"; did you mean "mau"?',
        "3 mistakes.",
    ]


def test_check_names_line_and_column_of_what_is_no_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{\n  "plans": oops\n}')
    assert run("check", path) == 1
    assert capsys.readouterr().err.splitlines() == ["broken.json:2:12: is not JSON: expecting value", "1 mistake."]


def test_check_says_that_a_file_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", tmp_path / "none.json") == 1
    assert "there is no such file" in capsys.readouterr().err


def test_check_needs_no_database(
    plans_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BILLING_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert run("check", plans_file) == 0
    assert capsys.readouterr().err == ""


def test_show_prints_plans_side_by_side_and_packs_with_unit_prices(
    plans_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("show", plans_file) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["per", "month", "$0.00", "$49.00"] in lines
    assert ["Storage", "0", "GB", "unlimited"] in lines
    assert ["processes", "unlimited", "unlimited"] in lines
    assert ["mau-10k", "10,000", "$14.00", "$1.40", "per", "1,000", "once"] in lines
    assert ["mau-10k-monthly", "10,000", "$12.00", "$1.20", "per", "1,000", "every", "month"] in lines
    assert ["MAU", "1", "100"] in lines


def test_show_says_what_is_retired_and_what_is_not_public(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = small_document()
    document["plans"][1]["retired"] = True
    document["packs"][0]["public"] = False
    assert run("show", written(tmp_path, document)) == 0
    shown = capsys.readouterr().out
    assert "Pro (retired)" in shown
    assert "once, not public" in shown


def test_show_as_json_is_a_file_that_can_be_loaded(
    plans_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("show", plans_file, "--json") == 0
    exported = tmp_path / "export.json"
    exported.write_text(capsys.readouterr().out)
    assert run("check", exported) == 0


def test_show_before_anything_is_loaded_names_the_way_out(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("show", "--database", database_url) == 2
    assert "billing catalogue load" in capsys.readouterr().err


def test_load_makes_a_file_the_catalogue_and_show_then_shows_it(
    database_url: str, plans_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("load", plans_file, "--database", database_url) == 0
    assert capsys.readouterr().out == "Loaded plans.json as version 1.\n"
    assert run("show", "--json", "--database", database_url) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [pack["id"] for pack in shown["packs"]] == ["mau-1k", "mau-10k", "mau-10k-monthly"]


def test_loading_the_same_file_again_changes_nothing(
    database_url: str, plans_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("load", plans_file, "--database", database_url)
    capsys.readouterr()
    assert run("load", plans_file, "--database", database_url) == 0
    assert capsys.readouterr().out == "Nothing changes: version 1 says the same.\n"


def test_a_dry_run_shows_the_difference_and_writes_nothing(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, small_document())
    assert run("load", path, "--dry-run", "--database", database_url) == 0
    run("load", path, "--database", database_url)
    document = small_document()
    document["plans"][1]["prices"]["month"] = 5900
    document["packs"][0] = pack("mau-5k", quantity=5000, price_cents=900)
    written(tmp_path, document)
    for _ in range(2):
        capsys.readouterr()
        assert run("load", path, "--dry-run", "--database", database_url) == 0
        assert capsys.readouterr().out.splitlines() == [
            "~ plans.pro.prices.month: 4900 → 5900",
            "- packs.mau-1k",
            "+ packs.mau-5k",
            "3 changes; nothing was written.",
        ]
    assert run("load", path, "--database", database_url) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Loaded plans.json as version 2."


def test_loading_a_wrong_file_lists_every_mistake_and_exits_1(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = small_document()
    document["plans"][0]["default"] = False
    del document["currency"]
    assert run("load", written(tmp_path, document), "--database", database_url) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "2 mistakes."


@pytest.mark.parametrize("command", ["check", "show", "load"])
def test_every_command_s_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, "--help") == 0
    assert f"Example: billing catalogue {command}" in capsys.readouterr().out
