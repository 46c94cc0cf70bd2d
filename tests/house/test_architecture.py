"""What import-linter cannot say about the arrows: parts of the standard library, text and parts of pages, the clock.

`make check` runs it beside the contracts of pyproject.toml.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from billing_app.locations import ROOT
from tests.support.source import imported, wrong_in_pages

PACKAGE = ROOT / "billing_app"
FAKE_STRIPE = ROOT / "packages" / "fake_stripe" / "fake_stripe"
IMPURE = {"os", "random", "secrets", "socket", "sqlite3", "subprocess", "time", "uuid", "urllib", "http", "threading"}
"""Clock, chance, files and network: what the domain must be told instead of asking."""


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", modules(PACKAGE / "domain"), ids=name)
def test_the_domain_imports_the_pure_standard_library_and_itself(file: Path) -> None:
    roots = {module.split(".")[0] for module in imported(file) if not module.startswith("billing_app.domain")}
    assert roots <= sys.stdlib_module_names, "something that is not in the standard library"
    assert not roots & IMPURE, "the domain is told the time and the world, it does not ask"


def test_text_is_made_of_records_and_parts_are_told_what_to_show() -> None:
    assert wrong_in_pages(PACKAGE) == []


def test_only_the_clock_module_looks_at_the_clock() -> None:
    exempt = {"clock.py"}
    looking = []
    for file in modules(PACKAGE):
        inside = file.relative_to(PACKAGE)
        if str(inside) in exempt:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
                owner = node.value
                if isinstance(owner, ast.Name) and owner.id in {"datetime", "date"}:
                    looking.append(f"{inside}:{node.lineno}")
    assert looking == []


def test_every_folder_is_a_package_that_import_linter_sees() -> None:
    """It leaves out what has no `__init__.py`, with all that is below."""
    folders = {folder for file in modules(PACKAGE) for folder in file.parents if folder.is_relative_to(PACKAGE)}
    assert [name(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_modules_and_functions_stay_readable() -> None:
    too_long = []
    for file in [*modules(PACKAGE), *modules(FAKE_STRIPE)]:
        source = file.read_text(encoding="utf-8")
        if len(source.splitlines()) > 400:
            too_long.append(f"{name(file)}: {len(source.splitlines())} lines")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines >= 50:
                    too_long.append(f"{name(file)}:{node.name}: {lines} lines")
    assert too_long == [], "modules have 400 lines at most, functions under 50"
