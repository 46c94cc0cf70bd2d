"""Reading our own source, for tests of what it says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

VIEWS = re.compile(r"billing_app\.services\.(\w+\.)+views(_\w+)?(\.|$)")
"""Modules of frozen records: what a service answers."""

TEXT_MAY = {
    "audit_text": "billing_app.services.common.audit_words",
    "profile_text": "billing_app.services.common.places",
}
"""The log's sentences are said once, for pages, API and command line; a place's clock needs the table of time zones."""


def dotted(node: ast.AST) -> str:
    """A dotted name such as `audit.record`; empty for anything else. `ast.unparse` would take most of such a test."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := dotted(node.value)):
        return f"{head}.{node.attr}"
    return ""


def imported(file: Path) -> Iterator[str]:
    """What a file imports: the modules, and each name from a module with its dots."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def wrong_in_pages(package: Path) -> list[str]:
    """What text and parts of pages must not import: import-linter has no names by their end.

    Text is made of records and values, without a framework. Parts are told what to show.
    """
    return [
        f"{'.'.join(file.relative_to(package.parent).with_suffix('').parts)} -> {name}"
        for file in sorted((package / "ui").rglob("*.py"))
        for name in imported(file)
        if (file.stem.endswith("text") and _is_no_text(file.stem, name))
        or (file.stem.endswith("parts") and name.startswith("billing_app.services"))
    ]


def _is_no_text(stem: str, name: str) -> bool:
    if name.partition(".")[0] == "reflex":
        return True
    allowed = VIEWS.match(name) or (stem in TEXT_MAY and (name + ".").startswith(TEXT_MAY[stem] + "."))
    return name.startswith("billing_app.services") and not allowed
