"""What import-linter cannot say about the arrows: which parts of the standard library, and where the clock is."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from billing_app.settings import ROOT

PACKAGE = ROOT / "billing_app"
IMPURE = {"os", "random", "secrets", "socket", "sqlite3", "subprocess", "time", "uuid", "urllib", "http", "threading"}
"""Clock, chance, files and network: what the domain must be told instead of asking."""


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def modules(folder: str) -> list[Path]:
    return sorted((PACKAGE / folder).rglob("*.py"))


def name(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


@pytest.mark.parametrize("file", modules("domain"), ids=name)
def test_the_domain_imports_the_pure_standard_library_and_itself(file: Path) -> None:
    roots = {module.split(".")[0] for module in imported(file) if not module.startswith("billing_app.domain")}
    assert roots <= sys.stdlib_module_names, "something that is not in the standard library"
    assert not roots & IMPURE, "the domain is told the time and the world, it does not ask"


@pytest.mark.parametrize("file", modules("sandbox"), ids=name)
def test_the_sandbox_imports_nothing_else_of_ours(file: Path) -> None:
    ours = {module for module in imported(file) if module.split(".")[0] == "billing_app"}
    assert {module for module in ours if not module.startswith("billing_app.sandbox")} == set()


def test_only_the_clock_module_looks_at_the_clock() -> None:
    exempt = {"clock.py"}
    looking = []
    for file in sorted(PACKAGE.rglob("*.py")):
        inside = file.relative_to(PACKAGE)
        # The sandbox is another company's server with clocks of its own.
        if inside.parts[0] == "sandbox" or str(inside) in exempt:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
                owner = node.value
                if isinstance(owner, ast.Name) and owner.id in {"datetime", "date"}:
                    looking.append(f"{inside}:{node.lineno}")
    assert looking == []


def test_modules_and_functions_stay_readable() -> None:
    too_long = []
    for file in sorted(PACKAGE.rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        if len(source.splitlines()) >= 300:
            too_long.append(f"{name(file)}: {len(source.splitlines())} lines")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines >= 50:
                    too_long.append(f"{name(file)}:{node.name}: {lines} lines")
    assert too_long == [], "modules stay under 300 lines, functions under 50"
