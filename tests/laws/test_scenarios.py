"""Every portable scenario is met by the product, and by the reference, so that its numbers were computed twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from billing_app.db import Database
from billing_app.scenarios.document import read
from billing_app.scenarios.player import Player

from .scenario_reading import ScenarioReading

TESTS = Path(__file__).parents[1]
OURS = sorted((TESTS / "scenarios").glob("*.json"))
EXAMPLES = sorted((TESTS.parents[1] / "shared" / "scenarios").glob("*.json"))
"""The examples that lie beside the project; where they are not, only ours are read."""


def named(path: Path) -> str:
    return f"{path.parent.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", [*OURS, *EXAMPLES], ids=named)
def test_the_product_meets_the_scenario(path: Path, database: Database) -> None:
    assert Player(read(path), database).play() == []


@pytest.mark.parametrize("path", [*OURS, *EXAMPLES], ids=named)
def test_the_reference_agrees_with_the_scenario(path: Path) -> None:
    assert list(ScenarioReading(json.loads(path.read_text())).differences()) == []


def test_there_is_a_scenario_for_every_rule_and_fine_point_that_the_format_can_tell() -> None:
    names = [path.stem for path in OURS]
    # top-ups, sub-organizations, locks and what an organization switches off have no step in the format
    told_elsewhere = {"rule-13", "rule-14", "fine-17", "fine-18"}
    wanted = {f"rule-{number:02}" for number in range(1, 15)} | {f"fine-{number:02}" for number in range(1, 21)}
    assert {name for name in wanted - told_elsewhere if not any(other.startswith(name) for other in names)} == set()
