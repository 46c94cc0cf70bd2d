"""What must not be imported is refused: each breach made in a copy, and what `make check` says of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest

from billing_app.locations import ROOT
from tests.support.source import wrong_in_pages


class Breach(NamedTuple):
    """A module that is added, without its number, and what it imports."""

    place: str
    imports: str

    @property
    def called(self) -> str:
        return f"{self.place} -> {self.imports}"


SERVICE = "billing_app.services.credits"

BREACHES = [
    Breach(*each)
    for each in (
        # what no contract stopped before
        (SERVICE, "fastapi"),
        (SERVICE, "starlette.requests"),
        (SERVICE, "billing_app.clock"),
        (SERVICE, "billing_app.scenarios.player"),
        (SERVICE, "fake_stripe.server"),
        ("billing_app.ui.credits", "sqlalchemy"),
        ("billing_app.ui.credits", "billing_app.db"),
        ("billing_app.ui.kit", "billing_app.services.credits.read"),
        ("billing_app.ui.credits.*parts", "billing_app.services.credits.read"),
        ("billing_app.ui.credits.*text", "billing_app.services.credits.read"),
        ("billing_app.ui.credits.*text", "reflex"),
        ("billing_app.api.credits", "billing_app.store.credits.grants"),
        ("billing_app.jobs", "billing_app.store.credits.grants"),
        ("billing_app.cli", "billing_app.store.credits.grants"),
        ("billing_app.demo", "billing_app.store.credits.grants"),
        # rooms
        ("billing_app.domain.credits", "billing_app.store.credits.grants"),
        ("billing_app.domain.credits", "billing_app.services.credits.grants"),
        ("billing_app.domain.credits", "sqlalchemy"),
        ("billing_app.domain.credits", "pydantic"),
        ("billing_app.store.credits", "billing_app.services.credits.grants"),
        ("billing_app.store.credits", "billing_app.gateways.payments"),
        ("billing_app.gateways", "billing_app.store.credits.grants"),
        ("billing_app.gateways", "billing_app.services.credits.grants"),
        (SERVICE, "billing_app.api.common.problems"),
        (SERVICE, "billing_app.jobs.recount"),
        (SERVICE, "stripe"),
        (SERVICE, "reflex"),
        ("billing_app.api.credits", "billing_app.ui.console"),
        ("billing_app.jobs", "billing_app.api.app"),
        ("billing_app.jobs", "reflex"),
        ("billing_app.ui.credits", "billing_app.gateways.payments"),
        ("billing_app.ui.credits", "billing_app.store.credits.grants"),
        ("fake_stripe", "billing_app.domain.common.money"),
        # subjects inside a room
        ("billing_app.domain.credits", "billing_app.domain.purchases.subscriptions"),
        ("billing_app.store.usage", "billing_app.store.purchases.orders"),
        ("billing_app.services.usage", "billing_app.services.purchases.orders"),
        ("billing_app.services.overview", "billing_app.services.purchases.orders"),
        ("billing_app.api.common", "billing_app.api.usage.schemas"),
        ("billing_app.ui.usage", "billing_app.ui.overview.page"),
    )
]

CONTAINERS = ["billing_app", *(f"billing_app.{room}" for room in ("domain", "store", "services", "api", "ui"))]
"""Where a folder without a place is refused."""


def module(number: int, breach: Breach) -> str:
    """The name of the module that is added for a breach: `billing_app.ui.credits.breach_3_text`."""
    folder, _, end = breach.place.partition(".*")
    return f"{folder}.breach_{number}{f'_{end}' if end else ''}"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said of a copy in which all breaches were made."""
    copy = tmp_path_factory.mktemp("copy")
    for folder, into in (
        (ROOT / "billing_app", "billing_app"),
        (ROOT / "packages/fake_stripe/fake_stripe", "fake_stripe"),
    ):
        shutil.copytree(folder, copy / into, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for number, breach in enumerate(BREACHES):
        path = (copy / module(number, breach).replace(".", "/")).with_suffix(".py")
        path.write_text(f"import {breach.imports}\n")
    for container in CONTAINERS:
        folder = copy / container.replace(".", "/") / "without_a_place"
        folder.mkdir()
        (folder / "__init__.py").touch()
    linter = [str(Path(sys.executable).with_name("lint-imports")), "--cache-dir", str(copy / "cache")]
    run = subprocess.run(linter, cwd=copy, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 1, run.stderr
    # it breaks long lines where a terminal would end
    return " ".join(run.stdout.split()) + " " + " ".join([*wrong_in_pages(copy / "billing_app"), ""])


@pytest.mark.parametrize("number", range(len(BREACHES)), ids=lambda number: BREACHES[number].called)
def test_a_breach_is_refused_by_its_name(said: str, number: int) -> None:
    breach = BREACHES[number]
    ours = breach.imports.startswith(("billing_app", "fake_stripe"))
    imports = breach.imports if ours else breach.imports.partition(".")[0]
    assert f"{module(number, breach)} -> {imports} " in said


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_folder_without_a_place_is_refused(said: str, container: str) -> None:
    assert f"{container}.without_a_place" in said


def test_the_picture_of_the_layers_is_true() -> None:
    """docs/pictures/layers.svg has each subject of services, store and domain in the row that its contract gives it."""
    picture = (ROOT / "docs" / "pictures" / "layers.svg").read_text(encoding="utf-8")
    chips = re.findall(r'<text class="c" x="([\d.]+)" y="([\d.]+)"[^>]*>(\w+)', picture)
    rows = [sorted(name for _, _, name in row) for _, row in groupby(chips, key=lambda chip: chip[1])]
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {each["containers"][0]: each["layers"] for each in settings["tool"]["importlinter"]["contracts"]
                 if each["type"] == "layers"}  # fmt: skip
    for container in ("billing_app.services", "billing_app.store", "billing_app.domain"):
        layers = [sorted(layer.split(" | ")) for layer in contracts[container]]
        assert any(rows[start : start + len(layers)] == layers for start in range(len(rows))), container
